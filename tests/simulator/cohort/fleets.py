"""Fleets that every engine can be led through, and figures side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.engine import FleetEngine
from fleetrig.simulator.cohort.figures import CohortFigures, FleetFigures
from fleetrig.simulator.cohort.model import (
    Breaker,
    Budget,
    Cohort,
    Disruption,
    FleetModel,
    RetryRule,
    ServerModel,
    Starts,
)

S: Final = 1_000_000
Step = tuple[int, Callable[[FleetEngine], None]]
"""When, and what."""

DEVICES: Final = 2_000
END_US: Final = 330 * S
WIDTHS_US: Final = (900_000, 7 * S, 61 * S)
SEEDS: Final = (1, 2, 3, 4, 5)
BASE: Final = (5 * S, 40 * S)
POLICIES: Final = {policy.value: RetryRule(policy, *BASE) for policy in Policy}
ADDITIONS: Final = {
    "first_delay": RetryRule(Policy.FIXED, *BASE, first_us=(0, 30 * S)),
    "budget": RetryRule(Policy.EXPONENTIAL, *BASE, budget=Budget(3_000, 499)),
    "breaker": RetryRule(Policy.FULL_JITTER, *BASE, breaker=Breaker(3, 20 * S, 15 * S)),
    "deaf": RetryRule(Policy.DECORRELATED_JITTER, *BASE, honours_retry_after=False),
}
RULES: Final = POLICIES | ADDITIONS
SERVERS: Final = {
    "never_busy": ServerModel(),
    "waiting_room": ServerModel(15_000, 2 * S),
    "retry_after": ServerModel(15_000, 2 * S, 12 * S),
    "shedding": ServerModel(15_000, 20 * S, 8 * S, 4 * S),
    "long_queue": ServerModel(15_000, 25 * S),
}


@dataclass(frozen=True, slots=True)
class Case:
    """Two thousand devices are switched on within ten seconds, which is more than a server of 67 a second can do; it
    is down for a minute, some answer late, and a few devices lose their power."""

    rule: str
    server: str
    seed: int

    def model(self) -> FleetModel:
        # Who retries at once, does so after each round trip: it is a long one, lest a test lasts for ever.
        round_trip_us = 2 * S if self.rule == "immediate" else 2_000
        cohort = Cohort("gateways", DEVICES, (30 * S, 50 * S), RULES[self.rule], timeout_us=6 * S)
        return FleetModel((cohort,), SERVERS[self.server], self.seed, round_trip_us)

    def story(self) -> Sequence[Step]:
        down_us = 8 * S if self.rule == "immediate" else 60 * S
        return (
            (0, lambda fleet: fleet.start(range(DEVICES), Starts(((0, 0), (1000, 10 * S))))),
            (0, lambda fleet: fleet.disrupt(Disruption(120 * S, 120 * S + down_us))),
            (0, lambda fleet: fleet.disrupt(Disruption(240 * S, 250 * S, None, latency_us=3 * S, share_milli=400))),
            (90 * S + 1, lambda fleet: fleet.give_work(range(500, 700), 3)),
            (150 * S, lambda fleet: fleet.stop(range(100, 300))),
            (200 * S, lambda fleet: fleet.start(range(50, 250), Starts())),
        )


def lead(fleet: FleetEngine, story: Sequence[Step], until_us: int) -> FleetFigures:
    for at_us, step in story:
        fleet.run_until(at_us)
        step(fleet)
    fleet.run_until(until_us)
    return fleet.figures


def total(figures: FleetFigures, what: str) -> int:
    return sum(int(getattr(cohort, what).sum()) for cohort in figures.cohorts)


def assert_same(figures: FleetFigures, expected: FleetFigures) -> None:
    """Bit by bit; says where they part."""
    for number, (cohort, other) in enumerate(zip(figures.cohorts, expected.cohorts, strict=True)):
        for each in fields(CohortFigures):
            _same_counts(f"cohort {number}: {each.name}", getattr(cohort, each.name), getattr(other, each.name))
    _same_counts("slowest_us", figures.slowest_us, expected.slowest_us)
    assert figures.took == expected.took
    assert figures.time_to_online == expected.time_to_online


def _same_counts(what: str, counts: np.ndarray, expected: np.ndarray) -> None:
    assert counts.size == expected.size, what
    assert counts.dtype == expected.dtype == np.int64, what
    differing = np.flatnonzero(counts != expected)
    assert not differing.size, f"{what}: second {differing[0]} has {counts[differing[0]]}, not {expected[differing[0]]}"
