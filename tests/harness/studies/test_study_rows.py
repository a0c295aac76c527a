"""Rows: means over seeds, and what of the limit is not kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.studies.study_file import StudyLimit
from fleetrig.harness.studies.study_rows import Mean, mean_of, study_row, study_rows
from fleetrig.harness.studies.sweep import Combination
from tests.harness.studies.made import plan_of, result

ONE = Combination(0, ("a",), {})


def missed(limit: dict[str, object], **figures: Any) -> list[str]:
    row = study_row(ONE, [result(0, **figures)], StudyLimit.model_validate(limit))
    return [miss.text for miss in row.misses]


def test_each_part_of_a_limit_is_judged() -> None:
    limit: dict[str, object] = {
        "rejected": "1%", "late": 0, "errors": "2%", "quiet_within": "1m", "back_within": "90s", "peak": "2x",
    }  # fmt: skip

    assert missed(limit) == []
    assert missed(limit, rejected=0.032, late=0.0001, errors=0.0321, quiet_s=75, back_s=None, peak_per_s=21) == [
        "rejected 3.2 % (at most 1%)",
        "late <0.1 % (at most 0)",
        "errors 3.2 % (at most 2%)",
        "quiet after 1 min 15 s (within 1 min)",
        "never back within the run (within 1 min 30 s)",
        "a peak of 2.1 times the steady rate (at most 2)",
    ]


def test_a_limit_must_hold_with_every_seed() -> None:
    results = [result(0, 1, rejected=0.0), result(0, 2, rejected=0.5), result(0, 3, rejected=0.02)]
    row = study_row(ONE, results, StudyLimit.model_validate({"rejected": "1%"}))

    assert [miss.text for miss in row.misses] == ["rejected 50 % (at most 1%)"]
    assert row.off_by == pytest.approx(50)


def test_a_mean_has_the_interval_of_students_t() -> None:
    assert mean_of([4.0]) == Mean(4.0)
    assert mean_of([1.0, 2.0, 3.0]) == Mean(2.0, 4.303 / 3**0.5)
    assert mean_of([1.0, None]) is None
    assert mean_of([]) is None


def test_results_come_together_by_combination_whatever_their_order(tmp_path: Path) -> None:
    rows = study_rows(plan_of(tmp_path), [result(3, 2, quiet_s=80), result(0), result(3, 1, quiet_s=60)])

    assert [row.combination.number for row in rows] == [0, 3]
    assert [one.seed for one in rows[1].results] == [1, 2]
    assert rows[1].mean("requests") == Mean(10_000, 0.0)
