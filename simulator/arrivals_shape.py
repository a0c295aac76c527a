"""When the devices of a fleet are switched on: shapes of arrivals, the same for every engine. Whole numbers, no chance.

A shape is a curve of (thousandths of the devices, thousandths of the spread), both never falling: when so many are on.
Device i of n is switched on where the curve is at (2i + 1)/(2n): in the middle of its share. (`even` lies half a share
earlier, so that the first begins at once.)

    even      ______________   a line that switches on one after the other
    at_once   |                a switch for all of them
    city      || | |  |        power returns to a city, district by district, the largest first
    daily     _.-'''-._        people switch on: few at night, most at noon; the spread is the day
    step      ____------       from the middle on nine times as many as before
    spike     _____|'|_____    half of them within a fiftieth of the time, in the middle
    steady    ____________.    as if they had been on for long: the spread is their interval, its jitter is counted in
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Final

ALL: Final = 1000
"""Thousandths."""
HOURS: Final = 48
"""A day is drawn in so many straight lines."""
TAIL_LINES: Final = 8
"""The same of the end of `steady`, where the rate falls."""

Points = tuple[tuple[int, int], ...]


class Shape(StrEnum):
    EVEN = "even"
    """One after the other, evenly over the spread."""
    AT_ONCE = "at_once"
    """All together; it takes no spread."""
    CITY = "city"
    """Power returns district by district, the largest first."""
    DAILY = "daily"
    """Few at the beginning and the end, most in the middle, as over a day."""
    STEP = "step"
    """From the middle on nine times as many as before."""
    SPIKE = "spike"
    """Half of them within a fiftieth of the time, in the middle."""
    STEADY = "steady"
    """As if they had been on for long, so that their rate is even from the beginning: the spread is their interval, and
    `poll_jitter` comes on top."""


def _daily() -> Points:
    """The rate is 1 - cos: nothing at midnight, twice the mean at noon."""
    times = (position / HOURS for position in range(HOURS + 1))
    return tuple(
        (round(ALL * (time - math.sin(2 * math.pi * time) / (2 * math.pi))), round(ALL * time)) for time in times
    )


CURVES: Final[Mapping[Shape, Points]] = {
    Shape.EVEN: ((0, 0), (ALL, ALL)),
    Shape.AT_ONCE: ((0, 0), (ALL, 0)),
    Shape.CITY: ((0, 0), (350, 10), (350, 200), (600, 210), (600, 400), (800, 410), (800, 600), (920, 610),
                 (920, 900), (ALL, ALL)),
    Shape.DAILY: _daily(),
    Shape.STEP: ((0, 0), (100, 500), (ALL, ALL)),
    Shape.SPIKE: ((0, 0), (250, 490), (750, 510), (ALL, ALL)),
}  # fmt: skip


def steady(interval_us: int, jitter: float) -> Points:
    """How long devices still wait that wait for `interval_us` … `interval_us · (1 + jitter)`, seen at some moment.

    The density of x is P(wait > x) over the mean wait. (Starts that are even over the interval alone would leave a gap
    and a crowd where its end meets the first devices' second requests.)
    """
    share = ALL / (1 + jitter / 2)
    parts = (part / TAIL_LINES for part in range(TAIL_LINES + 1))
    tail = (
        (round(share + (ALL - share) * (1 - (1 - part) ** 2)), round(interval_us * (1 + jitter * part)))
        for part in parts
    )
    return ((0, 0), *tail)


def curve(shape: Shape, spread_us: int, count: int, jitter: float = 0.0) -> Points:
    """(thousandths of the devices, microseconds after the beginning), for so many devices.

    `jitter`: by how much their intervals are longer at most, as a share; for `steady`.
    """
    if shape is Shape.STEADY:
        return steady(spread_us, jitter)
    if shape is Shape.EVEN:
        half_us = spread_us // (2 * max(1, count))
        return ((0, -half_us), (ALL, spread_us - half_us))
    return tuple((share, time * spread_us // ALL) for share, time in CURVES[shape])


def start_us(points: Points, position: int, count: int) -> int:
    """When device `position` of `count` is switched on, by such a curve."""
    at, of = (2 * position + 1) * ALL, 2 * count
    if at <= points[0][0] * of:
        return points[0][1]
    for (left, begin_us), (right, end_us) in pairwise(points):
        if at <= right * of:
            return begin_us + (at - left * of) * (end_us - begin_us) // ((right - left) * of)
    return points[-1][1]
