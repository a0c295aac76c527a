"""What a signed-in device publishes: telemetry, events, responses to commands (VertxBasedMqttProtocolAdapter)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platforms.hono.commands.device_command import status_in
from fleetrig.reference_server.platforms.hono.commands.responding import CommandAnswer, respond
from fleetrig.reference_server.platforms.hono.commands.router import CommandRouter
from fleetrig.reference_server.platforms.hono.mqtt.live_connections import LiveConnection
from fleetrig.reference_server.platforms.hono.mqtt.publish_errors import PublishFailure, refused
from fleetrig.reference_server.platforms.hono.mqtt.topics import PublishedTopic, TopicEndpoint, read_topic
from fleetrig.reference_server.platforms.hono.provisioning.assertion import Asserted, assert_registration
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import MQTT, Denied
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import TENANT_DISABLED, tenant_named
from fleetrig.reference_server.platforms.hono.provisioning.uploading import Upload, Uploaded, upload
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.mqtt import MqttPublish

REQUEST_ID_AT: Final = 4
STATUS_AT: Final = 5
EXPECTED: Final = "command/[tenant]/[device]/res/ID/STATUS"
LOST_RIGHTS: Final = frozenset({403, 404})
"""What a registry or a tenant says when the connection has lost its sense: disabled, deleted, no longer a gateway."""


class Publishing:
    def __init__(self, registry: Registry, router: CommandRouter, sessions: MqttSessions) -> None:
        self._registry = registry
        self._router = router
        self._sessions = sessions

    def published(self, live: LiveConnection, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        topic = read_topic(publish.topic)
        outcome = self._outcome(live, topic, publish, now_us)
        if isinstance(outcome, PublishFailure):
            return refused(self._sessions, live, client, publish, topic, outcome, now_us)
        return PublishAnswer(changed=outcome.changed, steps=outcome.steps, device=live.called)

    def _outcome(
        self, live: LiveConnection, topic: PublishedTopic | None, publish: MqttPublish, now_us: int
    ) -> Uploaded | PublishFailure:
        if topic is None:
            return _bad("malformed topic name", f"{publish.topic[:200]!r} is no topic of this server")
        if live.has_expired(now_us):
            why = "the token that it has signed in with has expired"
            return PublishFailure(Denied(401, "Device credentials expired.", why), is_terminal=True)
        failure = _qos_flaw(topic, publish) or _address_flaw(topic, live)
        if failure is not None:
            return failure
        device_id = topic.device_id or live.device_id
        asserted = self._assert(live, device_id, now_us)
        if isinstance(asserted, Denied):
            return PublishFailure(asserted, self._is_terminal(live, device_id, asserted, now_us))
        if device_id != live.device_id:
            self._router.came_through(live.tenant_id, device_id, live.device_id)
        found = self._forward(asserted, topic, publish, now_us)
        return PublishFailure(found, found.status in LOST_RIGHTS) if isinstance(found, Denied) else found

    def _assert(self, live: LiveConnection, device_id: str, now_us: int) -> Asserted | Denied:
        known = tenant_named(self._registry, MQTT, live.tenant_id, now_us)
        if known is None:
            return Denied(404, TENANT_DISABLED, "the tenant has been deleted")
        return assert_registration(self._registry, known.tenant, device_id, live.device_id, now_us)

    def _is_terminal(self, live: LiveConnection, device_id: str, denied: Denied, now_us: int) -> bool:
        """For a gateway it is not the end that a device behind it is unknown, as long as itself is known."""
        if denied.status == 404 and device_id != live.device_id:
            return isinstance(self._assert(live, live.device_id, now_us), Denied)
        return denied.status in LOST_RIGHTS

    def _forward(
        self, asserted: Asserted, topic: PublishedTopic, publish: MqttPublish, now_us: int
    ) -> Uploaded | Denied:
        content_type = topic.properties.get("content-type") or _content_type_of(publish)
        if topic.endpoint is TopicEndpoint.COMMAND:
            return self._respond(asserted, topic, publish.payload, content_type, now_us)
        message = Upload(
            adapter=MQTT,
            endpoint="event" if topic.endpoint is TopicEndpoint.EVENT else "telemetry",
            qos=publish.qos,
            payload=publish.payload,
            content_type=content_type,
            orig_address=publish.topic,
            ttl_s=topic.ttl_s if topic.endpoint is TopicEndpoint.EVENT else None,
            is_retained=publish.retain,
        )
        return upload(self._registry, asserted, message, now_us)

    def _respond(
        self, asserted: Asserted, topic: PublishedTopic, payload: bytes, content_type: str | None, now_us: int
    ) -> Uploaded | Denied:
        if len(topic.segments) <= STATUS_AT:
            return _denied("command response topic has too few segments", f"expected {EXPECTED}")
        status = status_in(topic.segment(STATUS_AT))
        if status is None:
            why = f"{topic.segment(STATUS_AT)[:20]!r} is no status, expected {EXPECTED}"
            return _denied("invalid status code", why)
        answer = CommandAnswer(topic.segment(REQUEST_ID_AT), status, payload, content_type)
        if answer.correlation_id is None:
            why = f"no command has the id {answer.request_id!r}, or no response the status {status}"
            return _denied("command response topic contains invalid data", why)
        return respond(self._registry, asserted, answer, MQTT, now_us)


def _qos_flaw(topic: PublishedTopic, publish: MqttPublish) -> PublishFailure | None:
    match topic.endpoint:
        case TopicEndpoint.TELEMETRY if publish.qos == 2:
            return _bad("QoS 2 not supported for telemetry messages", "telemetry has QoS 0 or 1")
        case TopicEndpoint.EVENT if publish.qos != 1:
            return _bad("Only QoS 1 supported for event messages", f"an event has QoS 1, not {publish.qos}")
        case TopicEndpoint.COMMAND if publish.qos == 2:
            return _bad("QoS 2 not supported for command response messages", "a response has QoS 0 or 1")
        case TopicEndpoint.UNKNOWN:
            why = f"topics begin with telemetry, event or command, not with {topic.segments[0][:100]!r}"
            return PublishFailure(Denied(404, "no such endpoint", why))
        case _:
            return None


def _address_flaw(topic: PublishedTopic, live: LiveConnection) -> PublishFailure | None:
    if topic.tenant_id and not topic.device_id:
        return _bad("message address must not contain tenant ID only", "a topic with a tenant needs a device as well")
    if topic.tenant_id not in ("", live.tenant_id):
        why = f"it belongs to the tenant {live.tenant_id}, and the topic names {topic.tenant_id[:100]!r}"
        return PublishFailure(Denied(403, "can only publish for device of same tenant", why))
    return None


def _content_type_of(publish: MqttPublish) -> str | None:
    """The property of MQTT 5."""
    found = next((value for name, value in publish.properties if name == "content_type"), None)
    return found if isinstance(found, str) else None


def _denied(error: str, why: str) -> Denied:
    return Denied(400, error, why)


def _bad(error: str, why: str) -> PublishFailure:
    return PublishFailure(_denied(error, why))
