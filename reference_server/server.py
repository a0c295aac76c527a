"""One platform as a conversation: each envelope in a transaction of its own, everything in the trace.

Fronts and the links of virtual time call it. Order of things: faults that block what came, the platform inside its
transaction, the commit, then faults that distort what it says. A lost reply is therefore always one that was committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from fleetrig.reference_server.capacity import take_turn
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.held_requests import HeldRequests
from fleetrig.reference_server.http_faults import HttpFaults, distort, filter_request, replacement
from fleetrig.reference_server.northbound import FaultyOutlet, NorthboundPlatform, gives_up_after_us
from fleetrig.reference_server.platform import (
    ACCEPTED,
    FailurePlatform,
    HandshakeAnswer,
    HandshakePlatform,
    HeldRequest,
    HoldingPlatform,
    HttpAnswer,
    HttpPlatform,
    MemoryAdvancingPlatform,
    Reaction,
    ServerPlatform,
    SessionPlatform,
)
from fleetrig.reference_server.server_lane import ServerLane
from fleetrig.reference_server.session_fault_outputs import blocked_reply
from fleetrig.reference_server.session_faults import Blocked, SessionFaults
from fleetrig.reference_server.slow_store import given_up, late_outputs, slowed
from fleetrig.reference_server.stores.interface import Store, StoreFailed
from fleetrig.simulator.contract.clock import earliest_us
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, LateAnswer, Output
from fleetrig.simulator.contract.errors import ModelError, broken_environment
from fleetrig.simulator.contract.faults import Fault
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace

UNASKED = 0
"""In place of a session id: the server acts by itself."""


A = TypeVar("A", Reaction, HandshakeAnswer)
P = ParamSpec("P")


class Rollback(Exception):
    """Leaves a transaction and rolls it back."""


class Server:
    """A platform over a store that it may share with others. Single-threaded: its owner calls it from one thread.

    Raises ModelError when it is used for what its platform does not speak; never for what came over the wire.
    """

    def __init__(
        self,
        platform: ServerPlatform,
        store: Store,
        faults: FaultPlan,
        trace: Trace,
        secrets: Secrets,
        on_failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """`on_failed` is told when the store or the machine fails; whoever asked gets the platform's 500."""
        self.platform = platform
        self.store = store
        self.faults = faults
        self.trace = trace
        self.secrets = secrets
        self._http = platform if isinstance(platform, HttpPlatform) else None
        self._sessions = platform if isinstance(platform, SessionPlatform) else None
        self._handshakes = platform if isinstance(platform, HandshakePlatform) else None
        self._in_memory = platform if isinstance(platform, MemoryAdvancingPlatform) else None
        self._holding = platform if isinstance(platform, HoldingPlatform) else None
        self._on_failed = on_failed
        self._lane = ServerLane(trace)
        self._held = HeldRequests(self._lane)
        self._http_faults = HttpFaults(faults)
        self._session_faults = SessionFaults(faults)
        self._outlet = FaultyOutlet(faults)
        if isinstance(platform, NorthboundPlatform):
            platform.outlet = self._outlet
        self._open: set[int] = set()
        """Ids of the sessions that the platform knows of."""

    # HTTP

    def exchange(self, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        """One HTTP request."""
        seen = request
        distorting: Sequence[Fault] = ()
        turn_us = 0
        if not self.faults.is_idle:
            faults = self._http_faults
            if (fault := faults.blocking(request, now_us)) is not None:
                return self._short_circuit(fault, request, session, now_us)
            turn = take_turn(self.faults, request, now_us)
            if isinstance(turn, Fault):
                return self._short_circuit(turn, request, session, now_us)
            turn_us = turn
            distorting = faults.distorting(request, now_us)
            seen = filter_request(distorting, faults.original_request(request))
        answer = self._answer(seen, session, now_us)
        if self._outlet.has_held:
            turn_us += self._held_back(now_us)
        if isinstance(answer, HeldRequest):
            return self._hold(answer, seen, session, distorting, turn_us, now_us)
        if not distorting:
            if self.trace.wanted:
                self._lane.exchanged(request, answer, session, now_us)
            return Delivery(answer.response, Ending.WHOLE, turn_us)
        delivery = self._distorted_http(distorting, seen, Delivery(answer.response, Ending.WHOLE, turn_us), now_us)
        if self.trace.wanted:
            lane = self._lane
            lane.received(request, session, answer.device, now_us)
            for fault in distorting:  # before the answer: a reader then knows that it did not arrive like that
                lane.fault(request, fault, session.id, now_us)
            lane.answered(answer, session.id, now_us)
            lane.delivered(delivery, answer.device, session.id, now_us)
        return delivery

    def _distorted_http(
        self, faults: Sequence[Fault], request: HttpRequest, delivery: Delivery, now_us: int
    ) -> Delivery:
        for fault in faults:
            delivery = distort(fault, request, delivery)
        gave_up = None if self._http is None else given_up(faults, self._http, request, now_us)
        return gave_up or delivery

    def left(self, held_id: int, now_us: int) -> None:
        if self._held.leave(held_id) and self._holding is not None:
            self._holding.left(held_id, now_us)

    def _hold(
        self,
        held: HeldRequest,
        request: HttpRequest,
        session: Session,
        faults: Sequence[Fault],
        turn_us: int,
        now_us: int,
    ) -> Delivery:
        if self._holding is None:
            raise ModelError(f"the platform {self.platform.name} holds a request, and hears of none that is left")
        self._held.hold(held.held_id, request, faults, now_us + turn_us)
        if self.trace.wanted:
            self._lane.received(request, session, held.device, now_us)
            self._lane.steps(held.steps, held.device, session.id, now_us)
        return Delivery(None, Ending.HELD, held_id=held.held_id)

    def _answer(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        if self._http is None:
            raise ModelError(f"the platform {self.platform.name} speaks no HTTP")
        answer: HttpAnswer | HeldRequest | None = None
        try:
            with self.store.transaction():
                answer = self._http.handle(request, session, now_us)
                if isinstance(answer, HttpAnswer) and answer.rollback:
                    raise Rollback
        except Rollback:
            pass
        except (StoreFailed, OSError) as failed:
            answer = self._failure(self._http, request, failed, now_us)
        for kind, secret in self._http.secrets():
            self.secrets.learn(kind, secret)
        assert answer is not None
        return answer

    def _failure(self, http: HttpPlatform, request: HttpRequest, failed: Exception, now_us: int) -> HttpAnswer:
        """Nothing of the request was kept, and nobody is told otherwise."""
        self._on_failed(failed)
        rules = http.container_rules
        response = rules.error_page(500) if rules.failure is None else rules.failure(request, now_us)
        return HttpAnswer(response, reason=_said(failed))

    def _short_circuit(self, fault: Fault, request: HttpRequest, session: Session, now_us: int) -> Delivery:
        delivery = replacement(fault, request)
        if self.trace.wanted:
            self._lane.received(request, session, "", now_us)
            self._lane.fault(request, fault, session.id, now_us)
            self._lane.delivered(delivery, "", session.id, now_us)
        return delivery

    # Handshakes

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        if self.faults.is_idle:
            return ShownCertificate.OWN
        fault = self._session_faults.shown_certificate(session.listener, now_us)
        if fault is None:
            return ShownCertificate.OWN
        self._lane.fault(None, fault, session.id, now_us)
        return ShownCertificate(fault.text("certificate"))

    def psk(self, session: Session, now_us: int) -> bytes | None:
        answer = self._judge(session, now_us)
        self._held_back(now_us)
        if answer.psk is None and not answer.reason:
            answer = replace(answer, reason=f"nobody has a key of the identity {session.psk_identity}")
        self._note_handshake(answer, session, now_us)
        return answer.psk

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        answer = self._judge(session, now_us)
        self._held_back(now_us)
        self._note_handshake(answer, session, now_us)
        return answer.alert

    def _judge(self, session: Session, now_us: int) -> HandshakeAnswer:
        judge = self._handshakes
        return ACCEPTED if judge is None else self._in_transaction(judge.handshake, session, now_us)

    def _note_handshake(self, answer: HandshakeAnswer, session: Session, now_us: int) -> None:
        if answer.alert is not None and not answer.reason:
            answer = replace(answer, reason="the platform refuses it, and does not say why")
        if self.trace.wanted:
            self._lane.shook_hands(answer, session, now_us)

    # Sessions

    def opened(self, session: Session, now_us: int) -> Sequence[Output]:
        self._lane.opened(session, now_us)
        if not self.faults.is_idle and (blocked := self._session_faults.opening(session.id, now_us)) is not None:
            return self._reply_blocked(blocked, None, session, now_us)
        self._open.add(session.id)
        reaction = self._in_transaction(self._talking().opened, session, now_us)
        self._held_back(now_us)
        return self._apply_faults(reaction, session.id, None, now_us)

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Sequence[Output]:
        if session.id not in self._open:
            return ()  # it was on its way when the session ended
        blocked = self._session_faults.blocking(session.id, envelope, now_us)
        turn = take_turn(self.faults, envelope, now_us) if blocked is None else 0
        if isinstance(turn, Fault):
            blocked = Blocked(turn, blocked_reply(turn, session.id, envelope))
        elif blocked is None:
            return self._taken(session, envelope, turn, now_us)
        self._lane.received(envelope, session, "", now_us)
        return self._reply_blocked(blocked, envelope, session, now_us)

    def _taken(self, session: Session, envelope: Envelope, turn_us: int, now_us: int) -> Sequence[Output]:
        """An envelope that reaches the platform. `turn_us`: how long its answers wait for their turn."""
        reaction = self._reaction_to(session, envelope, now_us)
        self._lane.received(envelope, session, reaction.device, now_us)
        turn_us += self._held_back(now_us)
        if not self.faults.is_idle and (slow := self._session_faults.slow_store(envelope, now_us)) is not None:
            self._lane.fault(envelope, slow, session.id, now_us)
            reaction = slowed(slow, self.platform, reaction, session, envelope, now_us)
        if turn_us:
            reaction = replace(reaction, outputs=late_outputs(reaction.outputs, turn_us))
        return self._apply_faults(reaction, session.id, envelope, now_us)

    def _reaction_to(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        try:
            return self._in_transaction(self._talking().receive, session, envelope, now_us)
        except (StoreFailed, OSError) as failed:
            if not isinstance(self.platform, FailurePlatform):
                raise
            self._on_failed(failed)
            return self.platform.failed(session, envelope, _said(failed), now_us)

    def closed(self, session: Session, now_us: int) -> Sequence[Output]:
        self._lane.closed(session.id, now_us)
        self._session_faults.closed(session.id)
        if session.id not in self._open:
            return ()  # a fault has kept it from the platform
        self._open.discard(session.id)
        reaction = self._in_transaction(self._talking().closed, session, now_us)
        self._held_back(now_us)
        return self._apply_faults(reaction, UNASKED, None, now_us)

    # By itself

    def next_due_us(self) -> int | None:
        due_us = self.platform.next_due_us()
        if self.faults.is_idle or not self._open:
            return due_us
        return earliest_us(due_us, self._session_faults.next_outage_us())

    def advance(self, now_us: int) -> Sequence[Output]:
        """What happens by itself: lapsed windows, auto-assignment, lazy writes, pushes; outages that end sessions."""
        outputs = self._begin_outage(now_us) if self._open and not self.faults.is_idle else []
        if self._in_memory is not None:
            outputs += self._said_unasked(self._in_memory.advance_in_memory(now_us), now_us)
        try:
            with self.store.transaction():
                reactions = self.platform.advance(now_us)
            self._held_back(now_us)
            outputs += self._said_unasked(reactions, now_us)
            self.store.flush()
        except (StoreFailed, OSError) as failed:
            self._held_back(now_us)
            if not outputs:
                raise
            self._on_failed(failed)  # what is to be said is said all the same: it does not wait for the store
        return outputs

    def _said_unasked(self, reactions: Sequence[Reaction], now_us: int) -> list[Output]:
        if reactions:
            self._learn_secrets()
        return [output for one in reactions for output in self._apply_faults(one, UNASKED, None, now_us)]

    def _begin_outage(self, now_us: int) -> list[Output]:
        outage = self._session_faults.begun_outage(now_us)
        if outage is None:
            return []
        closes: list[Output] = [Close(session, Ending.RESET) for session in sorted(self._open)]
        self._lane.fault(None, outage, UNASKED, now_us)
        for close in closes:
            self._lane.write_distorted([close], close.session, now_us)
        return closes

    # Common to all of it

    def _held_back(self, now_us: int) -> int:
        """Tells what faults have kept from applications; returns how much later the peer is answered (us)."""
        held = self._outlet.take_held()
        for one in held:
            self._lane.held_back(one, now_us)
        return gives_up_after_us(held)

    def _talking(self) -> SessionPlatform:
        if self._sessions is None:
            raise ModelError(f"the platform {self.platform.name} has no sessions that last, it speaks HTTP only")
        return self._sessions

    def _in_transaction(self, act: Callable[P, A], *args: P.args, **kwargs: P.kwargs) -> A:
        answer: A | None = None
        try:
            with self.store.transaction():
                answer = act(*args, **kwargs)
                if answer.rollback:
                    raise Rollback
        except Rollback:
            pass
        self._learn_secrets()
        assert answer is not None
        return answer

    def _apply_faults(self, reaction: Reaction, session: int, came: Envelope | None, now_us: int) -> Sequence[Output]:
        """The outputs of a reaction after faults; writes both to the trace."""
        for output in reaction.outputs:
            if isinstance(output, LateAnswer):
                return self._answered_late(reaction, session, came, now_us)
        return self._distorted(reaction, session, came, now_us)

    def _distorted(self, reaction: Reaction, session: int, came: Envelope | None, now_us: int) -> Sequence[Output]:
        if self.faults.is_idle:
            if self.trace.wanted:
                self._lane.reaction(reaction, session, now_us)
            return reaction.outputs
        distorted = self._session_faults.distorting(reaction.outputs, session, came, now_us)
        if self.trace.wanted:
            self._lane.reaction(reaction, session, now_us, distorted)
        return [output for entry in distorted for output in entry.becomes]

    def _answered_late(self, reaction: Reaction, session: int, came: Envelope | None, now_us: int) -> Sequence[Output]:
        """First the answers to requests that were held, then all else."""
        held, is_traced = self._held, self.trace.wanted
        late = [output for output in reaction.outputs if isinstance(output, LateAnswer)]
        answers = [each for one in late for each in held.answered(one, reaction, now_us, is_traced=is_traced)]
        others = [output for output in reaction.outputs if not isinstance(output, LateAnswer)]
        if not others:
            return answers
        return [*answers, *self._distorted(replace(reaction, outputs=others, steps=()), session, came, now_us)]

    def _reply_blocked(
        self, blocked: Blocked, envelope: Envelope | None, session: Session, now_us: int
    ) -> tuple[Output, ...]:
        self._lane.fault(envelope, blocked.fault, session.id, now_us)
        self._lane.write_distorted(blocked.outputs, session.id, now_us)
        return blocked.outputs

    def _learn_secrets(self) -> None:
        for kind, secret in self.platform.secrets():
            self.secrets.learn(kind, secret)


def _said(failed: Exception) -> str:
    return str(broken_environment(failed) if isinstance(failed, OSError) else failed)
