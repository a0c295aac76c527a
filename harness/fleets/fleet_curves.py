"""The figures of a whole fleet, second by second: all cohorts added up, as long as the longest of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from fleetrig.simulator.cohort.figures import CohortFigures, Counts, FleetFigures

MEAN_OVER_S: Final = 60
"""Over so many seconds a rate is averaged where its mean counts."""


@dataclass(frozen=True, slots=True)
class FleetCurves:
    """As `CohortFigures` has them."""

    requests: Counts
    answered: Counts
    turned_away: Counts
    refused: Counts
    silent: Counts
    late: Counts
    retries: Counts
    came_online: Counts
    went_offline: Counts

    @property
    def seconds(self) -> int:
        return len(self.requests)

    @property
    def failed(self) -> Counts:
        return self.turned_away + self.refused + self.silent + self.late


def fleet_curves(figures: FleetFigures) -> FleetCurves:
    names = [field.name for field in fields(CohortFigures)]
    arrays = {name: [getattr(cohort, name) for cohort in figures.cohorts] for name in names}
    seconds = max((len(array) for all_of_one in arrays.values() for array in all_of_one), default=0)
    return FleetCurves(**{name: _added(all_of_one, seconds) for name, all_of_one in arrays.items()})


def _added(arrays: list[Counts], seconds: int) -> Counts:
    total = np.zeros(seconds, np.int64)
    for array in arrays:
        total[: len(array)] += array
    return total


def sums_over(counts: Counts, seconds: int) -> Counts:
    """How many in each stretch of so many seconds: element i is of those from second i on."""
    if len(counts) < seconds:
        return np.zeros(0, np.int64)
    until = np.concatenate(([0], np.cumsum(counts)))
    return np.asarray(until[seconds:] - until[:-seconds], np.int64)
