"""What a server makes of a request that its platform holds: the trace, faults, and clients that leave."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.platform import HeldRequest, HttpAnswer, Reaction
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import US_PER_MS, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.envelope import LateAnswer
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.held.doorbell import Doorbell
from tests.reference_server.stores.failing import FailingStore

HERE = Session(id=7)


@dataclass
class Door:
    now_us: int = VIRTUAL_EPOCH_US
    events: list[TraceEvent] = field(default_factory=list)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        trace = Trace()
        trace.listen(self.events.append)
        self.plan = FaultPlan(lambda: 0.0)
        self.bell = Doorbell(self.store)
        self.server = Server(self.bell, self.store, self.plan, trace, Secrets())

    def ask(self, method: str, target: str, body: bytes = b"") -> Delivery:
        return self.server.exchange(HttpRequest(method, "http://door.test", target, (), body), HERE, self.now_us)

    def advance(self, by_ms: int = 0) -> list[LateAnswer]:
        self.now_us += by_ms * US_PER_MS
        outputs = self.server.advance(self.now_us)
        assert all(isinstance(output, LateAnswer) for output in outputs)
        return [output for output in outputs if isinstance(output, LateAnswer)]

    def told(self) -> list[tuple[str, str, str]]:
        found = [
            (event.kind, event.envelope.line if event.envelope else "", event.fault or event.reason)
            for event in self.events
        ]
        self.events.clear()
        return found


def test_a_held_request_is_answered_in_its_time() -> None:
    door = Door()
    held = door.ask("GET", "/wait?1000")
    assert (held.ending, held.response) == (Ending.HELD, None)
    assert door.told() == [("received", "GET /wait", "127.0.0.1")]
    assert door.server.next_due_us() == door.now_us + 1_000_000
    assert door.advance(1000) == [LateAnswer(7, held.held_id, Delivery(HttpResponse(408)))]
    assert door.told() == [("refused", "408", "nobody rang")]


def test_a_held_request_takes_its_turn_in_a_queue() -> None:
    """It is not answered before; once its turn is over, at once."""
    door = Door()
    door.plan.add(Fault(FaultKind.CAPACITY, "GET /wait", parameters={"requests_per_s": 0.5}), door.now_us)
    door.ask("GET", "/wait?5000")
    door.ask("GET", "/wait?5000")
    door.ask("POST", "/ring", b"dong")
    assert [answer.delivery.delay_us for answer in door.advance(3000)] == [0, 1_000_000]


def test_all_that_wait_hear_the_same() -> None:
    door = Door()
    ids = [door.ask("GET", "/wait?1000").held_id for _ in range(3)]
    door.ask("POST", "/ring", b"dong")
    answers = door.advance()
    assert [answer.held_id for answer in answers] == ids
    assert {answer.delivery.response.body for answer in answers if answer.delivery.response} == {b"dong"}
    assert [told[:2] for told in door.told()][-3:] == [("answered", "200")] * 3


def test_who_has_left_gets_nothing() -> None:
    door = Door()
    first, second = (door.ask("GET", "/wait?1000").held_id for _ in range(2))
    door.server.left(first, door.now_us)
    door.server.left(first, door.now_us)
    assert door.bell.gone == [first]
    assert [answer.held_id for answer in door.advance(1000)] == [second]
    door.server.left(second, door.now_us)
    assert door.bell.gone == [first], "it was answered"


@pytest.mark.parametrize(
    ("fault", "delivery"),
    [
        (Fault(FaultKind.LATENCY, parameters={"delay_s": 2}), Delivery(HttpResponse(408), delay_us=2_000_000)),
        (Fault(FaultKind.LOST_REPLY), Delivery(None, Ending.CLOSED)),
    ],
    ids=["latency", "lost reply"],
)
def test_a_fault_is_drawn_when_the_request_comes_and_hits_its_answer(fault: Fault, delivery: Delivery) -> None:
    door = Door()
    entry = door.plan.add(fault, door.now_us)
    held = door.ask("GET", "/wait?1000")
    door.plan.remove(entry.id)
    door.told()
    (answer,) = door.advance(1000)
    assert answer == LateAnswer(7, held.held_id, delivery)
    assert [told[0] for told in door.told()] == ["fault", "refused", "delivered"]


def test_an_overload_holds_nothing() -> None:
    door = Door()
    door.plan.add(Fault(FaultKind.OVERLOAD), door.now_us)
    assert door.ask("GET", "/wait?1000").response is not None
    assert door.bell.waiting == {}


def test_what_cannot_be_kept_is_not_held() -> None:
    """The commit fails: 500, and nobody waits."""
    store = FailingStore()
    door = Door(store=store)
    delivery = door.ask("GET", "/wait?1000")
    store.fails = False
    assert delivery.response is not None
    assert delivery.response.status == 500
    assert (door.bell.waiting, door.advance(1000)) == ({}, [])


def test_a_platform_that_hears_of_none_that_leave_may_hold_none() -> None:
    class Deaf(Doorbell):
        left = None  # type: ignore[assignment]

    store = MemoryStore()
    server = Server(Deaf(store), store, FaultPlan(lambda: 0.0), Trace(), Secrets())
    with pytest.raises(ModelError, match="hears of none"):
        server.exchange(HttpRequest("GET", "http://door.test", "/wait?1"), HERE, VIRTUAL_EPOCH_US)


def test_no_id_stands_for_two() -> None:
    class Forgetful(Doorbell):
        def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
            return HeldRequest(1)

    store = MemoryStore()
    server = Server(Forgetful(store), store, FaultPlan(lambda: 0.0), Trace(), Secrets())
    request = HttpRequest("GET", "http://door.test", "/wait?1")
    server.exchange(request, HERE, VIRTUAL_EPOCH_US)
    with pytest.raises(ModelError, match="two requests under the id 1"):
        server.exchange(request, HERE, VIRTUAL_EPOCH_US)


class Stepping(Doorbell):
    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer | HeldRequest:
        answer = super().handle(request, session, now_us)
        return replace(answer, steps=("looked",))

    def advance(self, now_us: int) -> list[Reaction]:
        return [replace(reaction, steps=("opened",)) for reaction in super().advance(now_us)]


def test_the_steps_of_a_request_are_told_before_its_answer_those_of_a_held_one_in_two_parts() -> None:
    door = Door()
    door.server = Server(Stepping(door.store), door.store, door.plan, door.server.trace, Secrets())
    door.ask("GET", "/")
    door.ask("GET", "/wait?1000")
    door.advance(1000)
    told = [(event.kind, event.name) for event in door.events]
    assert told == [
        ("received", ""), ("step", "looked"), ("answered", ""),
        ("received", ""), ("step", "looked"), ("step", "opened"), ("refused", ""),
    ]  # fmt: skip
