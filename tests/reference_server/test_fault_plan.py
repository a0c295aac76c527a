"""The plan of faults: when one is on, whom it hits, how often, and when something changes next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.faults import Fault, FaultKind

START_US = to_us(1_000)
POLL = "GET /DEFAULT/controller/v1/d1?x=1"
REPORT = "POST /DEFAULT/controller/v1/d1/deploymentBase/1/feedback"
OUTAGE, OVERLOAD, LATENCY = FaultKind.OUTAGE, FaultKind.OVERLOAD, FaultKind.LATENCY


def plan(*faults: Fault, draws: Iterator[float] | None = None) -> FaultPlan:
    made = FaultPlan(lambda: next(draws) if draws is not None else 0.0)
    for fault in faults:
        made.add(fault, START_US)
    return made


def hits(faults: FaultPlan, line: str, at_s: float) -> bool:
    return faults.trigger(lambda _: True, (line,), START_US + to_us(at_s)) is not None


@pytest.mark.parametrize(("at_s", "is_hit"), [(0, False), (9.999, False), (10, True), (14.999, True), (15, False)])
def test_from_its_beginning_to_its_end(at_s: float, is_hit: bool) -> None:
    assert hits(plan(Fault(OUTAGE, at_s=10, for_s=5)), POLL, at_s) is is_hit


def test_without_an_end_it_stays() -> None:
    assert hits(plan(Fault(OUTAGE)), POLL, 1e6)


def test_it_hits_whom_it_names() -> None:
    faults = plan(Fault(OVERLOAD, hits="POST */feedback"))
    assert not hits(faults, POLL, 0)
    assert hits(faults, REPORT, 0)


def test_it_ends_after_so_many_hits() -> None:
    faults = plan(Fault(OUTAGE, times=2))
    assert [hits(faults, POLL, at) for at in (0, 1, 2)] == [True, True, False]


def test_a_share_is_drawn_for_each_request() -> None:
    faults = plan(Fault(OUTAGE, share=0.5), draws=iter([0.49, 0.5, 0.9, 0.0]))
    assert [hits(faults, POLL, 0) for _ in range(4)] == [True, False, False, True]


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
