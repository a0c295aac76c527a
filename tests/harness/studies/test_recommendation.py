"""The advice in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleetrig.harness.studies.capacity_search import CapacityFound, search_capacity
from fleetrig.harness.studies.case import CaseResult
from fleetrig.harness.studies.recommendation import recommendation
from fleetrig.harness.studies.study_rows import StudyRow, study_rows
from fleetrig.harness.studies.sweep import Combination, StudyPlan
from tests.harness.studies.made import plan_of, result

CAPACITIES = (15.0, 20.0, 40.0)


def results(plan: StudyPlan, **of: Any) -> list[CaseResult]:
    """Of all combinations: all alike, but for those of `c0`, `c1` …."""
    return [
        result(number, capacity_per_s=CAPACITIES[number % 3], **of.get(f"c{number}", {"rejected": 0.2}))
        for number in range(len(plan.combinations))
    ]


def sentence(plan: StudyPlan, found: CapacityFound | None = None, **of: Any) -> str:
    return recommendation(plan, study_rows(plan, results(plan, **of)), found).sentence


def test_the_least_capacity_that_keeps_the_limit_is_advised(tmp_path: Path) -> None:
    said = sentence(plan_of(tmp_path), c1={"quiet_s": 50}, c5={"quiet_s": 0}, c7={"quiet_s": 70, "rejected": 0.003})

    assert said == (
        "With a server of 2 times the steady rate (20 requests/s), take «wait», jitter 0.1: quiet after 50 s, "
        "0 % rejected, devices back after 1 min 30 s; "
        "the next best is «full jitter», jitter 0.1 (quiet after 1 min 10 s, "
        "0.3 % rejected, devices back after 1 min 30 s); with less capacity nothing keeps the limit."
    )


def test_the_sooner_quiet_is_better_then_the_less_rejected(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    assert "take «full jitter», jitter 0.5:" in sentence(plan, c1={"quiet_s": 50}, c10={"quiet_s": 40})
    assert "take «full jitter», jitter 0.5:" in sentence(plan, c1={"rejected": 0.002}, c10={"rejected": 0.001})


def test_it_says_when_nothing_else_keeps_the_limit(tmp_path: Path) -> None:
    assert "; nothing else keeps the limit; with less" in sentence(plan_of(tmp_path), c1={})


def test_it_says_when_nothing_keeps_the_limit_and_what_would(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    closest: Any = {"c8": {"rejected": 0.015}}
    row = study_rows(plan, [result(8, capacity_per_s=55.0)])[0]

    assert sentence(plan, **closest) == (
        "None of the 12 combinations keeps the limit; the closest is «full jitter», jitter 0.1 with 4 times the steady "
        "rate (40 requests/s): rejected 1.5 % (at most 1%)."
    )
    assert sentence(plan, CapacityFound(row, 32), **closest).endswith(
        "(at most 1%); it would with about 5.5 times the steady rate (55 requests/s)."
    )
    assert sentence(plan, CapacityFound(None, 32), **closest).endswith(
        "; more capacity does not help, even 32 times as much: change what the devices do."
    )


def test_it_says_how_far_an_interrupted_study_had_come(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    rows = study_rows(plan, results(plan, c1={})[:5])

    assert recommendation(plan, rows, is_partial=True).sentence.startswith(
        "So far (5 of 12 combinations run): With a server of 2 times the steady rate"
    )
    assert recommendation(plan, [], is_partial=True).row is None


def searched(plan: StudyPlan, enough: float) -> tuple[CapacityFound | None, list[float]]:
    """From 40 requests/s, where a server of `enough` would do; and what was tried."""
    tried: list[float] = []

    def run(combinations: Sequence[Combination]) -> list[CaseResult]:
        capacities = [one.values["capacity"] for one in combinations]
        tried.extend(capacities)
        return [result(0, capacity_per_s=one, rejected=0.0 if one >= enough else 0.5) for one in capacities]

    return search_capacity(plan, start_row(plan), run), tried


def start_row(plan: StudyPlan, capacity_per_s: float = 40.0) -> StudyRow:
    return study_rows(plan, [result(8, capacity_per_s=capacity_per_s, rejected=0.5)])[0]


def test_no_capacity_is_tried_that_no_scenario_can_have(tmp_path: Path) -> None:
    tried: list[float] = []

    def run(combinations: Sequence[Combination]) -> list[CaseResult]:
        tried.extend(one.values["capacity"] for one in combinations)
        return [result(0, rejected=0.5) for _ in combinations]

    plan = plan_of(tmp_path)

    assert search_capacity(plan, start_row(plan, 200_000.0), run) == CapacityFound(None, 4)
    assert tried == [400_000, 800_000]
    assert search_capacity(plan, start_row(plan, 900_000.0), run) is None


def test_the_capacity_that_would_do_is_found_by_doubling_and_halving(tmp_path: Path) -> None:
    found, tried = searched(plan_of(tmp_path), enough=100.0)

    assert found is not None
    assert found.row is not None
    assert found.row.first.capacity_per_s == 100.0
    assert tried == [80, 160, 320, 640, 1280, 120, 100, 90, 95]


def test_no_capacity_may_do(tmp_path: Path) -> None:
    found, tried = searched(plan_of(tmp_path), enough=1e9)

    assert found == CapacityFound(None, 32)
    assert tried == [80, 160, 320, 640, 1280]


def test_nothing_is_searched_where_no_param_says_the_capacity(tmp_path: Path) -> None:
    found, tried = searched(replace(plan_of(tmp_path), capacity_param=""), enough=1.0)

    assert (found, tried) == (None, [])
