"""What becomes of a message that is refused: an error message, PUBACK, or the end (handlePublishedMessageError)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platforms.hono.mqtt.live_connections import LiveConnection
from fleetrig.reference_server.platforms.hono.mqtt.subscriptions import NO_CORRELATION
from fleetrig.reference_server.platforms.hono.mqtt.topics import PublishedTopic
from fleetrig.reference_server.platforms.hono.provisioning.service_errors import text_for_devices
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttPublishAck, MqttVersion, PublishAckKind

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class OnError(StrEnum):
    """What a device wants, in the property `on-error` of a topic."""

    DISCONNECT = "disconnect"
    IGNORE = "ignore"
    SKIP_ACK = "skip-ack"
    DEFAULT = "default"
    """IGNORE for who has subscribed to errors, DISCONNECT for all others."""


MODES: Final = {mode.value: mode for mode in OnError}


class PublishFailure(NamedTuple):
    """`is_terminal`: the connection has lost its sense, whatever the device wants."""

    denied: Denied
    is_terminal: bool = False


def refused(
    sessions: MqttSessions,
    live: LiveConnection,
    client: ClientState,
    publish: MqttPublish,
    topic: PublishedTopic | None,
    failure: PublishFailure,
    now_us: int,
) -> PublishAnswer:
    """The error message goes out before the acknowledgement, which is why this is in `outputs` too."""
    denied = failure.denied
    device_id = (topic.device_id if topic is not None else "") or live.device_id
    subscription = live.error_subscription(device_id)
    mode = _mode(topic, has_subscription=subscription is not None)
    ends = failure.is_terminal or mode is OnError.DISCONNECT
    outputs: list[Output] = []
    if subscription is not None:
        correlation_id = _correlation_id(topic, publish)
        published_to = "" if topic is None else topic.segments[0]
        error_topic = subscription.error_topic(published_to, device_id, correlation_id, denied.status)
        outputs += sessions.send(client, MqttPublish(error_topic, _document(denied, correlation_id, now_us)), now_us)
    if publish.qos == 1 and not ends and mode is not OnError.SKIP_ACK and client.session is not None:
        code = MqttReason.UNSPECIFIED_ERROR if client.version is MqttVersion.V5 else MqttReason.SUCCESS
        outputs.append(Send(client.session, MqttPublishAck(PublishAckKind.PUBACK, publish.packet_id, code)))
    return PublishAnswer(
        is_acknowledged=False,
        ends=ends,
        outputs=outputs,
        reason=denied.reason,
        changed=denied.changed,
        steps=denied.steps,
        rollback=denied.rollback,
    )


def _mode(topic: PublishedTopic | None, *, has_subscription: bool) -> OnError:
    wanted = "" if topic is None else topic.properties.get("on-error", "")
    mode = MODES.get(wanted, OnError.DEFAULT)
    if mode is not OnError.DEFAULT:
        return mode
    return OnError.IGNORE if has_subscription else OnError.DISCONNECT


def _correlation_id(topic: PublishedTopic | None, publish: MqttPublish) -> str:
    named = None if topic is None else topic.properties.get("correlation-id")
    if named is not None:
        return named
    return str(publish.packet_id) if publish.qos == 1 else NO_CORRELATION


def _document(denied: Denied, correlation_id: str, now_us: int) -> bytes:
    document = {
        "code": denied.status,
        "message": text_for_devices(denied),
        "timestamp": _instant(now_us),
        "correlation-id": correlation_id,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _instant(now_us: int) -> str:
    """As Java prints a time in milliseconds: without a fraction when there is none."""
    at = EPOCH + timedelta(milliseconds=now_us // US_PER_MS)
    spec = "milliseconds" if at.microsecond else "seconds"
    return at.isoformat(timespec=spec).replace("+00:00", "Z")
