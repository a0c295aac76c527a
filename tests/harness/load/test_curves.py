"""Seconds of several processes become rows, in order, whoever reports first."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.load.curves import CurveRow, LoadCurves, read_curves, write_curves
from fleetrig.simulator.drivers.load.figures import LoadFigures, SecondOfLoad


def second(started: int, took_s: float = 0.01) -> SecondOfLoad:
    figures = LoadFigures(0.0)
    for _ in range(started):
        figures.started(0.5, 0.5)
        figures.ended(0.5 + took_s, 0.5, 0.5, is_error=False)
    (one,) = figures.take_all().values()
    return one


def test_a_row_is_the_sum_of_all_processes() -> None:
    curves = LoadCurves()
    curves.add("a", 0, second(3), online=5)
    curves.add("b", 0, second(4), online=6)

    (row,) = curves.settle(1)
    assert (row.at_s, row.rate, row.online) == (0, 7, 11)
    assert row.p50_s == pytest.approx(0.01, rel=0.05)


def test_a_second_in_which_nothing_was_sent_is_a_row_too() -> None:
    curves = LoadCurves()
    curves.add("a", 2, second(1), online=1)
    curves.settle(3)

    assert [row.rate for row in curves.rows] == [0, 0, 1]
    assert curves.rows[0].p99_s is None


def test_what_comes_too_late_counts_in_the_totals_and_is_told() -> None:
    curves = LoadCurves()
    curves.settle(2)
    curves.add("worker 2", 0, second(5), online=1)
    curves.settle(3)

    assert curves.totals.started == 5
    assert curves.rows[2].remark == "worker 2 was late"


def test_devices_of_a_lost_worker_are_not_online() -> None:
    curves = LoadCurves()
    curves.add("a", 0, second(1), online=5)
    curves.add("b", 0, second(1), online=6)
    curves.settle(1)
    curves.gone("b")
    curves.add("a", 1, second(1), online=5)

    assert [row.online for row in [*curves.rows, *curves.settle(2)]] == [11, 5]


def test_a_file_of_curves_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [
        CurveRow(0, 3, 1, 0, 0, None, None, None, None, None),
        CurveRow(1, 1024, 5, 1, 2, 0.25, 1.5, 0.5, 2.0, 0.001, "worker 2 is late"),
    ]
    write_curves(rows, tmp_path / "curves.csv")

    assert read_curves(tmp_path / "curves.csv") == rows


def test_another_table_is_no_curve(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")

    with pytest.raises(ValueError, match="expected the columns at_s, rate"):
        read_curves(tmp_path / "x.csv")
