"""A server of virtual time that does what a test says, and records what reaches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import Envelope, Output
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session

Answers = Callable[[Session, Envelope], Sequence[Output]]


class ScriptedServer:
    """A `Conversation`. `told` has (microsecond, session, what happened) in order."""

    def __init__(self, answers: Answers = lambda session, envelope: (), opens: Sequence[Output] = ()) -> None:
        self.told: list[tuple[int, int, str]] = []
        self.acts: list[tuple[int, Sequence[Output]]] = []
        """What it does by itself, and when."""
        self.says_goodbye: Sequence[Output] = ()
        self._answers = answers
        self._opens = opens

    def exchange(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        self.told.append((now_us, session.id, request.line))
        for output in self._answers(session, request):
            self.acts.append((now_us, [output]))
        return Delivery(HttpResponse(200))

    def left(self, held_id: int, now_us: int) -> None:
        self.told.append((now_us, 0, f"left {held_id}"))

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        return ShownCertificate.OWN

    def psk(self, session: Session, now_us: int) -> bytes | None:
        return None

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        return None

    def opened(self, session: Session, now_us: int) -> Sequence[Output]:
        self.told.append((now_us, session.id, f"opened {session.listener}"))
        return self._opens

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Sequence[Output]:
        self.told.append((now_us, session.id, envelope.line))
        return self._answers(session, envelope)

    def closed(self, session: Session, now_us: int) -> Sequence[Output]:
        self.told.append((now_us, session.id, "closed"))
        return self.says_goodbye

    def next_due_us(self) -> int | None:
        return min((at_us for at_us, _ in self.acts), default=None)

    def advance(self, now_us: int) -> Sequence[Output]:
        self.told.append((now_us, 0, "advanced"))
        due = [outputs for at_us, outputs in self.acts if at_us <= now_us]
        self.acts = [act for act in self.acts if act[0] > now_us]
        return [output for outputs in due for output in outputs]
