"""The array engine gives the figures of one SimPy process for each device, bit by bit, whatever the window's width.

All policies with every kind of server, and what a device may add to a policy. Here each pair has one of the five seeds;
`make soak` has all.
"""

from __future__ import annotations

import pytest

from fleetrig.simulator.cohort.arrays import ArrayFleet, can_be_compiled
from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.cohort.processes import ProcessFleet
from tests.simulator.cohort.fleets import (
    ADDITIONS,
    END_US,
    POLICIES,
    SEEDS,
    SERVERS,
    WIDTHS_US,
    Case,
    assert_same,
    lead,
    total,
)

pytestmark = pytest.mark.slow


def cases_of_one_seed_each() -> list[Case]:
    pairs = [(rule, server) for rule in POLICIES for server in SERVERS]
    pairs += [(rule, server) for rule in ADDITIONS for server in ("retry_after", "long_queue")]
    return [Case(rule, server, SEEDS[(7 * number // 5) % 5]) for number, (rule, server) in enumerate(pairs)]


@pytest.mark.parametrize("case", cases_of_one_seed_each(), ids=str)
def test_same_figures_as_processes(case: Case) -> None:
    hold_against_processes(case)


def hold_against_processes(case: Case) -> None:
    expected = lead(ProcessFleet(case.model()), case.story(), END_US)
    assert_eventful(case, expected)
    for width_us in WIDTHS_US:
        fleet = ArrayFleet(case.model(), window_us=width_us)
        assert_same(lead(fleet, case.story(), END_US), expected)
    if can_be_compiled():
        assert_same(lead(ArrayFleet(case.model(), compiled=True), case.story(), END_US), expected)


def assert_eventful(case: Case, figures: FleetFigures) -> None:
    """A comparison in which nothing goes wrong would prove little."""
    for what in ("answered", "refused", "retries", "came_online", "went_offline"):
        assert total(figures, what), what
    match case.server:
        case "waiting_room" | "retry_after":
            assert total(figures, "turned_away")
        case "shedding" | "long_queue":
            assert total(figures, "late")
