"""The server as a function: an envelope in, a delivery out, one transaction each, everything in the trace.

Fronts call `handle` with what came over a socket, virtual time calls it directly. Order of things: faults that keep a
request away, the platform inside its transaction, the commit, then faults that spoil an answer. A lost reply is
therefore always one that was committed. In the trace: `received`, a `fault` for each that bites, `answered` or
`refused` as the platform had it, and `delivered` when faults have made something else of that.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetrig.reference_server.faults import FaultPlan, in_words, instead, seen_through, spoil
from fleetrig.reference_server.platform import Answer, Platform
from fleetrig.reference_server.stores.interface import Store
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane, Trace


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
        faults, seen = self.faults, request
        spoilers: Sequence[Fault] = ()
        if not faults.is_idle:
            if (fault := faults.before(request, now_us)) is not None:
                return self._keep_away(fault, request, session, now_us)
            spoilers = faults.after(request, now_us)
            seen = seen_through(spoilers, faults.homeward(request))
        answer = self._commit(seen, session, now_us)
        delivery = Delivery(answer.response)
        for fault in spoilers:
            delivery = spoil(fault, seen, delivery)
        if self.trace.wanted:
            self.trace.emit(now_us, Lane.SERVER, "received", answer.device, envelope=request, reason=session.peer)
            self._tell(request, answer, spoilers, delivery, now_us)
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
        for platform in self.platforms:
            if platform.serves(request):
                break
        else:
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

    def _keep_away(self, fault: Fault, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        delivery = instead(fault, request)
        if self.trace.wanted:
            self.trace.emit(now_us, Lane.SERVER, "received", envelope=request, reason=session.peer)
            self._tell_fault(request, fault, now_us)
            self._tell_delivered(delivery, "", now_us)
        return delivery

    def _tell(
        self, request: HttpRequest, answer: Answer, spoilers: Sequence[Fault], delivery: Delivery, now_us: int
    ) -> None:
        """Faults stand before the answer that they spoil, so that a reader knows that it did not arrive like that."""
        for fault in spoilers:
            self._tell_fault(request, fault, now_us)
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
        if spoilers:
            self._tell_delivered(delivery, answer.device, now_us)

    def _tell_fault(self, request: HttpRequest, fault: Fault, now_us: int) -> None:
        self.trace.emit(now_us, Lane.SERVER, "fault", envelope=request, fault=fault.kind, reason=in_words(fault))

    def _tell_delivered(self, delivery: Delivery, device: str, now_us: int) -> None:
        """What the faults have made of an answer; the reason says how it ends when it does not arrive whole."""
        ending = "" if delivery.ending is Ending.WHOLE else str(delivery.ending)
        self.trace.emit(now_us, Lane.SERVER, "delivered", device, envelope=delivery.response, reason=ending)
