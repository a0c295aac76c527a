"""Fleets of a few devices, of which anything may be true, at any time: both engines tell the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.arrays import ArrayFleet, can_be_compiled
from fleetrig.simulator.cohort.engine import FleetEngine
from fleetrig.simulator.cohort.model import (
    Breaker,
    Budget,
    Cohort,
    Disruption,
    FleetModel,
    RetryRule,
    ServerModel,
    Starts,
    Unanswered,
)
from fleetrig.simulator.cohort.processes import ProcessFleet
from tests.simulator.cohort.fleets import S, Step, assert_same, lead

END_US = 60 * S
MOMENTS = st.integers(0, END_US) | st.integers(0, 60).map(lambda s: s * S)
"""Round ones too: what happens at the very edge of a second, of a window, or of something else."""
DELAYS = st.integers(0, 20 * S)
SPANS = st.tuples(DELAYS, DELAYS).map(lambda ends: (min(ends), max(ends)))
RULES = st.builds(
    RetryRule,
    st.sampled_from(list(Policy)),
    base_us=DELAYS,
    cap_us=DELAYS,
    floor_us=st.integers(0, 2 * S),
    retry_after_spread_us=DELAYS,
    honours_retry_after=st.booleans(),
    first_us=st.none() | SPANS,
    budget=st.none() | st.builds(Budget, st.integers(0, 4_000), st.integers(0, 1_500)),
    first_step_us=st.just(1) | st.integers(1, 5 * S),
    breaker=st.none() | st.builds(Breaker, st.integers(1, 5), DELAYS, DELAYS),
)
COHORTS = st.builds(
    Cohort,
    st.just("some"),
    st.integers(1, 12),
    SPANS,
    RULES,
    timeout_us=st.integers(S // 2, 8 * S),
    is_connected=st.booleans(),
    waits_to_start=st.booleans(),
)
SERVERS = st.builds(
    ServerModel,
    st.none() | st.integers(1, 3 * S),
    st.none() | st.integers(0, 9 * S),
    st.none() | DELAYS,
    st.none() | st.integers(0, 9 * S),
)
MODELS = st.builds(
    FleetModel,
    st.lists(COHORTS, min_size=1, max_size=3).map(tuple),
    SERVERS,
    st.integers(0, 2**64),
    # A delay may be nothing at all: then a device asks again after each round trip.
    st.integers(S // 2, S),
)
CURVES = st.lists(st.tuples(st.integers(0, 1000), DELAYS), min_size=1, max_size=4).map(
    lambda points: tuple(zip(sorted(x for x, _ in points), sorted(y for _, y in points), strict=True))
)
STARTS = st.builds(Starts, CURVES, st.booleans())


@st.composite
def steps(draw: st.DrawFn, devices: int) -> Step:
    at_us = draw(MOMENTS)
    first = draw(st.integers(0, devices - 1))
    some = range(first, draw(st.integers(first, devices)))
    return at_us, draw(st.one_of(starting(some), stopping(some), working(some), disrupting(at_us)))


def starting(some: range) -> st.SearchStrategy[Callable[[FleetEngine], None]]:
    return STARTS.map(lambda starts: lambda fleet: fleet.start(some, starts))


def stopping(some: range) -> st.SearchStrategy[Callable[[FleetEngine], None]]:
    return st.just(lambda fleet: fleet.stop(some))


def working(some: range) -> st.SearchStrategy[Callable[[FleetEngine], None]]:
    return st.integers(0, 4).map(lambda requests: lambda fleet: fleet.give_work(some, requests))


def disrupting(at_us: int) -> st.SearchStrategy[Callable[[FleetEngine], None]]:
    return st.builds(
        Disruption,
        st.just(0) | DELAYS,
        DELAYS,
        st.none() | st.sampled_from(list(Unanswered)),
        st.none() | DELAYS,
        st.integers(0, 9 * S),
        st.integers(0, 1000),
        st.booleans(),
    ).map(lambda each: lambda fleet: fleet.disrupt(moved(each, at_us)))


def moved(disruption: Disruption, at_us: int) -> Disruption:
    """`end_us` was a length, and `begin_us` how long it is until then."""
    begin_us = at_us + disruption.begin_us
    return replace(disruption, begin_us=begin_us, end_us=begin_us + disruption.end_us)


@pytest.mark.slow
@settings(max_examples=30)
@given(data=st.data(), model=MODELS, width_us=st.integers(10_000, 70 * S))
def test_both_engines_tell_the_same(data: st.DataObject, model: FleetModel, width_us: int) -> None:
    further = sorted(data.draw(st.lists(steps(model.count), max_size=8)), key=lambda step: step[0])
    story = [(0, lambda fleet: fleet.start(range(model.count), Starts())), *further]
    expected = lead(ProcessFleet(model), story, END_US)
    assert_same(lead(ArrayFleet(model, window_us=width_us), story, END_US), expected)
    if can_be_compiled():
        assert_same(lead(ArrayFleet(model, window_us=width_us, compiled=True), story, END_US), expected)
