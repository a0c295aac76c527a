"""One platform as a conversation: each envelope in a transaction of its own, everything in the trace.

Fronts and the links of virtual time call it. Order of things: faults that block a request, the platform inside its
transaction, the commit, then faults that distort an answer. A lost reply is therefore always one that was committed.
In the trace: `received`, a `fault` for each that bites, `answered` or `refused` as the platform had it, and `delivered`
when faults have made something else of that.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleetrig.reference_server.faults import FaultPlan, describe, distort, filter_request, replacement
from fleetrig.reference_server.platform import HttpAnswer, HttpPlatform, Platform
from fleetrig.reference_server.stores.interface import Store
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import Output
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane, Trace


class Rollback(Exception):
    """Leaves a transaction without keeping it."""


class Server:
    """A platform over a store that it may share with others. Single-threaded: its owner calls it from one thread."""

    def __init__(self, platform: Platform, store: Store, faults: FaultPlan, trace: Trace, secrets: Secrets) -> None:
        self.platform = platform
        self.store = store
        self.faults = faults
        self.trace = trace
        self.secrets = secrets
        self._http = platform if isinstance(platform, HttpPlatform) else None

    def exchange(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        """One HTTP request. Never raises for anything that came over the wire."""
        faults, seen = self.faults, request
        distorting: Sequence[Fault] = ()
        if not faults.is_idle:
            if (fault := faults.blocking(request, now_us)) is not None:
                return self._short_circuit(fault, request, session, now_us)
            distorting = faults.distorting(request, now_us)
            seen = filter_request(distorting, faults.original_request(request))
        answer = self._commit(seen, session, now_us)
        delivery = Delivery(answer.response)
        for fault in distorting:
            delivery = distort(fault, seen, delivery)
        if self.trace.wanted:
            device, peer = answer.device, session.peer
            self.trace.emit(now_us, Lane.SERVER, "received", device, envelope=request, reason=peer, session=session.id)
            self._trace_answer(request, answer, distorting, delivery, session.id, now_us)
        return delivery

    def next_due_us(self) -> int | None:
        return self.platform.next_due_us()

    def advance(self, now_us: int) -> Sequence[Output]:
        """What happens by itself: lapsed windows, auto-assignment, lazy writes, pushes."""
        with self.store.transaction():
            reactions = self.platform.advance(now_us)
        self.store.flush()
        return [output for reaction in reactions for output in reaction.outputs]

    def _commit(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer:
        if self._http is None:
            raise ModelError(f"the platform {self.platform.name} speaks no HTTP")
        answer: HttpAnswer | None = None
        try:
            with self.store.transaction():
                answer = self._http.handle(request, session, now_us)
                if answer.rollback:
                    raise Rollback
        except Rollback:
            pass
        for kind, secret in self.platform.secrets():
            self.secrets.learn(kind, secret)
        assert answer is not None
        return answer

    def _short_circuit(self, fault: Fault, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        delivery = replacement(fault, request)
        if self.trace.wanted:
            self.trace.emit(now_us, Lane.SERVER, "received", envelope=request, reason=session.peer, session=session.id)
            self._trace_fault(request, fault, session.id, now_us)
            self._trace_delivered(delivery, "", session.id, now_us)
        return delivery

    def _trace_answer(
        self, request: HttpRequest, answer: HttpAnswer, distorting: Sequence[Fault], delivery: Delivery,
        session: int, now_us: int,
    ) -> None:  # fmt: skip
        """Faults stand before the answer that they distort: a reader then knows that it did not arrive like that."""
        for fault in distorting:
            self._trace_fault(request, fault, session, now_us)
        self.trace.emit(
            now_us,
            Lane.SERVER,
            "refused" if answer.reason else "answered",
            answer.device,
            envelope=answer.response,
            reason=answer.reason,
            name=answer.changed,
            session=session,
        )
        if distorting:
            self._trace_delivered(delivery, answer.device, session, now_us)

    def _trace_fault(self, request: HttpRequest, fault: Fault, session: int, now_us: int) -> None:
        what = describe(fault)
        self.trace.emit(now_us, Lane.SERVER, "fault", envelope=request, fault=fault.kind, reason=what, session=session)

    def _trace_delivered(self, delivery: Delivery, device: str, session: int, now_us: int) -> None:
        """What the faults have made of an answer; the reason says how it ends when it does not arrive whole."""
        ending = "" if delivery.ending is Ending.WHOLE else str(delivery.ending)
        self.trace.emit(
            now_us, Lane.SERVER, "delivered", device, envelope=delivery.response, reason=ending, session=session
        )
