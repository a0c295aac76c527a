"""The table in the terminal."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from fleetrig.harness.studies.study_rows import study_rows
from fleetrig.harness.studies.study_table import WIDTH, table_lines
from tests.harness.studies.made import STUDY, plan_of, result


def test_capacities_stand_side_by_side(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    results = [
        result(0, capacity_per_s=15.0, quiet_s=None, rejected=0.4),
        result(1, capacity_per_s=20.0, quiet_s=400, rejected=0.0004),
        result(2, capacity_per_s=40.0, quiet_s=0),
        result(4, capacity_per_s=20.0, quiet_s=45, rejected=0.009, peak_per_s=34),
        result(9, capacity_per_s=15.0, collapsed=True, rejected=0.9),
    ]

    assert "\n".join(table_lines(plan, study_rows(plan, results))) == dedent("""\
        policy       jitter  peak  1.5x 15/s     2x 20/s       4x 40/s       needs
        wait         0.1     2.0x    never  40%    6m40s <.1%  ✔    0s   0%  4x
                     0.5     3.4x  -             ✔   45s 0.9%  -             2x
        full jitter  0.5     2.0x    collapses   -             -             -""")


def test_what_does_not_fit_beside_the_others_follows_below(tmp_path: Path) -> None:
    rates = ", ".join(f"{number}x" for number in range(2, 14))
    plan = plan_of(tmp_path, STUDY.replace("[1.5x, 2x, 4x]", f"[{rates}]"))
    lines = list(table_lines(plan, study_rows(plan, [result(number, quiet_s=100) for number in range(48)])))

    assert max(map(len, lines)) <= WIDTH
    headings = [line for line in lines if line.startswith("policy")]
    assert len(headings) > 1
    assert " ".join(headings).count("x 15/s") == 12


def test_a_mean_over_seeds_is_shown(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    rows = study_rows(plan, [result(0, seed, quiet_s=10 * seed) for seed in (1, 2, 3)])

    assert any("✔   20s   0%" in line for line in table_lines(plan, rows))
