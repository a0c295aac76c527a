"""The echo of a herd: devices that came together come together again one interval later, until jitter has spread them.

What is measured is the part of the rate that swings with the period of the interval, cycle by cycle.
`formulas.echo_factor` says how much of it is left after each cycle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import geometric_mean
from typing import Final

import numpy as np

from fleetrig.simulator.cohort.figures import Counts

MOST_CYCLES: Final = 1_000
WORTH_TELLING: Final = 0.1
"""The swing of the first interval, as a share of the steady rate: less is within what counts as steady."""
ABOVE_NOISE: Final = 3.0
"""A swing counts as one when it is so many times as large as what chance alone makes."""


@dataclass(frozen=True, slots=True)
class Echo:
    """Swings as shares of the steady rate, one for each interval since the fault was over."""

    swings: tuple[float, ...]
    noise: float
    """The swing that chance alone makes."""

    @property
    def factor(self) -> float | None:
        """What is left of a swing after one more interval; None where there are not two above the noise."""
        clear = self.clear
        if len(clear) < 2:
            return None
        return geometric_mean([after / before for before, after in pairwise(clear)])

    @property
    def clear(self) -> tuple[float, ...]:
        """Those from the first on that are above the noise."""
        under = (n for n, swing in enumerate(self.swings) if swing <= ABOVE_NOISE * self.noise)
        return self.swings[: next(under, len(self.swings))]

    @property
    def is_heard(self) -> bool:
        """A herd came back often enough, and in numbers that somebody would notice."""
        return self.factor is not None and self.clear[0] >= WORTH_TELLING


def echo_of(requests: Counts, steady_per_s: float, period_s: float, from_s: int) -> Echo:
    """`period_s`: the mean interval between two polls of a device."""
    if steady_per_s <= 0 or period_s < 2:
        return Echo((), 0.0)
    after = requests[from_s:]
    cycles = min(MOST_CYCLES, int(len(after) / period_s))
    swings = tuple(_swing(after, cycle, period_s) / steady_per_s for cycle in range(cycles))
    return Echo(swings, math.sqrt(math.pi / (steady_per_s * period_s)))


def _swing(requests: Counts, cycle: int, period_s: float) -> float:
    """The amplitude of the wave with that period, in requests a second."""
    begin, end = round(cycle * period_s), round((cycle + 1) * period_s)
    turns = 2 * np.pi / period_s * np.arange(begin, end)
    of_cycle = requests[begin:end] - requests[begin:end].mean()
    return float(2 / (end - begin) * abs(np.sum(of_cycle * np.exp(-1j * turns))))


def likeness(requests: Counts, steady_per_s: float, period_s: float, from_s: int) -> float | None:
    """Autocorrelation of the rate at one period: 1 for a fleet in lockstep, 0 for one that forgot the herd."""
    shift, after = round(period_s), requests[from_s:] - steady_per_s
    if len(after) <= 2 * shift or shift < 1:
        return None
    first, second = after[:-shift], after[shift:]
    size = math.sqrt(float(np.sum(first**2)) * float(np.sum(second**2)))
    return float(np.sum(first * second)) / size if size else None
