"""Faults of HTTP: what each makes of an answer; and the order of fault, commit and answer in `server.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.http_container import PLAIN_CONTAINER
from fleetrig.reference_server.http_faults import distort, replacement
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
    container_rules = PLAIN_CONTAINER
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
    return Server(Counter(store), store, FaultPlan(lambda: 0.0), trace, Secrets()), store, events


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
