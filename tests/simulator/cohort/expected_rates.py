"""The mean rate of a fleet through an outage, second by second, computed and not simulated.

Devices in equilibrium meet an outage at the moment of their next poll; from then on each is a chain of delays. How many
are about to try, and in which state (failures in a row, or the delay before), is carried forward from cell to cell of
time. There is no server here that could be too slow, no budget and no noise: one run of an engine lies about this
curve, and the mean of many on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.simulator.backoff import Backoff, Delay, Policy
from fleetrig.simulator.cohort.formulas import mean_s

Rates = NDArray[np.float64]
MOST_FAILURES_APART: Final = 64
"""Failures in a row that are told apart."""


@dataclass(frozen=True, slots=True)
class PollingFleet:
    """Intervals are drawn evenly from `least_s` … `most_s`; who fails knows it at once."""

    count: int
    least_s: float
    most_s: float
    backoff: Backoff
    retry_after_s: float | None = None
    """A front that still answers during the outage names it."""

    @property
    def steady_per_s(self) -> float:
        return self.count / ((self.least_s + self.most_s) / 2)

    def delay(self, failures: int, previous_s: float | None = None) -> Delay:
        jitter = self.most_s / self.least_s - 1
        return self.backoff.delay(
            failures,
            interval_s=self.least_s,
            interval_jitter=jitter,
            previous_s=previous_s,
            retry_after_s=self.retry_after_s,
        )


def expected_rates(fleet: PollingFleet, outage_s: int, until_s: int) -> Rates:
    """Requests of each second, from the beginning of the outage on. Raises ValueError for what has no rate."""
    if fleet.backoff.policy is Policy.IMMEDIATE or fleet.backoff.budget is not None:
        raise ValueError("expected a policy without a budget that waits at all")
    per_s = cells_per_s(fleet)
    cells, ends, cell_s = until_s * per_s, outage_s * per_s, 1 / per_s
    interval = spread(Delay(fleet.least_s, fleet.most_s), cell_s)
    polls = np.zeros(cells)
    first = residual_life(fleet.least_s, fleet.most_s, cell_s)[:cells] * fleet.count
    polls[: first.size] += first
    chain = _chain(fleet, cells, cell_s)
    for cell in range(cells):
        if cell < ends:
            chain.fail(cell, float(polls[cell]))
        else:
            until = min(cells, cell + interval.size)
            polls[cell:until] += (polls[cell] + chain.due[cell].sum()) * interval[: until - cell]
    return np.asarray((polls + chain.due.sum(axis=1)).reshape(-1, per_s).sum(axis=1), np.float64)


def cells_per_s(fleet: PollingFleet) -> int:
    """So many that a mean delay is at least two of them."""
    shortest_s = min(mean_s(fleet.delay(failures)) for failures in range(1, MOST_FAILURES_APART))
    return next((per_s for per_s in (1, 2, 4) if shortest_s * per_s >= 2), 10)


class _ByFailures:
    """State n: has failed n times in a row; the last one stands for all more, whose delays are the same."""

    def __init__(self, fleet: PollingFleet, cells: int, cell_s: float) -> None:
        settled = fleet.delay(MOST_FAILURES_APART)
        ends = (n for n in range(1, MOST_FAILURES_APART) if fleet.delay(n) == fleet.delay(n + 1) == settled)
        self._masses = [later(fleet.delay(n), cell_s) for n in range(1, next(ends, MOST_FAILURES_APART) + 1)]
        self._by_state = np.zeros((len(self._masses), cells))

    @property
    def due(self) -> Rates:
        """Cell and state -> how many try then."""
        return self._by_state.T

    def fail(self, cell: int, polls: float) -> None:
        last = len(self._masses) - 1
        trying = self._by_state[:, cell].tolist()
        trying[0] += polls
        for state in range(last + 1):
            if trying[state]:
                to = self._by_state[min(state + 1, last)]
                until = min(to.size, cell + self._masses[state].size)
                to[cell:until] += trying[state] * self._masses[state][: until - cell]


class _ByDelayBefore:
    """State 0: has not failed before; n: has waited for n cells."""

    def __init__(self, fleet: PollingFleet, cells: int, cell_s: float) -> None:
        if fleet.backoff.breaker is not None:
            raise ValueError("expected decorrelated jitter without a breaker: its state would be two numbers")
        first = later(fleet.delay(1), cell_s)
        states = int(max(fleet.backoff.cap_s / cell_s + 2, first.size))
        rows = [first, *(later(fleet.delay(2, state * cell_s), cell_s) for state in range(1, states))]
        self._masses = np.zeros((states, states))
        for state, row in enumerate(rows):
            self._masses[state, : row.size] = row[:states]
        self.due = np.zeros((cells, states))

    def fail(self, cell: int, polls: float) -> None:
        trying = self.due[cell].copy()
        trying[0] += polls
        coming = trying @ self._masses
        waits = np.arange(min(coming.size, len(self.due) - cell))
        self.due[cell + waits, waits] += coming[waits]


def _chain(fleet: PollingFleet, cells: int, cell_s: float) -> _ByFailures | _ByDelayBefore:
    if fleet.backoff.policy is Policy.DECORRELATED_JITTER and fleet.backoff.asked(fleet.retry_after_s) is None:
        return _ByDelayBefore(fleet, cells, cell_s)
    return _ByFailures(fleet, cells, cell_s)


def spread(delay: Delay, cell_s: float) -> Rates:
    """The probability of each number of cells. A moment between two cells counts for both: so the mean is right."""
    least_s, most_s, cap_s = delay.at_least_s, min(delay.at_most_s, delay.capped_at_s), delay.capped_at_s
    masses = np.zeros(int(most_s / cell_s) + 3)
    width_s = delay.at_most_s - delay.at_least_s
    if width_s <= 0 or most_s <= least_s:
        _add_point(masses, min(least_s, cap_s) / cell_s, 1.0)
        return masses
    edges = np.clip((np.arange(masses.size + 1) - 0.5) * cell_s, least_s, most_s)
    masses += np.diff(edges) / width_s
    _add_point(masses, most_s / cell_s, (delay.at_most_s - most_s) / width_s)
    return masses


def later(delay: Delay, cell_s: float) -> Rates:
    """The same of a delay, which is never over in the cell in which it begins."""
    masses = spread(delay, cell_s)
    masses[1] += masses[0]
    masses[0] = 0.0
    return masses


def _add_point(masses: Rates, at: float, mass: float) -> None:
    whole = int(at)
    masses[whole] += mass * (1 - (at - whole))
    masses[whole + 1] += mass * (at - whole)


def residual_life(least_s: float, most_s: float, cell_s: float) -> Rates:
    """When the next poll comes of a device that has been on for long: its density is P(interval > x)/T."""
    edges = np.arange(int(most_s / cell_s) + 2) * cell_s
    mean_s = (least_s + most_s) / 2
    over = np.clip(edges - least_s, 0.0, most_s - least_s)
    width_s = max(most_s - least_s, 1e-12)
    below = np.where(edges <= least_s, edges, least_s + over - over**2 / (2 * width_s)) / mean_s
    return np.asarray(np.diff(below), np.float64)
