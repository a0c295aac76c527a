"""The CoAP adapter as the platform calls it."""

from __future__ import annotations

from collections.abc import Sequence

from fleetrig.reference_server.platform import ACCEPTED, NOTHING, HandshakeAnswer, Reaction
from fleetrig.reference_server.platforms.hono.state.registry import Notice, Registry
from fleetrig.simulator.contract.envelope import Close, Envelope
from fleetrig.simulator.contract.session import Session


class CoapAdapter:
    """Telemetry, events and commands over CoAP."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def judge(self, session: Session, now_us: int) -> HandshakeAnswer:
        return ACCEPTED

    def opened(self, session: Session, now_us: int) -> Reaction:
        return NOTHING

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        return Reaction([Close(session.id)], "the CoAP adapter is not there yet")

    def closed(self, session: Session, now_us: int) -> Reaction:
        return NOTHING

    def failed(self, session: Session, envelope: Envelope, reason: str) -> Reaction:
        return Reaction([Close(session.id)], reason)

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return ()

    def hear(self, notices: Sequence[Notice], now_us: int) -> Sequence[Reaction]:
        return ()
