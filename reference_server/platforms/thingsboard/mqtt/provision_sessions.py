"""Sessions that provision (spec 1.4): one kind of request, its answer on the same connection, and the end after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.mqtt_sessions.application import PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.mqtt_sessions.sessions import MqttSessions
from fleetrig.reference_server.platform import Reaction
from fleetrig.reference_server.platforms.thingsboard.mqtt.refusals import unreadable
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import (
    PROVISION_REQUEST,
    PROVISION_RESPONSE,
    qos_of,
)
from fleetrig.reference_server.platforms.thingsboard.provisioning.answers import json_answer, protobuf_answer
from fleetrig.reference_server.platforms.thingsboard.provisioning.decision import GIVES_UP_AFTER_US, Decision, decide
from fleetrig.reference_server.platforms.thingsboard.provisioning.reading import read_request
from fleetrig.reference_server.platforms.thingsboard.provisioning.request import Undecodable, Unusable
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Output, Send
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttPublishAck, MqttVersion, PublishAckKind

NO_ANSWER: Final = MqttReason.IMPLEMENTATION_SPECIFIC_ERROR


@dataclass(slots=True)
class ProvisionSession:
    speaks_protobuf: bool = False
    """From the first protobuf request on (S93)."""
    has_answered: bool = False
    unanswered: MqttPublishAck | None = None
    """The PUBACK of the first request that gets no decision: with it the server gives up."""


class ProvisionSessions:
    def __init__(self, registry: Registry, sessions: MqttSessions) -> None:
        self._registry = registry
        self._sessions = sessions
        self._known: dict[int, ProvisionSession] = {}
        self._ends = Deadlines[int]()
        """When a session ends since it was answered; it is not put off by later answers (S88)."""
        self._gives_up = Deadlines[int]()
        self.deadlines: Final = (self._ends, self._gives_up)

    def begin(self, session: int) -> None:
        """Harmless for a session that is one already."""
        self._known.setdefault(session, ProvisionSession())

    def end(self, session: int) -> None:
        """Harmless for a session that was none to provision."""
        if self._known.pop(session, None) is not None:
            self._ends.cancel(session)
            self._gives_up.cancel(session)

    def __contains__(self, session: int | None) -> bool:
        return session in self._known

    # What clients say

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        has_codes = self._registry.traits.has_reason_codes
        if publish.topic != PROVISION_REQUEST:
            why = f"a session to provision publishes to {PROVISION_REQUEST} only, got {publish.topic[:200]!r}"
            return PublishAnswer(MqttReason.TOPIC_NAME_INVALID, is_acknowledged=has_codes, ends=True, reason=why)
        try:
            request = read_request(publish.payload, self._registry.traits)
        except Undecodable as bad:
            return unreadable(client, publish, bad.reason, has_codes=has_codes)
        except Unusable as bad:
            return PublishAnswer(NO_ANSWER, is_acknowledged=has_codes, ends=True, reason=bad.reason)
        assert client.session is not None
        session = self._known[client.session]
        session.speaks_protobuf = session.speaks_protobuf or request.is_protobuf
        decision = decide(self._registry, request, now_us)
        if decision.status is None:
            return self._wait(session, client, publish, decision, now_us)
        outputs = self._answer(session, client, decision, now_us)
        device = "" if decision.device is None else decision.device.name
        return PublishAnswer(outputs=outputs, reason=decision.reason, changed=decision.changed, device=device)

    def _answer(self, session: ProvisionSession, client: ClientState, decision: Decision, now_us: int) -> list[Output]:
        traits = self._registry.traits
        payload = protobuf_answer(decision) if session.speaks_protobuf else json_answer(decision, traits)
        if not session.has_answered and traits.closes_after_reply_s is not None and client.session is not None:
            self._ends.put(client.session, now_us + traits.closes_after_reply_s * US_PER_S)
        session.has_answered = True
        publish = MqttPublish(PROVISION_RESPONSE, payload, qos_of(client, PROVISION_RESPONSE))
        return self._sessions.send(client, publish, now_us)

    def _wait(
        self, session: ProvisionSession, client: ClientState, publish: MqttPublish, decision: Decision, now_us: int
    ) -> PublishAnswer:
        """No decision comes: the PUBACK is held back until the server gives up (1.6)."""
        assert client.session is not None
        if session.unanswered is None:
            session.unanswered = _puback(publish.packet_id, client.version)
            self._gives_up.put(client.session, now_us + GIVES_UP_AFTER_US)
        return PublishAnswer(is_acknowledged=False, reason=decision.reason)

    # By themselves

    def advance(self, now_us: int) -> Iterator[Reaction]:
        while (session := self._gives_up.pop_due(now_us)) is not None:
            yield self._give_up(session, now_us)
        while (session := self._ends.pop_due(now_us)) is not None:
            why = f"{self._registry.traits.closes_after_reply_s} s have passed since its first answer"
            yield self._sessions.end(session, 0, why, now_us)  # a bare close for MQTT 5 too (S64)

    def _give_up(self, session: int, now_us: int) -> Reaction:
        """The first request without a decision ends the session, so that none of the others is heard of."""
        ack = self._known[session].unanswered
        is_acknowledged = ack is not None and ack.packet_id and self._registry.traits.has_reason_codes
        end = self._sessions.end(session, NO_ANSWER, "the server gave up: it found no answer to a request", now_us)
        if ack is None or not is_acknowledged or not end.outputs:
            return end
        return Reaction([Send(session, ack), *end.outputs], end.reason, end.device)


def _puback(packet_id: int, version: MqttVersion) -> MqttPublishAck:
    return MqttPublishAck(PublishAckKind.PUBACK, packet_id, NO_ANSWER if version is MqttVersion.V5 else 0)
