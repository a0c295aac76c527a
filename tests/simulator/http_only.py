"""A handler of HTTP requests as a server of virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetrig.simulator.contract.delivery import Delivery, Ending, HttpHandler
from fleetrig.simulator.contract.envelope import Close, Envelope, Output
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session


@dataclass(frozen=True)
class HttpOnly:
    """Nobody listens for anything else, and nothing happens by itself."""

    handler: HttpHandler

    def exchange(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        return self.handler(request, session, now_us)

    def left(self, held_id: int, now_us: int) -> None:
        raise AssertionError("nothing is held here")

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        return ShownCertificate.OWN

    def psk(self, session: Session, now_us: int) -> bytes | None:
        return None

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        return None

    def opened(self, session: Session, now_us: int) -> Sequence[Output]:
        return (Close(session.id, Ending.REFUSED),)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Sequence[Output]:
        return ()

    def closed(self, session: Session, now_us: int) -> Sequence[Output]:
        return ()

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Output]:
        return ()
