"""The server's MQTT as one: sessions by its rules, and what it decides about clients and their messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import LogIn, PublishAnswer, SessionEnd
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.thingsboard.device_api.said import count
from fleetrig.reference_server.platforms.thingsboard.mqtt.device_messages import DeviceMessages
from fleetrig.reference_server.platforms.thingsboard.mqtt.failures import failure_of
from fleetrig.reference_server.platforms.thingsboard.mqtt.gateway_messages import SWALLOWED, GatewayMessages
from fleetrig.reference_server.platforms.thingsboard.mqtt.ip_guard import IpGuard
from fleetrig.reference_server.platforms.thingsboard.mqtt.live_sessions import LiveSession, LiveSessions
from fleetrig.reference_server.platforms.thingsboard.mqtt.logins import Refused, device_of, wants_to_provision
from fleetrig.reference_server.platforms.thingsboard.mqtt.older_packets import without_codes
from fleetrig.reference_server.platforms.thingsboard.mqtt.package_chunks import PackageChunks
from fleetrig.reference_server.platforms.thingsboard.mqtt.provision_sessions import ProvisionSessions
from fleetrig.reference_server.platforms.thingsboard.mqtt.refusals import too_many
from fleetrig.reference_server.platforms.thingsboard.mqtt.session_rules import SESSION_RULES
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import GATEWAY, PROVISION_RESPONSE, SUBSCRIBABLE
from fleetrig.reference_server.platforms.thingsboard.state.devices import device_by_id
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import TooManyMessages
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind, Registry
from fleetrig.simulator.contract.clock import US_PER_MS, earliest_us
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    Subscription,
)
from fleetrig.simulator.contract.session import Session

PACKAGES: Final = ("v2/fw/", "v2/sw/")
ENDING: Final = {
    NoticeKind.DEVICE_DELETED: "the device was deleted",
    NoticeKind.CREDENTIALS_CHANGED: "the credentials of the device were changed",
}
"""The notices that end all sessions of a device (S85, S104)."""
SILENT: Final = "the session has said nothing for too long (transport.sessions.inactivity_timeout)"
SURPLUS: Final = (
    "the device has logged in again, and may have so many sessions (max_concurrent_sessions_per_device): "
    "are its credentials on two devices?"
)
ANSWERS: Final = (MqttPublishAck, MqttSuback, MqttUnsuback, MqttPingresp)


class MqttInterface:
    """The `MqttApplication` of its own sessions. Whoever owns it hands over the notices that the registry has."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._sessions = MqttSessions(SESSION_RULES, self, lambda: "")  # client ids count nowhere
        self._live = LiveSessions(
            registry.settings.session_inactivity_ms * US_PER_MS, registry.settings.sessions_per_device
        )
        self._guard = IpGuard(registry.settings.ip_guard)
        self._provisioning = ProvisionSessions(registry, self._sessions)
        self._devices = DeviceMessages(registry, self._sessions)
        self._gateways = GatewayMessages(registry, self._sessions)
        self._chunks = PackageChunks(registry, self._sessions)
        self._deadlines = (*self._provisioning.deadlines, *self._live.deadlines)
        self._versions: dict[int, MqttVersion] = {}
        """What sessions speak, from their CONNECT on."""
        self._connecting: int | None = None
        """The session whose CONNECT is being answered."""

    # What fronts say

    def opened(self, session: Session, now_us: int) -> Reaction:
        if self._guard.blocks(session.peer, now_us):
            why = f"{session.peer} has logged in wrongly too often: it is blocked for a while (ip_block_timeout)"
            return Reaction([Close(session.id)], why)
        return self._sessions.opened(session, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        live = self._live.get(session.id)
        if isinstance(envelope, MqttPublishAck | MqttAuth) and (live is not None or session.id in self._provisioning):
            return NOTHING  # nothing waits for it, and what nobody has asked for is looked over
        if live is not None:
            live.heard_us = now_us
        if isinstance(envelope, MqttConnect):
            return self._as_generation(self._connect(session, envelope, now_us))
        if isinstance(envelope, MqttSubscribe | MqttUnsubscribe) and self._is_deaf(session.id):
            return Reaction(reason="a session to provision cannot subscribe in this generation, and needs not")
        return self._as_generation(self._sessions.receive(session, envelope, now_us))

    def failed(self, session: Session, envelope: Envelope, reason: str) -> Reaction:
        """The database has failed, and nothing was kept. What needs none is answered all the same."""
        is_v5 = self._versions.get(session.id) is MqttVersion.V5
        is_told = self._registry.traits.has_reason_codes and session.id in self._provisioning
        packets, ends = failure_of(envelope, is_v5=is_v5, provisions=is_told)
        outputs: list[Output] = [Send(session.id, packet) for packet in packets]
        return self._as_generation(Reaction([*outputs, Close(session.id)] if ends else outputs, reason))

    def closed(self, session: Session, now_us: int) -> Reaction:
        live = self._live.get(session.id)
        device = None if live is None else device_by_id(self._registry, live.device_id)
        if device is not None:
            with suppress(TooManyMessages):
                count(self._registry, device, now_us)  # a session that ends is a message too
        self._live.end(session.id)
        self._versions.pop(session.id, None)
        self._provisioning.end(session.id)
        return self._sessions.closed(session, now_us)

    # By itself

    def next_due_us(self) -> int | None:
        """By these rules sessions have no other deadlines: no keep-alive, no wills, nothing kept."""
        return earliest_us(*[deadlines.next_due_us() for deadlines in self._deadlines])

    def advance(self, now_us: int) -> list[Reaction]:
        code = MqttReason.IMPLEMENTATION_SPECIFIC_ERROR
        silent = [self._sessions.end(session, code, SILENT, now_us) for session in self._live.silent(now_us)]
        code = MqttReason.SESSION_TAKEN_OVER
        surplus = [self._sessions.end(session, code, SURPLUS, now_us) for session in self._live.surplus(now_us)]
        reactions = [*self._provisioning.advance(now_us), *silent, *surplus]
        return [self._as_generation(one) for one in reactions if one.outputs]

    def hear(self, notices: Iterable[Notice], now_us: int) -> list[Reaction]:
        """What other interfaces have done to devices: their sessions are told, or end."""
        found = [reaction for notice in notices for reaction in self._hear(notice, now_us)]
        return [self._as_generation(one) for one in found]

    def _hear(self, notice: Notice, now_us: int) -> list[Reaction]:
        if (why := ENDING.get(notice.kind)) is not None:
            code = MqttReason.ADMINISTRATIVE_ACTION
            ended = self._live.of_device(notice.device_id)
            if notice.kind is NoticeKind.DEVICE_DELETED:
                for one in ended:
                    self._guard.failed(one.peer, now_us)
            reactions = [self._sessions.end(one.session, code, why, now_us) for one in ended]
            return [one for one in reactions if one.outputs]
        pushed: list[Output] = []
        for client, push in self._live.pushes(notice):
            pushed += self._sessions.send(client, push, now_us)
        names = [one.name for one in self._live.of_device(notice.device_id)]
        return [Reaction(pushed, device=names[-1])] if pushed else []

    def _connect(self, session: Session, connect: MqttConnect, now_us: int) -> Reaction:
        """What has waited for the CONNECT of a session to provision waits on (`enqueueRegularSessionMsg`).

        No property of a CONNECT is looked at (`processConnect`)."""
        self._connecting = session.id
        self._versions[session.id] = connect.version
        plain = replace(connect, properties=()) if connect.properties else connect
        reaction = self._sessions.receive(session, plain, now_us)
        self._connecting = None
        if session.id not in self._provisioning or len(reaction.outputs) == 1:
            return reaction  # a CONNACK alone
        outputs = [one for one in reaction.outputs if not (isinstance(one, Send) and isinstance(one.envelope, ANSWERS))]
        return replace(reaction, outputs=outputs)

    def _is_deaf(self, session: int) -> bool:
        return not self._registry.traits.acknowledges_provision_subscriptions and session in self._provisioning

    def _as_generation(self, reaction: Reaction) -> Reaction:
        if self._registry.traits.has_reason_codes:
            return reaction
        return replace(reaction, outputs=without_codes(reaction.outputs))

    # MqttApplication

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        """A session that has provisioned once does nothing else, whoever logs in on it later."""
        if wants_to_provision(connect):
            self._provisioning.begin(session.id)
            return LogIn(changed="session to provision")
        found = device_of(self._registry, connect, session, now_us)
        if isinstance(found, Refused):
            self._guard.failed(session.peer, now_us)
            return LogIn(found.code, reason=found.reason)
        self._guard.logged_in(session.peer)
        try:
            count(self._registry, found, now_us)  # a session that opens is a message
        except TooManyMessages as many:
            after = MqttReason.MESSAGE_RATE_TOO_HIGH
            return LogIn(MqttReason.CONNECTION_RATE_EXCEEDED, found.name, reason=str(many), disconnect_code=after)
        self._live.begin(session, found, now_us)
        return LogIn(device=found.name)

    def grant(self, client: ClientState, wanted: Subscription, now_us: int) -> int:
        live = self._live.get(client.session)
        if client.session in self._provisioning or live is None:
            is_offered = wanted.topic_filter == PROVISION_RESPONSE and client.session != self._connecting
        else:
            is_offered = wanted.topic_filter in SUBSCRIBABLE
        return wanted.qos if is_offered else MqttReason.TOPIC_FILTER_INVALID

    def subscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        """From now on it may hear of something unasked."""
        live = self._live.get(client.session)
        if live is not None:
            live.client = client
        return ()

    def unsubscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        live = self._live.get(client.session)
        if client.session in self._provisioning or live is None:
            if client.session == self._connecting:
                return PublishAnswer(is_acknowledged=False, reason="it came before the CONNECT, and is never answered")
            return self._provisioning.published(client, publish, now_us)
        device = device_by_id(self._registry, live.device_id)
        if device is None:
            why = ENDING[NoticeKind.DEVICE_DELETED]
            return PublishAnswer(MqttReason.ADMINISTRATIVE_ACTION, is_acknowledged=False, ends=True, reason=why)
        if publish.topic.startswith(PACKAGES):
            answer = self._packages(client, device, publish, live, now_us)
            if answer is not None:
                return answer
        if not publish.topic.startswith(GATEWAY):
            return self._devices.published(client, device, publish, now_us, is_gateway=live.is_gateway)
        return self._gateways.published(client, device, publish, now_us) if live.is_gateway else SWALLOWED

    def _packages(
        self, client: ClientState, device: Device, publish: MqttPublish, live: LiveSession, now_us: int
    ) -> PublishAnswer | None:
        try:
            return self._chunks.published(client, device, publish, live.downloads, now_us)
        except TooManyMessages as many:
            return too_many(str(many))

    def ended(self, client: ClientState, end: SessionEnd, now_us: int) -> Sequence[Output]:
        return ()
