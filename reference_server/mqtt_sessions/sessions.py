"""All MQTT sessions of a platform: it hands over what its fronts say, and gets reactions by its own rules.

A platform makes one of these with its `SessionRules`, and is the `MqttApplication` that is asked about single clients
and messages. Nothing here knows sockets, clocks or chance; nothing that comes in raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import MqttApplication, PublishAnswer
from fleetrig.reference_server.mqtt_sessions.byte_budget import MESSAGE_BYTES, ByteBudget
from fleetrig.reference_server.mqtt_sessions.client_state import ClientConnection, ClientState, HeldPackets
from fleetrig.reference_server.mqtt_sessions.lifecycle import SessionLifecycle
from fleetrig.reference_server.mqtt_sessions.message_flow import MessageFlow
from fleetrig.reference_server.mqtt_sessions.packet_table import Step, step_of
from fleetrig.reference_server.mqtt_sessions.reaction_draft import ReactionDraft
from fleetrig.reference_server.mqtt_sessions.reason_codes import UNACCEPTABLE_PROTOCOL_VERSION, MqttReason
from fleetrig.reference_server.mqtt_sessions.session_rules import SessionRules, UnknownLevel
from fleetrig.reference_server.mqtt_sessions.violation import Violation
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
)
from fleetrig.simulator.contract.mqtt_size import packet_bytes_of
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable

LEVEL_CONNACKS: Final = {
    UnknownLevel.CONNACK_V3: MqttConnack(UNACCEPTABLE_PROTOCOL_VERSION),
    UnknownLevel.CONNACK_V5: MqttConnack(MqttReason.UNSUPPORTED_PROTOCOL_VERSION),
}


class MqttSessions:
    """`new_client_id` names clients that do not name themselves, where ids count; no id comes twice."""

    def __init__(self, rules: SessionRules, application: MqttApplication, new_client_id: Callable[[], str]) -> None:
        self.rules = rules
        self._strangers = ByteBudget(rules.limits.all_held_bytes)
        self._flow = MessageFlow(rules, application)
        self._life = SessionLifecycle(rules, application, self._flow, new_client_id)

    # What fronts say

    def opened(self, session: Session, now_us: int) -> Reaction:
        self._life.open(session.id, now_us)
        return NOTHING

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        connection = self._life.connections.get(session.id)
        if connection is None:
            return NOTHING
        connection.heard_us = now_us
        draft = ReactionDraft(connection.device)
        self._step(connection, envelope, session, draft, now_us)
        connection.device = draft.device
        return draft.reaction()

    def closed(self, session: Session, now_us: int) -> Reaction:
        draft = ReactionDraft()
        self._life.closed(session.id, draft, now_us)
        return draft.reaction()

    # By itself

    def next_due_us(self) -> int | None:
        return self._life.next_due_us()

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return [draft.reaction() for draft in self._life.advance(now_us) if draft.says_something]

    @property
    def held_bytes(self) -> int:
        """What messages, wills and subscriptions of all sessions take, about."""
        return self._life.held_bytes

    # What platforms say

    def route(self, publish: MqttPublish, now_us: int, publisher: ClientState | None = None) -> PublishAnswer:
        """A message to everybody who has subscribed to its topic. `publisher`: its sender, for `no_local`."""
        return self._flow.route(publish, now_us, publisher)

    def send(self, client: ClientState, publish: MqttPublish, now_us: int) -> list[Output]:
        """A message to one client, whatever it has subscribed to."""
        return self._flow.send(client, publish, now_us)

    def end(self, session: int, code: int, reason: str, now_us: int) -> Reaction:
        """The platform ends a connection of its own accord; harmless for one that has ended."""
        connection = self._life.connections.get(session)
        if connection is None or connection.client is None:
            return NOTHING
        draft = ReactionDraft(connection.device)
        self._life.end(connection, Violation(code, reason), draft, now_us)
        return draft.reaction()

    def heard(self, session: int, now_us: int) -> ClientState | None:
        """A packet has come that the platform answers by itself: the client that it is from, if one is connected."""
        connection = self._life.connections.get(session)
        if connection is None or connection.client is None:
            return None
        connection.heard_us = now_us
        return connection.client

    def _step(
        self, connection: ClientConnection, envelope: Envelope, session: Session, draft: ReactionDraft, now_us: int
    ) -> None:
        step = step_of(connection.state, envelope, self.rules)
        match step, envelope:
            case Step.LOG_IN | Step.LOG_IN_AGAIN, MqttConnect():
                if step is Step.LOG_IN_AGAIN:
                    self._life.log_in_again(connection, draft, now_us)
                self._life.log_in(connection, envelope, session, draft, now_us)
                self._let_in_held(connection, session, draft, now_us)
            case Step.IGNORE, _:
                pass
            case Step.HOLD, _:
                self._hold(connection, envelope, draft, now_us)
            case Step.LEAVE, MqttDisconnect():
                self._life.leave(connection, envelope, draft, now_us)
            case Step.BROKEN, Undecodable():
                self._broken(connection, envelope, draft, now_us)
            case _:
                violation = self._talk(connection, step, envelope, draft, now_us)
                if violation is not None:
                    self._life.end(connection, violation, draft, now_us)

    def _talk(
        self, connection: ClientConnection, step: Step, envelope: Envelope, draft: ReactionDraft, now_us: int
    ) -> Violation | None:
        """What a connected client says; everything else is against the protocol."""
        client = connection.client
        match envelope:
            case MqttPublish() if step is Step.RECEIVE and client is not None:
                return self._flow.receive(client, envelope, draft, now_us)
            case MqttPublishAck() if step is Step.ACKNOWLEDGED and client is not None:
                return self._flow.acknowledged(client, envelope, draft, now_us)
            case MqttSubscribe() if step is Step.SUBSCRIBE and client is not None:
                return self._flow.subscribe(client, envelope, draft, now_us)
            case MqttUnsubscribe() if step is Step.UNSUBSCRIBE and client is not None:
                self._flow.unsubscribe(client, envelope, draft, now_us)
                return None
            case _ if step is Step.PING:
                draft.send(connection.session, [MqttPingresp()])
                return None
            case _:
                return Violation(MqttReason.PROTOCOL_ERROR, f"{_name_of(envelope)}: {step.removeprefix('end: ')}")

    # Before a CONNECT

    def _hold(self, connection: ClientConnection, envelope: Envelope, draft: ReactionDraft, now_us: int) -> None:
        limits = self.rules.limits
        held = connection.held = connection.held or HeldPackets(ByteBudget(limits.held_bytes, self._strangers))
        bound = _exceeded(limits.held_packets, len(held.packets) + 1) or held.budget.take(_held_bytes(envelope))
        if bound is not None:
            self._life.end(connection, Violation(MqttReason.QUOTA_EXCEEDED, f"expected {bound}"), draft, now_us)
        else:
            held.packets.append(envelope)

    def _let_in_held(self, connection: ClientConnection, session: Session, draft: ReactionDraft, now_us: int) -> None:
        for envelope in connection.drop_held():
            self._step(connection, envelope, session, draft, now_us)

    def _broken(self, connection: ClientConnection, broken: Undecodable, draft: ReactionDraft, now_us: int) -> None:
        why = f"{broken.flaw}: {broken.why}"
        connack = LEVEL_CONNACKS.get(self.rules.unknown_level)
        if broken.flaw is Flaw.UNKNOWN_VERSION and connection.client is None and connack is not None:
            self._life.refuse_level(connection, connack, why, draft)
        else:
            self._life.end(connection, Violation(self.rules.flaw_codes[broken.flaw], why), draft, now_us)


def _exceeded(bound: Bound, size: int) -> Bound | None:
    return bound if size > bound.most else None


def _held_bytes(envelope: Envelope) -> int:
    return MESSAGE_BYTES + packet_bytes_of(envelope)


def _name_of(envelope: Envelope) -> str:
    return envelope.line.partition(" ")[0]
