"""How much capacity would do, where none of those that were swept does: doubled until it holds, then halved between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.studies.case import CaseResult
from fleetrig.harness.studies.study_rows import StudyRow, study_row
from fleetrig.harness.studies.sweep import Combination, StudyPlan

DOUBLINGS: Final = (2.0, 4.0, 8.0, 16.0, 32.0)
HALVINGS: Final = 4
"""After so many the answer is known to within 1/16 of the gap."""

RunsCombinations = Callable[[Sequence[Combination]], Sequence[CaseResult]]
"""Runs combinations that are not those of the study, in their order."""


@dataclass(frozen=True, slots=True)
class CapacityFound:
    """The combination with the least capacity that keeps the limit; None when none does."""

    row: StudyRow | None
    tried_times: float
    """The largest capacity that was tried, as a multiple of that of the study."""


def search_capacity(plan: StudyPlan, start: StudyRow, tried: RunsCombinations) -> CapacityFound | None:
    """From the row that is closest to the limit. None when the scenario has no param that says the capacity."""
    if not plan.capacity_param or start.first.capacity_per_s is None:
        return None

    def rows_at(factors: Sequence[float]) -> list[StudyRow]:
        combinations = [_with_times(plan, start, factor) for factor in factors]
        results = tried(combinations)
        return [study_row(one, [result], plan.study.limit) for one, result in zip(combinations, results, strict=True)]

    factors = [factor for factor in DOUBLINGS if _can_be(plan, _with_times(plan, start, factor))]
    if not factors:
        return None
    rows = rows_at(factors)
    at = next((number for number, row in enumerate(rows) if row.is_good), None)
    if at is None:
        return CapacityFound(None, factors[-1])
    best, most = rows[at], factors[at]
    least = factors[at - 1] if at else 1.0
    for _ in range(HALVINGS):
        middle = (least + most) / 2
        [row] = rows_at([middle])
        if row.is_good:
            best, most = row, middle
        else:
            least = middle
    return CapacityFound(best, factors[-1])


def _can_be(plan: StudyPlan, combination: Combination) -> bool:
    """There is a largest capacity that a scenario may have."""
    try:
        plan.file.fill(combination.values)
    except FileMistakes:
        return False
    return True


def _with_times(plan: StudyPlan, start: StudyRow, factor: float) -> Combination:
    capacity = round((start.first.capacity_per_s or 0.0) * factor, 3)
    return replace(start.combination, values={**start.combination.values, plan.capacity_param: capacity})
