"""Messages on their way to one client: packet ids, acknowledgements, what waits and what is sent again.

MQTT 3.1.1 and MQTT 5, §4.3 (QoS), §4.4 (delivery again: on a new connection only), §4.6 (order), §4.9 (flow control).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.mqtt_sessions.byte_budget import ByteBudget, size_bytes_of
from fleetrig.reference_server.mqtt_sessions.message_expiry import TimedMessage
from fleetrig.reference_server.mqtt_sessions.reason_codes import REFUSED, MqttReason
from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.mqtt import MqttPacket, MqttPublish, MqttPublishAck, PublishAckKind

PACKET_IDS: Final = 65_535


@dataclass(frozen=True, slots=True)
class SentMessage:
    """Sent and not acknowledged. `is_released`: of QoS 2, the client has said PUBREC and we PUBREL."""

    publish: MqttPublish
    is_released: bool = False


@dataclass(frozen=True, slots=True)
class AckOutcome:
    """What an acknowledgement leads to. `flaw`: it is no answer to what was sent."""

    packets: tuple[MqttPacket, ...] = ()
    flaw: str = ""


class OutgoingMessages:
    """`redelivers` False: everything is sent at once, and nothing kept."""

    __slots__ = ("_again", "_budget", "_last_id", "_limits", "_redelivers", "_sent", "_waiting", "window")

    def __init__(self, limits: SessionLimits, budget: ByteBudget, *, redelivers: bool) -> None:
        self._limits = limits
        self._budget = budget
        self._redelivers = redelivers
        self._last_id = 0
        self._sent: dict[int, SentMessage] = {}
        self._again: list[int] = []
        """Packet ids of what was sent on an earlier connection and has yet to be sent again; as many as `in_flight`."""
        self._waiting: deque[TimedMessage] | None = None
        """Made when it is needed: it takes more than all the rest together."""
        self.window = limits.in_flight.most
        """How many may be unacknowledged: ours, or the client's receive maximum (MQTT 5 §3.1.2.11.3)."""

    @property
    def kept(self) -> int:
        """How many messages are kept for the client."""
        return len(self._sent) + len(self._waiting or ())

    def put(self, message: TimedMessage, now_us: int, *, is_connected: bool) -> tuple[list[MqttPacket], Bound | None]:
        """What to send now, and the bound that has made the message go lost, if one has."""
        publish = message.publish
        if publish.qos == 0:
            return ([_unnumbered(publish)] if is_connected else []), None
        if not self._redelivers:
            return ([self._numbered(publish)] if is_connected else []), None
        if self.kept >= self._limits.waiting_messages.most:
            return [], self._limits.waiting_messages
        if (bound := self._budget.take(size_bytes_of(publish))) is not None:
            return [], bound
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)
        return (list(self._next(now_us)) if is_connected else []), None

    def resume(self, window: int, now_us: int) -> list[MqttPacket]:
        """A new connection: everything unacknowledged again, in its order, then what has waited."""
        self.window = min(window, self._limits.in_flight.most)
        self._again = list(self._sent)
        return list(self._next(now_us))

    def acknowledge(self, ack: MqttPublishAck, now_us: int) -> AckOutcome:
        """PUBACK, PUBREC or PUBCOMP of the client."""
        if not self._redelivers:
            return AckOutcome()
        sent = self._sent.get(ack.packet_id)
        match ack.kind, sent:
            case PublishAckKind.PUBREC, None:
                return AckOutcome((_pubrel(ack.packet_id, MqttReason.PACKET_IDENTIFIER_NOT_FOUND),))
            case _, None:
                return AckOutcome()  # a second acknowledgement is harmless
            case PublishAckKind.PUBACK, SentMessage(publish) if publish.qos == 1:
                return self._done(ack.packet_id, now_us)
            case PublishAckKind.PUBCOMP, SentMessage(publish, True):
                return self._done(ack.packet_id, now_us)
            case PublishAckKind.PUBREC, SentMessage(publish) if publish.qos == 2:
                if ack.code >= REFUSED:
                    return self._done(ack.packet_id, now_us)
                self._sent[ack.packet_id] = SentMessage(publish, is_released=True)
                return AckOutcome((_pubrel(ack.packet_id),))
            case _:
                return AckOutcome(flaw=f"{ack.kind.name} is no answer to the message {ack.packet_id}")

    def clear(self) -> None:
        """Forgets everything; the budget is the owner's to give back."""
        self._sent.clear()
        self._again.clear()
        self._waiting = None

    def _done(self, packet_id: int, now_us: int) -> AckOutcome:
        self._budget.give_back(size_bytes_of(self._sent.pop(packet_id).publish))
        if packet_id in self._again:
            self._again.remove(packet_id)
        return AckOutcome(tuple(self._next(now_us)))

    def _next(self, now_us: int) -> Iterator[MqttPacket]:
        """Sends what waits, as far as the window allows."""
        while self._again and len(self._sent) - len(self._again) < self.window:
            packet_id = self._again.pop(0)
            yield _sent_again(packet_id, self._sent[packet_id])
        while self._waiting and len(self._sent) < self.window:
            message = self._waiting.popleft()
            if message.is_over(now_us):
                self._budget.give_back(size_bytes_of(message.publish))
                continue
            publish = self._numbered(message.as_of(now_us))
            self._sent[publish.packet_id] = SentMessage(publish)
            yield publish

    def _numbered(self, publish: MqttPublish) -> MqttPublish:
        packet_id = self._last_id % PACKET_IDS + 1
        while packet_id in self._sent:
            packet_id = packet_id % PACKET_IDS + 1
        self._last_id = packet_id
        return replace(publish, packet_id=packet_id, dup=False)


def _unnumbered(publish: MqttPublish) -> MqttPublish:
    return replace(publish, packet_id=0, dup=False) if publish.packet_id or publish.dup else publish


def _sent_again(packet_id: int, sent: SentMessage) -> MqttPacket:
    return _pubrel(packet_id) if sent.is_released else replace(sent.publish, dup=True)


def _pubrel(packet_id: int, code: int = 0) -> MqttPublishAck:
    return MqttPublishAck(PublishAckKind.PUBREL, packet_id, code)
