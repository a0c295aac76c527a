"""What is counted of a run."""

from __future__ import annotations

import numpy as np

from fleetrig.harness.fleets.findings import Situation, findings_of
from fleetrig.harness.fleets.fleet_curves import fleet_curves
from fleetrig.harness.studies.case_figures import CaseFigures, case_figures, rate_curve
from fleetrig.simulator.cohort.figures import CohortFigures, Counts, FleetFigures

HORIZON_S = 300
SITUATION = Situation(
    steady_per_s=10.0, interval_us=10_000_000, outage_us=(50_000_000, 99_500_000), capacity_per_s=15.0, count=100
)


def counts(*at: tuple[int, int]) -> Counts:
    """(second, number) …"""
    made = np.zeros(HORIZON_S, np.int64)
    for second, number in at:
        made[second] = number
    return made


def cohort(**figures: Counts) -> CohortFigures:
    return CohortFigures(**figures)


def figures_of(*cohorts: CohortFigures) -> CaseFigures:
    """The fault is over in second 100."""
    return case_figures(findings_of(FleetFigures(list(cohorts)), SITUATION))


def test_shares_are_of_what_was_sent_after_the_fault() -> None:
    found = figures_of(
        cohort(requests=counts((50, 500), (100, 30), (110, 70)), refused=counts((50, 500)),
               turned_away=counts((100, 10)), late=counts((110, 5)), retries=counts((50, 250))),
    )  # fmt: skip

    assert (found.requests, found.peak_per_s) == (600, 70)
    assert (found.rejected, found.late, found.errors) == (0.1, 0.05, 0.15)
    assert found.retries == round(250 / 350, 4)


def test_it_is_quiet_after_the_last_request_that_fails() -> None:
    quiet = cohort(requests=counts((100, 1)), silent=counts((139, 1)))

    assert figures_of(quiet).quiet_s == 40


def test_it_is_quiet_at_once_when_only_the_fault_made_requests_fail() -> None:
    assert figures_of(cohort(refused=counts((99, 7)))).quiet_s == 0


def test_a_lull_at_the_end_is_no_quiet() -> None:
    assert figures_of(cohort(turned_away=counts((239, 1)))).quiet_s == 140
    assert figures_of(cohort(turned_away=counts((240, 1)))).quiet_s is None


def test_they_are_back_when_99_of_100_stay_online() -> None:
    gone = cohort(came_online=counts((0, 100), (150, 98), (160, 1)), went_offline=counts((60, 100)))
    again = cohort(came_online=counts((0, 100), (200, 2)), went_offline=counts((170, 2)))

    assert figures_of(gone).back_s == 60
    assert figures_of(again).back_s == 100
    assert figures_of(cohort(came_online=counts((0, 98)))).back_s is None


def test_a_curve_has_bins_that_lose_nothing() -> None:
    many = np.arange(1_000, dtype=np.int64)
    curve = rate_curve(fleet_curves(FleetFigures([CohortFigures(requests=many, silent=many, late=many)])))

    assert curve.step_s == 3
    assert curve.requests[:2] == (0 + 1 + 2, 3 + 4 + 5)
    assert curve.busiest[:2] == (2, 5)
    assert sum(curve.requests) == many.sum()
    assert curve.failed[1] == 2 * (3 + 4 + 5)
    assert set(curve.rejected) == {0}
