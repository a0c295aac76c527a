"""A broker of virtual time for one device: it answers as any broker does, gives a device its own messages back, and
says besides what a recording has it say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    PublishAckKind,
)
from fleetrig.simulator.contract.session import Session

OPENED: Final = "TCP"
CLOSED: Final = "CLOSE"

Heard = MqttPacket | str
"""A packet, or OPENED, or CLOSED."""


@dataclass
class RecordedBroker:
    """A `Conversation`."""

    control: str
    """The beginning of all control topics of the device."""
    heard: list[tuple[int, Heard]] = field(default_factory=list)
    """What has come from the device, and when, in microseconds."""
    withholds: set[str] = field(default_factory=set)
    """Topics, or their beginnings, whose messages are not acknowledged."""
    connack: int | None = 0
    """None: CONNECT is not answered."""
    drops_after_us: int | None = None
    """So long after its CONNECT a session is ended."""
    plan: list[tuple[int, MqttPublish | str]] = field(default_factory=list)
    """What it says by itself, and when."""
    problems: list[str] = field(default_factory=list)
    session: int = 0
    is_subscribed: bool = False
    is_leaving: bool = False
    _last_packet_id: int = 0
    _outstanding: set[int] = field(default_factory=set)

    # What a recording asks

    def say(self, at_us: int, what: MqttPublish | str) -> None:
        self.plan.append((at_us, what))
        self.plan.sort(key=lambda one: one[0])

    def all_problems(self) -> list[str]:
        """Whatever the device has done that no client may do."""
        missing = [f"no PUBACK of {packet_id}" for packet_id in sorted(self._outstanding)]
        return [*self.problems, *missing]

    # A conversation

    def exchange(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        return Delivery(HttpResponse(404))

    def left(self, held_id: int, now_us: int) -> None:
        """It holds nothing."""

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        return ShownCertificate.OWN

    def psk(self, session: Session, now_us: int) -> bytes | None:
        return None

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        return None

    def opened(self, session: Session, now_us: int) -> Sequence[Output]:
        self.heard.append((now_us, OPENED))
        self.session, self.is_subscribed, self.is_leaving = session.id, False, False
        self._outstanding.clear()
        return ()

    def closed(self, session: Session, now_us: int) -> Sequence[Output]:
        if session.id == self.session:
            self.heard.append((now_us, CLOSED))
            self.session = 0
        return ()

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Sequence[Output]:
        if isinstance(envelope, MqttPingreq):
            return [Send(session.id, MqttPingresp())]
        assert not isinstance(envelope, HttpRequest | HttpResponse), envelope
        self.heard.append((now_us, envelope))  # type: ignore[arg-type]
        match envelope:
            case MqttConnect():
                if self.drops_after_us is not None:
                    self.say(now_us + self.drops_after_us, CLOSED)
                return [] if self.connack is None else [Send(session.id, MqttConnack(self.connack))]
            case MqttSubscribe():
                self.is_subscribed = True
                return [Send(session.id, MqttSuback(envelope.packet_id, tuple(w.qos for w in envelope.subscriptions)))]
            case MqttUnsubscribe():
                return [Send(session.id, MqttUnsuback(envelope.packet_id))]
            case MqttPublish():
                return self._published(session.id, envelope)
            case MqttPublishAck(PublishAckKind.PUBACK, packet_id):
                if packet_id not in self._outstanding:
                    self.problems.append(f"PUBACK of {packet_id}, which nobody has sent")
                self._outstanding.discard(packet_id)
                return ()
            case MqttDisconnect():
                self.is_leaving = True
                return [Close(session.id, Ending.CLOSED)]
            case other:
                self.problems.append(f"a gateway has said {other}")
                return ()

    def _published(self, session: int, publish: MqttPublish) -> list[Output]:
        said: list[Output] = []
        if publish.qos and not any(publish.topic.startswith(topic) for topic in self.withholds):
            said.append(Send(session, MqttPublishAck(PublishAckKind.PUBACK, publish.packet_id)))
        if self.is_subscribed and publish.topic.startswith(self.control):
            said.append(Send(session, self._numbered(MqttPublish(publish.topic, publish.payload, publish.qos))))
        return said

    def _numbered(self, publish: MqttPublish) -> MqttPublish:
        if publish.qos == 0:
            return publish
        self._last_packet_id += 1
        self._outstanding.add(self._last_packet_id)
        return MqttPublish(publish.topic, publish.payload, publish.qos, packet_id=self._last_packet_id)

    def next_due_us(self) -> int | None:
        return self.plan[0][0] if self.plan else None

    def advance(self, now_us: int) -> Sequence[Output]:
        said: list[Output] = []
        while self.plan and self.plan[0][0] <= now_us:
            _, what = self.plan.pop(0)
            if not self.session:
                continue
            if isinstance(what, MqttPublish):
                said.append(Send(self.session, self._numbered(what)))
            else:
                said.append(Close(self.session, Ending.RESET))
        return said
