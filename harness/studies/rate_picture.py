"""The picture of what hits the server: requests over time, a panel for each policy (or what else was swept first)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.studies import picture_style as style
from fleetrig.harness.studies.case import CaseResult
from fleetrig.harness.studies.case_figures import RateCurve
from fleetrig.harness.studies.judgement import times_peak
from fleetrig.harness.studies.recommendation import capacity_words, name_of, value_name
from fleetrig.harness.studies.study_rows import StudyRow
from fleetrig.harness.studies.sweep import StudyPlan
from fleetrig.harness.studies.wording import percent

MOST_PANELS: Final = 12
PANEL_INCHES: Final = (3.9, 2.35)
ACROSS: Final = 3
CUT_AT: Final = 4.0
"""A panel shows at most so many times the capacity, or the steady rate: one wild policy must not flatten the others."""
MINUTE_S: Final = 60.0


def rate_picture(plan: StudyPlan, rows: Sequence[StudyRow], advised: StudyRow) -> Figure | None:
    """Of the rows that differ from the advised one in the first axis alone. None when no curve was kept."""
    shown = [row for row in siblings(plan, rows, advised) if row.first.curve is not None][:MOST_PANELS]
    if not shown:
        return None
    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(PANEL_INCHES[0] * across + 0.6, PANEL_INCHES[1] * down + 1.5), layout="constrained")
    panels: Any = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    top = _top(shown)
    for row, panel in zip(shown, panels.flat, strict=False):
        _draw(panel, row, top, title=_title(plan, row, advised))
    for number, panel in enumerate(panels.flat):
        panel.set_visible(number < len(shown))
        panel.tick_params(labelbottom=True)  # also above a panel that is not there
    for panel in panels[-1]:
        panel.set_xlabel("minutes")
    _label(figure, plan, advised)
    return figure


def siblings(plan: StudyPlan, rows: Sequence[StudyRow], advised: StudyRow) -> list[StudyRow]:
    """Those that differ from it in nothing but the first axis that is not the capacity."""
    at = panel_axis(plan)

    def without(row: StudyRow) -> tuple[str, ...]:
        return (*row.combination.labels[:at], *row.combination.labels[at + 1 :])

    return [row for row in rows if without(row) == without(advised)]


def panel_axis(plan: StudyPlan) -> int:
    """The number of that axis."""
    return next((number for number, axis in enumerate(plan.axes) if axis != plan.capacity_axis), 0)


def _top(rows: Sequence[StudyRow]) -> float:
    """Where the axis ends: at the highest curve, but no higher than `CUT_AT` times what there is to compare it with."""
    highest = max(max(_curve(row).busiest, default=0) for row in rows)
    measure = max(max(row.first.capacity_per_s or 0.0, row.first.steady_per_s) for row in rows)
    return 1.1 * (min(highest, CUT_AT * measure) if measure else highest) or 1.0


def _curve(row: StudyRow) -> RateCurve:
    assert row.first.curve is not None
    return row.first.curve


def _draw(panel: Any, row: StudyRow, top: float, title: tuple[str, str, bool]) -> None:
    result, curve = row.first, _curve(row)
    minutes = (np.arange(len(curve.requests)) + 0.5) * curve.step_s / MINUTE_S
    if result.fault_s is not None:
        panel.axvspan(*(at / MINUTE_S for at in result.fault_s), color=style.FAULT, zorder=0, linewidth=0)
    _areas(panel, minutes, curve)
    panel.plot(minutes, curve.busiest, color=style.LINE, linewidth=0.8)
    if result.capacity_per_s is not None:
        panel.axhline(result.capacity_per_s, color=style.CAPACITY, linewidth=1.3, linestyle=(0, (5, 2)))
    _cut(panel, minutes, curve, top)
    panel.set(xlim=(0, result.horizon_s / MINUTE_S), ylim=(0, top))
    name, outcome, is_advised = title
    panel.set_title(name, loc="left", fontsize=10.5, fontweight="bold" if is_advised else "normal", pad=17)
    panel.text(0, 1.03, outcome, transform=panel.transAxes, fontsize=8, color="#333333")
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _areas(panel: Any, minutes: Any, curve: RateCurve) -> None:
    requests, rejected, failed = (
        np.array(one) / curve.step_s for one in (curve.requests, curve.rejected, curve.failed)
    )
    answered = requests - rejected - failed
    panel.fill_between(minutes, 0, answered, color=style.ANSWERED, linewidth=0)
    for low, high, colour, hatch in (
        (answered, answered + failed, style.UNANSWERED, "...."),
        (answered + failed, requests, style.REJECTED, "////"),
    ):
        panel.fill_between(
            minutes, low, high, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0, step="mid"
        )


def _cut(panel: Any, minutes: Any, curve: RateCurve, top: float) -> None:
    """Says how high a curve is that leaves the panel."""
    highest = max(curve.busiest, default=0)
    if highest > top:
        at, box = minutes[int(np.argmax(curve.busiest))], {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"}
        panel.text(at, top * 0.985, f"▲ {highest:,}/s", va="top", ha="center", fontsize=8, fontweight="bold", bbox=box)


def _title(plan: StudyPlan, row: StudyRow, advised: StudyRow) -> tuple[str, str, bool]:
    at = panel_axis(plan)
    label = value_name(plan, list(plan.axes)[at], row.combination.labels[at]).strip("«»")
    is_advised = row is advised and row.is_good
    name = f"✔ {label} (advised)" if is_advised else label
    return name, _outcome(row.first), is_advised


def _outcome(result: CaseResult) -> str:
    figures = result.figures
    quiet = "collapses" if figures.collapsed else "never quiet"
    if figures.quiet_s is not None:
        quiet = f"quiet after {spoken_s(figures.quiet_s)}" if figures.quiet_s else "quiet at once"
    peak = f"{figures.peak_per_s:,}/s"
    if result.steady_per_s:
        peak = f"{times_peak(figures, result.steady_per_s):.1f} × steady"
    return f"{quiet}, {percent(figures.rejected)} rejected, peak {peak}"


def _label(figure: Figure, plan: StudyPlan, advised: StudyRow) -> None:
    style.headline(figure, plan.study.title, _beside(plan, advised))
    figure.supylabel("requests per second", fontsize=10)
    across = 6 if figure.get_figwidth() > ACROSS * PANEL_INCHES[0] else 3
    figure.legend(handles=_legend(advised), loc="outside lower center", ncols=across, frameon=False, fontsize=9)


def _beside(plan: StudyPlan, advised: StudyRow) -> str:
    """What all panels share."""
    at = panel_axis(plan)
    named = zip(plan.axes, advised.combination.labels, strict=True)
    parts = [
        f"{axis} {label}" for number, (axis, label) in enumerate(named)
        if number != at and axis != plan.capacity_axis
    ]  # fmt: skip
    capacity = capacity_words(advised)
    return "   ".join([*parts, *([f"server: {capacity}"] if capacity else [])]) or name_of(plan, advised)


def _legend(advised: StudyRow) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Patch(facecolor=style.ANSWERED, label="answered"),
        Patch(facecolor=style.UNANSWERED, hatch="....", edgecolor="white", label="no answer in time"),
        Patch(facecolor=style.REJECTED, hatch="////", edgecolor="white", label="rejected"),
        Line2D([], [], color=style.LINE, linewidth=0.9, label="busiest second"),
        *([] if advised.first.capacity_per_s is None else [
            Line2D([], [], color=style.CAPACITY, linestyle=(0, (5, 2)), label="what the server can do")]),
        *([] if advised.first.fault_s is None else [Patch(facecolor=style.FAULT, label="while the fault lasts")]),
    ]  # fmt: skip
