"""When devices start, in whole microseconds: by a curve for many at once, in equilibrium for one and for many.

In equilibrium a polling device has a residual life before its next request: with the probability that an interval is
longer than x, divided by the mean interval, as density. Of an interval drawn from `low … high` that is evenly below
`low`, else `low` plus the smaller of two even draws of `high − low`. (Even phases over one interval would not be
steady: the tail of the first cycle meets the head of the second, half as many requests again.)
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from fleetrig.simulator.arrivals_shape import ALL, Points
from fleetrig.simulator.cohort.chance import ChanceWords, Ints, draws, part_of, second_draws

HALF_BITS: Final = 18
"""Products of two numbers below 2³⁴ exceed an int64; taken apart here, they do not."""


def starts_us(points: Points, positions: Ints, count: int) -> Ints:
    """`arrivals_shape.start_us` of many."""
    place, whole = ALL * (2 * positions + 1), 2 * count
    starts_us = np.full(positions.size, points[-1][1], np.int64)
    is_open = place > points[0][0] * whole
    starts_us[~is_open] = points[0][1]
    for (left, left_us), (right, right_us) in pairwise(points):
        here = is_open & (place <= right * whole)
        is_open &= ~here
        starts_us[here] = left_us + _share_of(right_us - left_us, place[here] - left * whole, (right - left) * whole)
    return starts_us


def _share_of(span_us: int, part: Ints, whole: int) -> Ints:
    """`span_us · part // whole`, for `part ≤ whole`."""
    if not part.size:
        return part
    each_us, rest = divmod(span_us, whole)
    high, remainder = np.divmod((rest >> HALF_BITS) * part, whole)
    low = ((remainder << HALF_BITS) + (rest & ((1 << HALF_BITS) - 1)) * part) // whole
    share_us: Ints = each_us * part + (high << HALF_BITS) + low
    return share_us


def residual_us(interval_us: tuple[int, int], word: int) -> int:
    """How long after a random moment a device asks that waits for such an interval between its requests."""
    low_us, high_us = interval_us
    place_us = part_of(low_us + high_us, word >> 32)
    if place_us < 2 * low_us:
        return place_us // 2
    return low_us + min(place_us - 2 * low_us, part_of(high_us - low_us, word & 0xFFFF_FFFF))


def residuals_us(interval_us: tuple[int, int], words: ChanceWords) -> Ints:
    """`residual_us` of many."""
    low_us, high_us = interval_us
    place_us = part_of(low_us + high_us, draws(words))
    beyond_us = np.minimum(place_us - 2 * low_us, part_of(high_us - low_us, second_draws(words)))
    return np.where(place_us < 2 * low_us, place_us // 2, low_us + beyond_us)
