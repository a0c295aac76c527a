"""The server as a function: an envelope in, a delivery out, one transaction each, everything in the trace.

Fronts call `handle` with what came over a socket, virtual time calls it directly. Order of things: faults that keep a
request away, the platform inside its transaction, the commit, then faults that spoil an answer. A lost reply is
therefore always one that was committed.
"""

from __future__ import annotations

from collections.abc import Sequence

from reference_server.faults import FaultPlan, instead, shows_as, spoil
from reference_server.platform import Answer, Platform
from reference_server.stores.interface import Store
from simulator.contract.faults import Fault
from simulator.contract.masking import Secrets
from simulator.contract.trace import Lane, Trace
from simulator.contract.wire import Delivery, HttpRequest, HttpResponse, Session


class Undo(Exception):
    """Leaves a transaction without keeping it."""


class Server:
    """Platforms over one store. Single-threaded: whoever owns it calls it from one thread."""

    def __init__(
        self, platforms: Sequence[Platform], store: Store, faults: FaultPlan, trace: Trace, secrets: Secrets
    ) -> None:
        self.platforms = tuple(platforms)
        self.store = store
        self.faults = faults
        self.trace = trace
        self.secrets = secrets

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        """One request. Never raises for anything that came over the wire."""
        fault = self.faults.before(request, now_us)
        if fault is not None:
            self._tell_fault(request, fault, now_us)
            return instead(fault)
        answer = self._commit(request, session, now_us)
        if self.trace.wanted:
            self._tell(request, answer, now_us)
        delivery = Delivery(answer.response)
        for fault in self.faults.after(request, now_us):
            self._tell_fault(request, fault, now_us)
            delivery = spoil(fault, delivery)
        return delivery

    def next_due_us(self) -> int | None:
        return min((due for p in self.platforms if (due := p.next_due_us()) is not None), default=None)

    def advance(self, now_us: int) -> None:
        """What happens by itself: lapsed windows, auto-assignment, lazy writes."""
        for platform in self.platforms:
            with self.store.transaction():
                platform.advance(now_us)
        self.store.flush()

    def _commit(self, request: HttpRequest, session: Session, now_us: int) -> Answer:
        platform = next((p for p in self.platforms if p.serves(request)), None)
        if platform is None:
            return Answer(HttpResponse(404), reason="no platform of this server has such a path")
        answer: Answer | None = None
        try:
            with self.store.transaction():
                answer = platform.handle(request, session, now_us)
                if answer.rollback:
                    raise Undo
        except Undo:
            pass
        for kind, secret in platform.secrets():
            self.secrets.learn(kind, secret)
        assert answer is not None
        return answer

    def _tell(self, request: HttpRequest, answer: Answer, now_us: int) -> None:
        self.trace.emit(now_us, Lane.SERVER, "received", answer.device, envelope=request)
        kind = "refused" if answer.reason else "answered"
        self.trace.emit(
            now_us,
            Lane.SERVER,
            kind,
            answer.device,
            envelope=answer.response,
            reason=answer.reason,
            name=answer.changed,
        )

    def _tell_fault(self, request: HttpRequest, fault: Fault, now_us: int) -> None:
        ending = shows_as(fault)
        self.trace.emit(now_us, Lane.SERVER, "fault", envelope=request, fault=fault.kind, reason=f"shows as {ending}")
