"""Edges that are known, and the one of a fleet that collapses."""

from __future__ import annotations

import pytest

from fleetrig.harness.fleets.bisection import (
    smallest,
    smallest_capacity_for,
    smallest_capacity_that_survives,
    smallest_outage_that_collapses,
)
from fleetrig.harness.fleets.findings import Findings, findings_of
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.cohort.expected_rates import PollingFleet
from fleetrig.simulator.cohort.model import ServerModel
from tests.harness.fleets.test_findings import situation
from tests.simulator.cohort.herds import S, herd


@pytest.mark.parametrize("edge", [1.5, 60.0, 99.9])
def test_an_edge_is_found_from_both_sides(edge: float) -> None:
    found = smallest(lambda value: value >= edge, least=1, most=100, within=0.5)
    assert found.value is not None
    assert found.below is not None
    assert found.below < edge <= found.value <= found.below + 0.5
    assert len(found.tried) <= 10
    assert found.say("it breaks", "s").startswith("it breaks from ")


def test_an_edge_beyond_the_ends_is_said() -> None:
    always = smallest(lambda _: True, least=1, most=100, within=1)
    assert (always.value, always.below, len(always.tried)) == (1, None, 1)
    assert always.say("it breaks", "s") == "it breaks even at the smallest value, 1 s"
    never = smallest(lambda _: False, least=1, most=100, within=1)
    assert (never.value, never.below) == (None, 100)
    assert never.say("it breaks", "s") == "it breaks at none of the values up to 100 s"


def fragile(outage_s: float, capacity_per_s: float = 25.0) -> Findings:
    """A queue that is longer than the patience of the devices."""
    fleet = PollingFleet(3_000, 270.0, 330.0, Backoff(Policy.FIXED, base_s=30.0, honours_retry_after=False))
    server = ServerModel(service_us=round(S / capacity_per_s), waiting_us=20 * S)
    figures = herd(fleet, outage_s, round(outage_s) + 1800, server=server, timeout_s=5.0)
    return findings_of(figures, situation(fleet, outage_s, capacity_per_s))


def test_the_shortest_outage_that_triggers_a_collapse() -> None:
    edge = smallest_outage_that_collapses(fragile, least_s=10, most_s=600, within_s=20)
    assert edge.value is not None
    assert edge.below is not None
    assert fragile(edge.value).collapse is not None
    assert fragile(edge.below).collapse is None
    assert 10 < edge.value < 300


def test_the_smallest_capacity_that_survives() -> None:
    """All 3,000 retry within 30 s, so that 100 a second are surely enough, and 25 are not."""
    edge = smallest_capacity_that_survives(
        lambda capacity: fragile(600, capacity), least_per_s=25, most_per_s=110, within_per_s=5
    )
    assert edge.value is not None
    assert 40 < edge.value <= 105
    limit = smallest_capacity_for(
        lambda capacity: fragile(600, capacity), lambda found: found.late + found.rejected == 0,
        least_per_s=25, most_per_s=130, within_per_s=5,
    )  # fmt: skip
    assert limit.value is not None
    assert limit.value >= edge.value
