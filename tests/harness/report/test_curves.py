"""Curves of runs: side by side, on one scale, in a terminal and as a page."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree import ElementTree as ET

from rich.console import Console

from fleetrig.harness.report.console import ConsoleReport
from fleetrig.harness.report.curve_groups import CurveGroup, RunCurve, groups_of
from fleetrig.harness.report.curve_page import LOOKS, curve_sections
from fleetrig.harness.report.curve_text import curve_lines
from fleetrig.harness.verdict import Curve, PhaseResult, Report, Verdict

STEEP = Curve("login requests", 1.0, ((1, 80), (2, 40), (61, 80)))
FLAT = Curve("login requests", 1.0, ((1, 10), (30, 8)))


def report(name: str, *curves: Curve, seed: int = 1) -> Report:
    phases = (PhaseResult("it is back", (), 70.0, curves=curves),)
    return Report(name, "It works", Verdict.PASSED, phases=phases, seed=seed, time="virtual")


BOTH = [report("x/storm[reconnect=kura]", STEEP), report("x/storm[reconnect=full-jitter]", FLAT)]


def printed(reports: list[Report]) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    ConsoleReport(console).finish(reports, {}, took_s=1.0)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_nine_runs_are_told_apart_without_colours() -> None:
    dashes = [dashes for _, dashes in LOOKS]
    assert len(set(dashes)) == len(dashes) >= 9
    assert len({colour for colour, _ in LOOKS}) == len(LOOKS)


def test_runs_of_a_matrix_stand_below_each_other_on_one_scale() -> None:
    assert (
        printed(BOTH)
        == """
x/storm: login requests in each 1 s of phase «it is back»

  reconnect=kura: 80 in the fullest 1 s, 200 in all, the last after 61 s
        80 │█                             █
           │█                             █
           │█▄                            █
           │██                            █
           │██                            █
       0 s └────────────────────────── 62 s

  reconnect=full-jitter: 10 in the fullest 1 s, 18 in all, the last after 30 s
        80 │
           │
           │
           │
           │▅              ▄
       0 s └────────────────────────── 62 s

  one column is 2 s, as high as its fullest 1 s
  the peak of reconnect=kura is 8 times as high as that of reconnect=full-jitter

2 passed in 1.0 s
"""
    )


def test_what_is_not_nothing_is_seen() -> None:
    group = CurveGroup("x", "p", "polls", 1.0, (RunCurve("a", {0: 1, 2: 10_000}),))
    lowest = [line for line in curve_lines(group) if "│" in line][-1]
    assert lowest.endswith("│▁ █")


def test_a_peak_stays_as_high_as_it_was_where_columns_hold_many_windows() -> None:
    assert RunCurve("a", {0: 1, 1: 9, 2: 3, 5: 2}).fullest(2, 3) == [9, 2]


def test_without_curves_nothing_is_drawn() -> None:
    assert printed([report("x/y")]) == "1 passed in 1.0 s\n"


def test_a_run_alone_is_compared_with_nobody() -> None:
    [group] = groups_of([report("x/storm", STEEP)])
    assert [curve.label for curve in group.curves] == ["x/storm"]
    assert group.sentence() == ""


def test_repetitions_are_told_apart_by_their_seed() -> None:
    [group] = groups_of([report("x/storm[a=1]", STEEP), report("x/storm[a=1]", FLAT, seed=2)])
    assert [curve.label for curve in group.curves] == ["a=1, seed 1", "a=1, seed 2"]


def test_other_scenarios_phases_and_windows_are_no_company() -> None:
    in_tens = replace(STEEP, window_s=10.0)
    reports = [*BOTH, report("x/other", STEEP), report("x/storm[reconnect=kura]", in_tens)]
    assert [(group.run, group.window_s, len(group.curves)) for group in groups_of(reports)] == [
        ("x/storm", 1.0, 2), ("x/other", 1.0, 1), ("x/storm", 10.0, 1),
    ]  # fmt: skip


def test_two_curves_of_one_phase_are_two_groups() -> None:
    assert [len(group.curves) for group in groups_of([report("x/y", STEEP, FLAT)])] == [1, 1]


def test_equal_peaks_are_said_to_be_equal() -> None:
    [group] = groups_of([report("x/y[a=1]", STEEP), report("x/y[a=2]", STEEP)])
    assert group.sentence() == "all of them have 80 in their fullest 1 s"


def test_the_page_has_a_line_and_a_row_for_each_run() -> None:
    section = ET.fromstring(curve_sections(groups_of(BOTH)))
    figure = section.find(".//figure/svg")
    assert figure is not None
    lines = figure.findall("polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [62, 62]
    assert len({line.attrib.get("stroke-dasharray") for line in lines}) == 2
    assert [row[1].text for row in section.findall(".//tbody/tr")] == ["80", "10"]


def test_names_cannot_break_the_page() -> None:
    section = curve_sections(groups_of([report("x/y[a=<script>&]", STEEP)]))
    assert "<script>" not in section
    assert "a=&lt;script&gt;&amp;" in section
