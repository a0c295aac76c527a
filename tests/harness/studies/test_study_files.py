"""The table of a study as a file."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from fleetrig.harness.studies.study_files import write_csv
from fleetrig.harness.studies.study_rows import study_rows
from tests.harness.studies.made import STUDY, plan_of, result

NAMES = """{"=cmd|' /C calc'!A0": {policy: none}, "@b": {policy: full_jitter}, "-a, \\"b\\"": {policy: none}}"""


def test_no_label_is_a_formula_for_a_spreadsheet(tmp_path: Path) -> None:
    """Study files are handed on, and their tables are opened."""
    plan = plan_of(tmp_path, STUDY.replace("{wait: {policy: none}, full jitter: {policy: full_jitter}}", NAMES))
    write_csv(plan, study_rows(plan, map(result, range(18))), tmp_path / "table.csv")

    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["policy"] for row in rows[::6]] == ["'=cmd|' /C calc'!A0", "'@b", '\'-a, "b"']
    assert {row["jitter"] for row in rows} == {"0.1", "0.5"}


def test_a_number_below_zero_stays_one(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, STUDY)
    [row] = study_rows(plan, [result(0)])
    below = replace(row.combination, labels=("wait", "-0.5", "+2"))
    write_csv(plan, [replace(row, combination=below)], tmp_path / "table.csv")

    assert (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()[1].startswith("wait,-0.5,+2,1,")
