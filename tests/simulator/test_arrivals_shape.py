"""Shapes of arrivals: none before its beginning, none after its end, and the same for both engines."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from fleetrig.simulator.arrivals_shape import ALL, CURVES, Shape, curve, start_us, steady
from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.cohort.arrays import ArrayFleet
from fleetrig.simulator.cohort.model import Cohort, FleetModel, RetryRule, Starts
from fleetrig.simulator.cohort.start_times import starts_us

S = 1_000_000
DAY_US = 86_400 * S


def starts(shape: Shape, spread_us: int, count: int) -> list[int]:
    points = curve(shape, spread_us, count)
    return [start_us(points, position, count) for position in range(count)]


@pytest.mark.parametrize("shape", Shape)
def test_a_curve_begins_with_nobody_ends_with_all_and_never_falls(shape: Shape) -> None:
    shares, times = zip(*(steady(ALL, 0.0) if shape is Shape.STEADY else CURVES[shape]), strict=True)

    assert (shares[0], shares[-1]) == (0, ALL)
    assert list(shares) == sorted(shares)
    assert list(times) == sorted(times)


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("count", [1, 2, 7, 1_000])
def test_both_engines_have_the_same_moments(shape: Shape, count: int) -> None:
    points = curve(shape, 47 * S, count)
    found = starts(shape, 47 * S, count)

    assert found == starts_us(points, np.arange(count), count).tolist()
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] <= 47 * S


def test_even_is_one_after_the_other_and_begins_at_once() -> None:
    assert starts(Shape.EVEN, 10 * S, 5) == [0, 2 * S, 4 * S, 6 * S, 8 * S]


def test_at_once_is_one_moment() -> None:
    assert set(starts(Shape.AT_ONCE, 0, 50)) == {0}


def test_a_city_comes_back_district_by_district() -> None:
    per_hundredth = Counter(at_us // (6 * S) for at_us in starts(Shape.CITY, 600 * S, 1_000))

    assert [per_hundredth[at] for at in (0, 20, 40, 60)] == [350, 250, 200, 120]
    assert sum(per_hundredth[at] for at in range(90, 100)) == 80


def test_over_a_day_most_come_at_noon_and_hardly_anybody_at_midnight() -> None:
    per_hour = Counter(at_us * 24 // DAY_US for at_us in starts(Shape.DAILY, DAY_US, 24_000))

    assert per_hour[0] < 30
    assert per_hour[12] == pytest.approx(2_000, rel=0.05)
    assert per_hour[6] == pytest.approx(1_000, rel=0.2)


def test_a_step_is_nine_times_as_high() -> None:
    halves = Counter(at_us >= 50 * S for at_us in starts(Shape.STEP, 100 * S, 1_000))

    assert halves == {False: 100, True: 900}


def test_a_spike_is_half_of_them_in_a_fiftieth_of_the_time() -> None:
    in_spike = sum(49 * S <= at_us < 51 * S for at_us in starts(Shape.SPIKE, 100 * S, 1_000))

    assert in_spike == 500


def test_a_steady_fleet_has_the_same_rate_from_the_first_second_to_the_fourth_interval() -> None:
    count, interval_us, jitter = 30_000, 300 * S, 0.1
    cohort = Cohort("fleet", count, (interval_us, round(interval_us * (1 + jitter))), RetryRule(Policy.NONE))
    fleet = ArrayFleet(FleetModel((cohort,), seed=3))

    fleet.start(range(count), Starts(curve(Shape.STEADY, interval_us, count, jitter)))
    fleet.run_until(4 * interval_us)

    [figures] = fleet.figures.cohorts
    in_10_s = figures.requests[: 4 * 300].reshape(-1, 10).sum(axis=1)
    mean = count * 10 / (300 * (1 + jitter / 2))
    assert abs(in_10_s - mean).max() < 5 * mean**0.5


def test_even_starts_over_one_interval_are_not_steady() -> None:
    count, interval_us = 30_000, 300 * S
    fleet = ArrayFleet(FleetModel((Cohort("fleet", count, (interval_us, 330 * S), RetryRule(Policy.NONE)),), seed=3))

    fleet.start(range(count), Starts(curve(Shape.EVEN, interval_us, count)))
    fleet.run_until(4 * interval_us)

    in_10_s = fleet.figures.cohorts[0].requests[: 4 * 300].reshape(-1, 10).sum(axis=1)
    assert in_10_s.min() < 0.6 * in_10_s.mean()
