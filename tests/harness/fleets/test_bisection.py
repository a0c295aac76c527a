"""Edges that are known, and the one of a fleet that collapses."""

from __future__ import annotations

import pytest

from fleetrig.harness.fleets.bisection import smallest
from fleetrig.harness.fleets.findings import Findings, findings_of
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.cohort.model import ServerModel
from tests.harness.fleets.test_findings import situation
from tests.simulator.cohort.expected_rates import PollingFleet
from tests.simulator.cohort.herds import S, herd


@pytest.mark.parametrize("edge", [1.5, 60.0, 99.9])
def test_an_edge_is_found_from_both_sides(edge: float) -> None:
    found = smallest(lambda value: value >= edge, least=1, most=100, within=0.5)
    assert found.value is not None
    assert found.below is not None
    assert found.below < edge <= found.value <= found.below + 0.5
    assert len(found.tried) <= 10


def test_an_edge_beyond_the_ends_is_none() -> None:
    always = smallest(lambda _: True, least=1, most=100, within=1)
    assert (always.value, always.below, len(always.tried)) == (1, None, 1)
    never = smallest(lambda _: False, least=1, most=100, within=1)
    assert (never.value, never.below) == (None, 100)


def fragile(outage_s: float, capacity_per_s: float = 25.0, sheds_after_s: float | None = None) -> Findings:
    """A queue that is longer than the patience of the devices."""
    sheds_after_us = None if sheds_after_s is None else round(sheds_after_s * S)
    fleet = PollingFleet(3_000, 270.0, 330.0, Backoff(Policy.FIXED, base_s=30.0, honours_retry_after=False))
    server = ServerModel(service_us=round(S / capacity_per_s), waiting_us=20 * S, sheds_after_us=sheds_after_us)
    figures = herd(fleet, outage_s, round(outage_s) + 1800, server=server, timeout_s=5.0)
    return findings_of(figures, situation(fleet, outage_s, capacity_per_s))


def test_the_shortest_outage_that_triggers_a_collapse() -> None:
    edge = smallest(lambda outage_s: fragile(outage_s).collapse is not None, least=10, most=600, within=20)
    assert edge.value is not None
    assert edge.below is not None
    assert fragile(edge.value).collapse is not None
    assert fragile(edge.below).collapse is None
    assert 10 < edge.value < 300


def test_the_smallest_capacity_that_survives() -> None:
    """All 3,000 retry within 30 s, so that 100 a second are surely enough, and 25 are not."""
    edge = smallest(lambda capacity: fragile(600, capacity).survives, least=25, most=110, within=5)
    assert edge.value is not None
    assert 40 < edge.value <= 105


def test_a_server_that_drops_what_is_too_old_does_not_collapse() -> None:
    """The devices wait for five seconds."""
    assert fragile(600).collapse is not None
    assert fragile(600, sheds_after_s=4.5).survives
