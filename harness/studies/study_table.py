"""The table of a study in the terminal: a row for each combination but one axis, whose values stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.studies.judgement import times_peak
from fleetrig.harness.studies.study_rows import StudyRow
from fleetrig.harness.studies.sweep import StudyPlan
from fleetrig.harness.studies.wording import per_s, short_percent, short_s

WIDTH: Final = 100
GAP: Final = "  "
KEEPS: Final = "✔"
COLLAPSED: Final = "collapses"
NOT_RUN: Final = "-"

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyGrid:
    """The rows of a study by the labels that the table has at their left and above them."""

    left_axes: tuple[str, ...]
    top_axis: str
    top: tuple[str, ...]
    """The labels of the columns."""
    cells: dict[Labels, dict[str, StudyRow]]
    """Labels at the left -> label above -> row. Those that were not run are missing."""


def grid_of(plan: StudyPlan, rows: Sequence[StudyRow]) -> StudyGrid:
    top_axis = column_axis(plan)
    at = list(plan.axes).index(top_axis)
    cells: dict[Labels, dict[str, StudyRow]] = {}
    for row in rows:
        labels = row.combination.labels
        cells.setdefault((*labels[:at], *labels[at + 1 :]), {})[labels[at]] = row
    left = tuple(axis for axis in plan.axes if axis != top_axis)
    return StudyGrid(left, top_axis, plan.axes[top_axis], cells)


def column_axis(plan: StudyPlan) -> str:
    """What the file names, else what sets the capacity, else the last one."""
    return plan.study.columns or plan.capacity_axis or list(plan.axes)[-1]


def table_lines(plan: StudyPlan, rows: Sequence[StudyRow]) -> Iterator[str]:
    """At most 100 characters wide: columns that do not fit beside the others follow in a table of their own."""
    grid = grid_of(plan, rows)
    body = [[*_shown(labels), _peak(found)] for labels, found in grid.cells.items()]
    left = _aligned([[*grid.left_axes, "peak"], *_without_repeats(body, len(grid.left_axes))])
    columns = [_column(grid, label, plan) for label in grid.top]
    if grid.top_axis == plan.capacity_axis:
        columns.append(["needs", *(_enough(grid, found) for found in grid.cells.values())])
    for number, part in enumerate(_fitting(columns, WIDTH - len(left[0]))):
        if number:
            yield ""
        for line, *cells in zip(left, *map(_padded, part), strict=True):
            yield GAP.join([line, *cells]).rstrip()


def legend_lines(plan: StudyPlan) -> Iterator[str]:
    """What the table shows."""
    yield "each cell: from the end of the last fault, time until no request fails any more, and share rejected"
    yield "peak: the busiest second from then on, in multiples of the steady rate where there is one"
    if column_axis(plan) == plan.capacity_axis:
        yield "needs: the least capacity here that keeps the limit"
    yield f"{KEEPS} keeps the limit: {plan.study.limit}"


def _shown(labels: Labels) -> list[str]:
    return [label.replace("_", " ") for label in labels]


def _peak(found: dict[str, StudyRow]) -> str:
    """With the largest capacity, where rejections, which come again, add least to it."""
    result = max(found.values(), key=lambda row: row.first.capacity_per_s or 0.0).first
    return (
        f"{times_peak(result.figures, result.steady_per_s):.1f}x"
        if result.steady_per_s
        else per_s(result.figures.peak_per_s)
    )


def _column(grid: StudyGrid, label: str, plan: StudyPlan) -> list[str]:
    rows = [found.get(label) for found in grid.cells.values()]
    capacities = {row.first.capacity_per_s for row in rows if row is not None}
    heading = label
    if grid.top_axis == plan.capacity_axis and len(capacities) == 1 and label.endswith("x"):
        heading = f"{label} {per_s(capacities.pop() or 0.0)}"
    return [heading, *map(_cell, rows)]


def _cell(row: StudyRow | None) -> str:
    if row is None:
        return NOT_RUN
    if row.has_collapsed:
        return f"  {COLLAPSED}"
    quiet, rejected = row.mean("quiet_s"), row.mean("rejected")
    share = "" if rejected is None else short_percent(rejected.value)
    return f"{KEEPS if row.is_good else ' '} {short_s(quiet.value if quiet else None):>5} {share:>4}"


def _enough(grid: StudyGrid, found: dict[str, StudyRow]) -> str:
    good = [row for row in found.values() if row.is_good]
    least = min(good, key=lambda row: row.first.capacity_per_s or 0.0, default=None)
    return next((label for label, row in found.items() if row is least), NOT_RUN)


def _without_repeats(rows: Sequence[Sequence[str]], axes: int) -> Iterator[list[str]]:
    """What stands above is not said again."""
    above: Sequence[str] = ()
    for row in rows:
        same = next((at for at in range(axes - 1) if list(row[: at + 1]) != list(above[: at + 1])), max(0, axes - 1))
        yield [*([""] * same), *row[same:]]
        above = row


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    return [GAP.join(cells) for cells in zip(*map(_padded, zip(*rows, strict=True)), strict=True)]


def _padded(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    return [cell.ljust(width) for cell in column]


def _fitting(columns: Sequence[Sequence[str]], room: int) -> Iterator[list[Sequence[str]]]:
    """As many columns at a time as there is room for, at least one."""
    part: list[Sequence[str]] = []
    taken = 0
    for column in columns:
        width = len(GAP) + max(map(len, column))
        if part and taken + width > room:
            yield part
            part, taken = [], 0
        part.append(column)
        taken += width
    yield part
