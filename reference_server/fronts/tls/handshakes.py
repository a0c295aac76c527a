"""What the TLS of a listener asks of the server while peers shake hands, and tells of those that come to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fleetrig.reference_server.fronts.tls.failure import TlsFailure
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane, Trace


class HandshakeJudge(Protocol):
    """The server, as far as handshakes need it (`server.Server`)."""

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        """Which certificate this peer is shown: asked when it begins to speak."""

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        """What becomes of a peer that shows `session.certificates`; None goes on."""


@dataclass(frozen=True, slots=True)
class HandshakeLimits:
    """How long and how many."""

    within_s: float = 60.0
    """From the connection to the end of its handshake; as the standard library's own limit for servers."""
    goodbye_within_s: float = 2.0
    """How long the goodbye of the peer is waited for, after ours."""
    at_once: int = 16_384
    """Handshakes under way. Of more, the oldest is given up: a fleet that comes back is smaller, a flood is not."""


@dataclass(frozen=True, slots=True)
class Handshakes:
    """The parts of a running server that the TLS of its listeners needs."""

    judge: HandshakeJudge
    clock: Clock
    trace: Trace
    on_bug: Callable[[Envelope | None, BaseException], None]
    next_session_id: Callable[[], int]
    limits: HandshakeLimits = HandshakeLimits()

    def shown_certificate(self, session: Session) -> ShownCertificate:
        return self.judge.shown_certificate(session, self.clock.now_us())

    def judged(self, session: Session) -> TlsAlert | None:
        return self.judge.handshake(session, self.clock.now_us())

    def note(self, session: Session, failure: TlsFailure) -> None:
        """Writes into the network lane what ended the TLS of a connection."""
        self.trace.emit(
            self.clock.now_us(), Lane.NETWORK, failure.kind, reason=f"TLS: {failure.why}", name=session.listener,
            session=session.id,
        )  # fmt: skip
