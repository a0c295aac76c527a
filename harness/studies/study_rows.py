"""The runs of a study, put together: one row for each combination, means over its seeds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fleetrig.harness.fleets.confidence import estimate
from fleetrig.harness.studies.case import CaseResult
from fleetrig.harness.studies.judgement import Miss, misses
from fleetrig.harness.studies.study_file import StudyLimit
from fleetrig.harness.studies.sweep import Combination, StudyPlan


@dataclass(frozen=True, slots=True)
class Mean:
    """Of several seeds, with half the width of its 95 % interval; 0 for one seed, where nothing is known of it."""

    value: float
    plus_minus: float = 0.0


def mean_of(values: Iterable[float | None]) -> Mean | None:
    """None as soon as one of them is None: what never came has no mean."""
    found = list(values)
    known = [value for value in found if value is not None]
    if not known or len(known) < len(found):
        return None
    found_mean = estimate(known)
    return Mean(found_mean.mean, found_mean.half_width if found_mean.count > 1 else 0.0)


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One combination, with the results of its seeds in their order; at least one."""

    combination: Combination
    results: tuple[CaseResult, ...]
    misses: tuple[Miss, ...]
    """Of the seed that is furthest from the limit; empty when it holds with every seed."""

    @property
    def is_good(self) -> bool:
        return not self.misses

    @property
    def off_by(self) -> float:
        """How far from the limit: 0 when it holds."""
        return math.prod(max(1.0, miss.factor) for miss in self.misses) if self.misses else 0.0

    @property
    def first(self) -> CaseResult:
        return self.results[0]

    def mean(self, figure: str) -> Mean | None:
        """`quiet_s`, `rejected` …; None where a seed has none."""
        return mean_of(getattr(result.figures, figure) for result in self.results)

    @property
    def has_collapsed(self) -> bool:
        return any(result.figures.collapsed for result in self.results)

    @property
    def times_capacity(self) -> float | None:
        """Its server's capacity as a multiple of its steady rate."""
        capacity = self.first.capacity_per_s
        return capacity / self.first.steady_per_s if capacity is not None and self.first.steady_per_s else None


def study_rows(plan: StudyPlan, results: Iterable[CaseResult]) -> tuple[StudyRow, ...]:
    """In the order of the combinations; those without any result are left out."""
    by_number: dict[int, list[CaseResult]] = defaultdict(list)
    for result in results:
        by_number[result.number].append(result)
    return tuple(
        study_row(plan.combinations[number], by_number[number], plan.study.limit) for number in sorted(by_number)
    )


def study_row(combination: Combination, results: Iterable[CaseResult], limit: StudyLimit) -> StudyRow:
    in_order = tuple(sorted(results, key=lambda result: result.seed))
    missed = [misses(result, limit) for result in in_order]
    worst = max(missed, key=lambda one: math.prod(max(1.0, miss.factor) for miss in one) if one else 0.0)
    return StudyRow(combination, in_order, worst)
