"""Confidence intervals, against what a table says, and how often they hold the mean."""

from __future__ import annotations

import math
import random

import pytest

from fleetrig.harness.fleets.confidence import estimate


def test_a_known_sample() -> None:
    """Of 4, 5, 6, 7: mean 5.5, s = 1.29, t = 3.182."""
    found = estimate([4, 5, 6, 7])
    assert found.mean == 5.5
    assert found.half_width == pytest.approx(3.182 * 1.29099 / 2, rel=1e-4)
    assert str(found) == "5.5 ± 2.1"


def test_one_seed_says_nothing_of_others() -> None:
    found = estimate([3.0])
    assert (found.mean, found.half_width) == (3.0, math.inf)
    assert str(found) == "3 (one seed)"
    with pytest.raises(ValueError, match="at least one value"):
        estimate([])


@pytest.mark.parametrize("count", [3, 20, 40])
def test_the_true_mean_lies_inside_in_95_of_100_cases(count: int) -> None:
    chance = random.Random(7)
    inside = sum(
        abs((found := estimate([chance.gauss(10, 2) for _ in range(count)])).mean - 10) <= found.half_width
        for _ in range(2_000)
    )
    assert 0.93 < inside / 2_000 < 0.97
