"""The MQTT adapter as one: sessions by its rules, and what it decides about clients and their messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import LogIn, PublishAnswer, SessionEnd
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.platforms.hono.commands.router import CommandRouter
from fleetrig.reference_server.platforms.hono.mqtt.command_delivery import CommandDelivery
from fleetrig.reference_server.platforms.hono.mqtt.connecting import Connecting
from fleetrig.reference_server.platforms.hono.mqtt.failures import failure_of
from fleetrig.reference_server.platforms.hono.mqtt.live_connections import LiveConnection, LiveConnections
from fleetrig.reference_server.platforms.hono.mqtt.publishing import Publishing
from fleetrig.reference_server.platforms.hono.mqtt.session_rules import SESSION_RULES
from fleetrig.reference_server.platforms.hono.mqtt.subscribing import Subscribing
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import MQTT
from fleetrig.reference_server.platforms.hono.state.registry import Notice, NoticeKind, Registry
from fleetrig.simulator.contract.clock import earliest_us
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable

ENDING: Final = {
    NoticeKind.DEVICE_DELETED: "the device was deleted",
    NoticeKind.DEVICE_DISABLED: "the device was disabled",
    NoticeKind.TENANT_DELETED: "the tenant was deleted",
    NoticeKind.TENANT_DISABLED: "the tenant was disabled",
}
"""The notices that end connections (A45, A46, A53)."""
EXPIRED: Final = "the token that the device has signed in with has expired"
NO_MQTT_5: Final = Undecodable(Flaw.UNKNOWN_VERSION, "this generation does not speak MQTT 5")
UNASKED: Final = "no client sends this: nothing comes of it"


class MqttAdapter:
    """The `MqttApplication` of its own sessions. Whoever owns it hands over the notices that the registry has."""

    def __init__(self, registry: Registry, router: CommandRouter) -> None:
        self._registry = registry
        self._router = router
        self._sessions = MqttSessions(SESSION_RULES, self, lambda: "")  # client ids count nowhere
        self._connections = LiveConnections()
        self._connecting = Connecting(registry, self._connections)
        self._publishing = Publishing(registry, router, self._sessions)
        self._subscribing = Subscribing(registry, router)
        self._delivery = CommandDelivery(registry, self._sessions, self._connections)

    # What fronts say

    def opened(self, session: Session, now_us: int) -> Reaction:
        return self._sessions.opened(session, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        match envelope:
            case MqttConnect():
                return self._connect(session, envelope, now_us)
            case MqttConnack() | MqttSuback() | MqttUnsuback() | MqttPingresp() | MqttAuth():
                return Reaction(reason=UNASKED)
            case MqttSubscribe() | MqttUnsubscribe() | MqttPublishAck():
                client = self._sessions.heard(session.id, now_us)
                live = self._connections.get(session.id)
                if client is not None and live is not None:
                    live.client = client
                    return self._said(live, client, envelope, now_us)
        return self._sessions.receive(session, envelope, now_us)

    def failed(self, session: Session, envelope: Envelope, reason: str) -> Reaction:
        """The registry has failed, and nothing was kept."""
        packets, ends = failure_of(envelope)
        outputs: list[Output] = [Send(session.id, packet) for packet in packets]
        return Reaction([*outputs, Close(session.id)] if ends else outputs, reason)

    def closed(self, session: Session, now_us: int) -> Reaction:
        live = self._connections.end(session.id)
        if live is not None:
            self._subscribing.end_all(live, now_us, is_announced=True)
            self._connecting.ended(live, now_us)
        return self._sessions.closed(session, now_us)

    # By itself

    def next_due_us(self) -> int | None:
        return earliest_us(self._sessions.next_due_us(), self._delivery.next_due_us())

    def advance(self, now_us: int) -> list[Reaction]:
        return [*self._sessions.advance(now_us), *self._delivery.advance(now_us)]

    def hear(self, notices: Iterable[Notice], now_us: int) -> list[Reaction]:
        """Connections end with what they stand for; commands go out."""
        ended = [reaction for notice in notices for reaction in self._hear(notice, now_us)]
        delivered = [self._delivery.deliver(routed, now_us) for routed in self._router.take(MQTT)]
        return [*ended, *delivered]

    def _hear(self, notice: Notice, now_us: int) -> list[Reaction]:
        why = ENDING.get(notice.kind)
        if why is None or not self._registry.traits.closes_connections:
            return []
        ended = []
        for live in self._connections.of(notice.tenant_id, notice.device_id):
            self._subscribing.end_all(live, now_us, is_announced=False)
            ended.append(self._sessions.end(live.session, MqttReason.ADMINISTRATIVE_ACTION, why, now_us))
        return [reaction for reaction in ended if reaction.outputs]

    def _connect(self, session: Session, connect: MqttConnect, now_us: int) -> Reaction:
        """None of its properties is looked at. The answer takes as long as the registry does."""
        if connect.version is MqttVersion.V5 and not self._registry.traits.speaks_mqtt_5:
            return self._sessions.receive(session, NO_MQTT_5, now_us)
        plain = replace(connect, properties=()) if connect.properties else connect
        reaction = self._sessions.receive(session, plain, now_us)
        took_us = self._connecting.take_took_us()
        if not took_us:
            return reaction
        later = [replace(one, delay_us=took_us) for one in reaction.outputs if isinstance(one, Send | Close)]
        return replace(reaction, outputs=later)

    def _said(
        self,
        live: LiveConnection,
        client: ClientState,
        packet: MqttSubscribe | MqttUnsubscribe | MqttPublishAck,
        now_us: int,
    ) -> Reaction:
        """What the rules of sessions do not decide."""
        if isinstance(packet, MqttPublishAck) and packet.kind is not PublishAckKind.PUBACK:
            return NOTHING  # there is no QoS 2 here
        if live.has_expired(now_us):
            return self._sessions.end(live.session, MqttReason.NOT_AUTHORIZED, EXPIRED, now_us)
        match packet:
            case MqttSubscribe():
                return self._subscribing.subscribe(live, packet, now_us)
            case MqttUnsubscribe():
                return self._subscribing.unsubscribe(live, client, packet, now_us)
            case MqttPublishAck():
                self._delivery.acknowledged(live.session, packet.packet_id)
                return NOTHING

    # MqttApplication

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        return self._connecting.log_in(connect, session, now_us)

    def grant(self, client: ClientState, wanted: Subscription, now_us: int) -> int:
        return MqttReason.UNSPECIFIED_ERROR  # `_said` takes all that come

    def subscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def unsubscribed(self, client: ClientState, topic_filters: Sequence[str], now_us: int) -> Sequence[Output]:
        return ()

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        live = self._connections.get(client.session)
        if live is None:
            return PublishAnswer(is_acknowledged=False, ends=True, reason="its connection has ended")
        return self._publishing.published(live, client, publish, now_us)

    def ended(self, client: ClientState, end: SessionEnd, now_us: int) -> Sequence[Output]:
        return ()
