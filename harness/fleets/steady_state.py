"""When a fleet is quiet again: when its rate is near the steady one and stays there for a whole interval.

A herd comes back as an echo, one interval later: a rate that is near the steady one for a minute says nothing.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from fleetrig.harness.fleets.fleet_curves import MEAN_OVER_S, sums_over
from fleetrig.simulator.cohort.figures import Counts

NEAR: Final = 0.1
CHANCE: Final = 3.0
"""Standard deviations of a count: a small fleet strays by more than a tenth, and is steady all the same."""


def band_of(steady_per_s: float) -> float:
    """How far the mean over a minute may stray, as a share of the steady rate: a tenth, or what chance alone does."""
    expected = steady_per_s * MEAN_OVER_S
    return max(NEAR, CHANCE / math.sqrt(expected)) if expected > 0 else 0.0


def steady_from_s(requests: Counts, steady_per_s: float, interval_s: int, from_s: int) -> int | None:
    """The second, at `from_s` or later, from which the mean over a minute stays near the steady rate for an interval.

    None: not within the run. Of a connected fleet, which has nothing to say, the steady rate is 0.
    """
    expected = steady_per_s * MEAN_OVER_S
    means = sums_over(requests[from_s:], MEAN_OVER_S)
    is_near = np.abs(means - expected) <= band_of(steady_per_s) * expected
    run = max(interval_s, MEAN_OVER_S)
    whole = np.flatnonzero(sums_over(is_near.astype(np.int64), run) == run)
    return from_s + int(whole[0]) if whole.size else None
