"""Performs what is left of a study, and puts its results together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleetrig.harness.studies.capacity_search import CapacityFound, search_capacity
from fleetrig.harness.studies.case import CaseOrder, CaseResult, Performer
from fleetrig.harness.studies.case_store import CaseWriter
from fleetrig.harness.studies.crew import Crew
from fleetrig.harness.studies.recommendation import best_row
from fleetrig.harness.studies.study_rows import StudyRow
from fleetrig.harness.studies.sweep import Combination, StudyPlan


def orders_left(plan: StudyPlan, seed: int, done: Sequence[CaseResult]) -> list[CaseOrder]:
    """Every combination with every seed that has no result yet. The first seed keeps its curve, for pictures."""
    there = {(result.number, result.seed) for result in done}
    return [
        CaseOrder(one.number, plan.file, one.values, seed + beside, keeps_curve=beside == 0)
        for one in plan.combinations
        for beside in range(plan.study.seeds)
        if (one.number, seed + beside) not in there
    ]


def run_orders(
    orders: Sequence[CaseOrder], crew: Crew, perform: Performer, writer: CaseWriter, advance: Callable[[], object]
) -> None:
    """Each result is written as it comes."""
    for result in crew.each(perform, orders):
        writer.add(result)
        advance()


@dataclass(frozen=True, slots=True)
class CapacitySeeker:
    """Runs what a search for capacity asks for."""

    plan: StudyPlan
    seed: int
    crew: Crew
    perform: Performer

    def capacity_for(self, rows: Sequence[StudyRow]) -> CapacityFound | None:
        """None when a row keeps the limit, or no capacity can be set."""
        best = best_row(rows)
        return None if best is None or best.is_good else search_capacity(self.plan, best, self._run)

    def _run(self, combinations: Sequence[Combination]) -> list[CaseResult]:
        """Numbered anew, so that results find their combinations."""
        orders = [
            CaseOrder(place, self.plan.file, one.values, self.seed, keeps_curve=False)
            for place, one in enumerate(combinations)
        ]
        return sorted(self.crew.each(self.perform, orders), key=lambda result: result.number)
