"""Seconds of load: what is counted when, and that seconds that were fetched are forgotten."""

from __future__ import annotations

import pytest

from fleetrig.simulator.drivers.load.figures import LoadFigures
from fleetrig.simulator.drivers.load.messages import second_from_values, second_to_values


def test_latency_is_corrected_by_the_intended_start() -> None:
    figures = LoadFigures(start_s=100.0)
    figures.started(now_s=102.0, intended_s=101.0)
    figures.ended(now_s=102.5, sent_s=102.0, intended_s=101.0, is_error=False)

    second = figures.take_all()[2]
    assert second.took.percentile_s(0.5) == pytest.approx(0.5, rel=0.03)
    assert second.corrected.percentile_s(0.5) == pytest.approx(1.5, rel=0.03)
    assert second.lateness.percentile_s(0.5) == pytest.approx(1.0, rel=0.03)
    assert (second.started, second.answered, second.errors) == (1, 1, 0)


def test_a_dropped_start_counts_as_long_as_nobody_would_have_been_answered() -> None:
    figures = LoadFigures(start_s=0.0)
    figures.dropped(now_s=5.0, intended_s=3.0)

    second = figures.take_all()[5]
    assert second.dropped == 1
    assert second.took.count == 0
    assert second.corrected.percentile_s(0.9) == pytest.approx(2.0, rel=0.03)


def test_a_second_is_given_away_once_and_only_when_it_is_over() -> None:
    figures = LoadFigures(start_s=0.0)
    figures.started(0.5, 0.5)
    figures.started(1.5, 1.5)

    assert list(figures.take_until(1.7)) == [0]
    assert figures.take_until(1.9) == {}
    assert list(figures.take_all()) == [1]


def test_a_second_survives_its_way_to_the_master() -> None:
    figures = LoadFigures(start_s=0.0)
    figures.started(0.5, 0.4)
    figures.ended(0.7, 0.5, 0.4, is_error=True)
    figures.woke(0.7, 0.6)
    second = figures.take_all()[0]

    assert second_to_values(second_from_values(second_to_values(second))) == second_to_values(second)


def test_what_is_no_second_is_refused() -> None:
    with pytest.raises((ValueError, TypeError)):
        second_from_values(["many", 1, 2, 3, [], [], [], []])
