"""When devices start: the same for one and for many, and steady where they shall be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.arrivals_shape import start_us
from fleetrig.simulator.cohort.chance import words
from fleetrig.simulator.cohort.start_times import residual_us, residuals_us, starts_us
from tests.simulator.cohort.fleets import S

DAY_US = 86_400 * S
CURVES = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 30 * DAY_US)), min_size=1, max_size=5).map(
    lambda points: tuple(zip(sorted(x for x, _ in points), sorted(y for _, y in points), strict=True))
)


@given(CURVES, st.integers(1, 1 << 24), st.lists(st.integers(0, 1 << 24), min_size=1, max_size=20))
def test_many_start_when_each_starts(points: tuple[tuple[int, int], ...], count: int, positions: list[int]) -> None:
    """Exact also where a product would exceed 64 bits: sixteen million devices over a month."""
    positions = [position % count for position in positions]
    expected = [start_us(points, position, count) for position in positions]
    assert starts_us(points, np.array(positions, np.int64), count).tolist() == expected


@pytest.mark.parametrize(
    ("points", "expected_s"),
    [
        (((0, 0), (1000, 0)), [0, 0, 0, 0]),
        (((0, 0), (1000, 80)), [10, 30, 50, 70]),
        (((0, 0), (500, 0), (1000, 80)), [0, 0, 20, 60]),
        (((500, 8), (1000, 16)), [8, 8, 10, 14]),
        (((0, 8), (250, 16), (250, 80), (1000, 80)), [12, 80, 80, 80]),
    ],
)
def test_a_curve_is_read_at_the_middle_of_each_device(points, expected_s) -> None:
    curve = tuple((share, at_s * S) for share, at_s in points)
    assert [start_us(curve, position, 4) / S for position in range(4)] == expected_s


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.tuples(st.integers(0, DAY_US), st.integers(0, DAY_US)))
def test_many_residual_lives_are_those_of_each(drawn: list[int], ends: tuple[int, int]) -> None:
    interval_us = (min(ends), max(ends))
    expected = [residual_us(interval_us, word) for word in drawn]
    assert residuals_us(interval_us, np.array(drawn, np.uint64)).tolist() == expected
    assert all(0 <= each <= interval_us[1] for each in expected)


def test_residual_lives_are_distributed_as_such() -> None:
    """Density P(interval > x)/T: E[X²]/2E[X] is their mean, and of those below `low` each tenth holds as many."""
    low_us, high_us, count = 240 * S, 360 * S, 200_000
    lives_us = residuals_us((low_us, high_us), words(7, np.arange(count), np.zeros(count, np.uint32)))
    mean_of_squares = (high_us**3 - low_us**3) / (3 * (high_us - low_us))
    assert lives_us.mean() == pytest.approx(mean_of_squares / (low_us + high_us), rel=0.005)
    tenths = np.histogram(lives_us, bins=np.linspace(0, low_us, 11))[0]
    assert tenths == pytest.approx(count * low_us / 300e6 / 10, rel=0.03)
    half_us = (low_us + high_us) // 2
    beyond = (high_us - half_us) ** 2 / (2 * (high_us - low_us) * half_us)
    assert np.mean(lives_us > half_us) == pytest.approx(beyond, rel=0.05)
