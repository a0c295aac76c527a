"""Faults: when one bites, whom, how it shows; and the order of fault, commit and answer in `server.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from fleetrig.reference_server.faults import FaultPlan, distort, replacement
from fleetrig.reference_server.http_habits import PLAIN
from fleetrig.reference_server.platform import HttpAnswer, Reaction
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.interface import Kind
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent

START_US = to_us(1_000)
POLL = HttpRequest("GET", "http://h", "/DEFAULT/controller/v1/d1?x=1")
REPORT = HttpRequest("POST", "http://h", "/DEFAULT/controller/v1/d1/deploymentBase/1/feedback")
OUTAGE, OVERLOAD, LATENCY = FaultKind.OUTAGE, FaultKind.OVERLOAD, FaultKind.LATENCY
LOST, CUT = FaultKind.LOST_REPLY, FaultKind.TRUNCATED_BODY


def plan(*faults: Fault, draws: Iterator[float] | None = None) -> FaultPlan:
    made = FaultPlan(lambda: next(draws) if draws is not None else 0.0)
    for fault in faults:
        made.add(fault, START_US)
    return made


def bites(faults: FaultPlan, request: HttpRequest, at_s: float) -> bool:
    return faults.blocking(request, START_US + to_us(at_s)) is not None


@pytest.mark.parametrize(("at_s", "bitten"), [(0, False), (9.999, False), (10, True), (14.999, True), (15, False)])
def test_from_its_beginning_to_its_end(at_s: float, bitten: bool) -> None:
    assert bites(plan(Fault(OUTAGE, at_s=10, for_s=5)), POLL, at_s) is bitten


def test_without_an_end_it_stays() -> None:
    assert bites(plan(Fault(OUTAGE)), POLL, 1e6)


def test_it_hits_whom_it_names() -> None:
    faults = plan(Fault(OVERLOAD, hits="POST */feedback"))
    assert not bites(faults, POLL, 0)
    assert bites(faults, REPORT, 0)


def test_it_ends_after_so_many_bites() -> None:
    faults = plan(Fault(OUTAGE, times=2))
    assert [bites(faults, POLL, at) for at in (0, 1, 2)] == [True, True, False]


def test_a_share_is_drawn_for_each_request() -> None:
    faults = plan(Fault(OUTAGE, share=0.5), draws=iter([0.49, 0.5, 0.9, 0.0]))
    assert [bites(faults, POLL, 0) for _ in range(4)] == [True, False, False, True]


def test_nobody_listens_only_in_a_refused_outage_of_everything() -> None:
    at_us = START_US + to_us(1)
    assert plan(Fault(OUTAGE)).refuses_at(at_us)
    assert not plan(Fault(OUTAGE, shows_as=Ending.SILENCE)).refuses_at(at_us)
    assert not plan(Fault(OUTAGE, hits="GET *")).refuses_at(at_us)
    assert not plan(Fault(OUTAGE, share=0.5)).refuses_at(at_us)
    assert not plan(Fault(OUTAGE, at_s=2)).refuses_at(at_us)


def test_the_next_change_is_an_edge_of_a_fault() -> None:
    faults = plan(Fault(OUTAGE, at_s=10, for_s=5), Fault(LATENCY, at_s=12))
    edges = [START_US + to_us(edge) for edge in (10, 12, 15)]
    assert [faults.next_change_us(START_US + to_us(at)) for at in (0, 10, 12)] == edges
    assert faults.next_change_us(edges[-1]) is None


def test_overload_answers_with_or_without_a_time() -> None:
    assert replacement(Fault(OVERLOAD), POLL) == Delivery(HttpResponse(503))
    named = replacement(Fault(OVERLOAD, parameters={"status": 429, "retry_after_s": 7.0}), POLL)
    assert named == Delivery(HttpResponse(429, (("Retry-After", "7"),)))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(LATENCY, parameters={"delay_s": 1.5}), Delivery(HttpResponse(200, (), b"abcd"), delay_us=1_500_000)),
        (Fault(CUT), Delivery(HttpResponse(200, (), b"abcd"), Ending.TRUNCATED)),
        (Fault(CUT, parameters={"after_bytes": 1}), Delivery(HttpResponse(200, (), b"abcd"), Ending.TRUNCATED, 0, 1)),
        (Fault(LOST), Delivery(None, Ending.CLOSED)),
        (Fault(LOST, shows_as=Ending.SILENCE), Delivery(None, Ending.SILENCE)),
    ],
)
def test_spoiling(fault: Fault, expected: Delivery) -> None:
    assert distort(fault, POLL, Delivery(HttpResponse(200, (), b"abcd"))) == expected


def test_an_empty_body_cannot_be_cut() -> None:
    assert distort(Fault(CUT), POLL, Delivery(HttpResponse(204))) == Delivery(HttpResponse(204))


@dataclass(frozen=True)
class Seen:
    what: str


class Counter:
    """The smallest platform that keeps something: counts its requests, and refuses DELETE half way."""

    name = "counter"
    http_habits = PLAIN
    kind = Kind("count", Seen, key=lambda seen: seen.what)

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def handle(self, request: HttpRequest, session: Session, now_us: int) -> HttpAnswer:
        self._store.put(self.kind, "t", Seen(f"{request.method} {now_us}"))
        if request.method == "DELETE":
            return HttpAnswer(HttpResponse(409), reason="not today", rollback=True)
        return HttpAnswer(HttpResponse(200, (), b"counted"), device="d1")

    def next_due_us(self) -> int | None:
        return None

    def advance(self, now_us: int) -> Sequence[Reaction]:
        return ()

    def secrets(self) -> list[tuple[str, str]]:
        return [("token", "s3cret")]


@pytest.fixture
def running() -> tuple[Server, MemoryStore, list[TraceEvent]]:
    store, trace = MemoryStore(), Trace()
    events: list[TraceEvent] = []
    trace.listen(events.append)
    return Server(Counter(store), store, plan(), trace, Secrets()), store, events


Running = tuple[Server, MemoryStore, list[TraceEvent]]


def kept(store: MemoryStore) -> int:
    return store.count(Counter.kind, "t")


def test_an_outage_never_reaches_the_platform(running: Running) -> None:
    server, store, events = running
    server.faults.add(Fault(OUTAGE, shows_as=Ending.RESET), START_US)
    assert server.exchange(POLL, Session(), START_US) == Delivery(None, Ending.RESET)
    assert kept(store) == 0
    said = [(event.kind, event.fault, event.reason) for event in events]
    assert said == [("received", "", "127.0.0.1"), ("fault", "outage", "shows as reset"), ("delivered", "", "reset")]


def test_a_lost_reply_was_committed(running: Running) -> None:
    server, store, events = running
    server.faults.add(Fault(LOST, times=1), START_US)
    assert server.exchange(REPORT, Session(), START_US).response is None
    assert kept(store) == 1
    assert [event.kind for event in events] == ["received", "fault", "answered", "delivered"]
    assert (events[-1].envelope, events[-1].reason) == (None, "closed")


def test_a_refusal_half_way_leaves_nothing_and_says_why(running: Running) -> None:
    server, store, events = running
    delete = HttpRequest("DELETE", "http://h", "/DEFAULT/x")
    delivery = server.exchange(delete, Session(), START_US)
    assert delivery.response is not None
    assert delivery.response.status == 409
    assert kept(store) == 0
    assert (events[-1].kind, events[-1].reason) == ("refused", "not today")


def test_secrets_of_a_platform_are_masked_from_then_on(running: Running) -> None:
    server, _, _ = running
    server.exchange(POLL, Session(), START_US)
    assert "s3cret" not in server.secrets.hide('{"token": "s3cret"}')
