"""The picture of how long it takes until it is quiet: a heat map, a panel for each value of the table's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fleetrig.harness.studies import picture_style as style
from fleetrig.harness.studies.study_rows import StudyRow
from fleetrig.harness.studies.study_table import Labels, StudyGrid, grid_of
from fleetrig.harness.studies.sweep import StudyPlan
from fleetrig.harness.studies.wording import per_s, short_s

CELL_INCHES: Final = (0.78, 0.36)
MOST_PANELS: Final = 12
MINUTE_S: Final = 60.0
DARK: Final = 0.55
"""From here on, on a scale from 0 to 1, a cell is so dark that its text is white."""

Cells = dict[tuple[str, str], StudyRow]
"""Label at the left, label below -> row."""


def quiet_picture(plan: StudyPlan, rows: Sequence[StudyRow]) -> Figure:
    """With three axes or more: panels by the columns of the table. With fewer they stand below one panel."""
    grid = grid_of(plan, rows)
    panels = _panels(grid, plan)
    left, below = _labels([cells for _, cells in panels])
    across = min(len(panels), 2)
    down = -(-len(panels) // across)
    width = across * (CELL_INCHES[0] * len(below) + 0.4) + 0.085 * max(map(len, left)) + 1.6
    height = down * (CELL_INCHES[1] * len(left) + 0.8) + 1.5
    figure = Figure(figsize=(max(width, 7.0), height), layout="constrained")
    axes: Any = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    scale = Normalize(0, max(1.0, max((_minutes(row) or 0.0 for row in rows), default=0.0)))
    for (title, cells), panel in zip(panels, axes.flat, strict=False):
        _draw(panel, cells, left, below, scale)
        panel.set_title(title, fontsize=10.5, loc="left")
    for panel in list(axes.flat)[len(panels) :]:
        panel.set_visible(False)
    _label(figure, plan, grid, axes, scale)
    return figure


def _panels(grid: StudyGrid, plan: StudyPlan) -> list[tuple[str, Cells]]:
    if len(grid.left_axes) < 2:
        return [("", {(_joined(at), top): row for at, found in grid.cells.items() for top, row in found.items()})]
    named = grid.top[:MOST_PANELS]
    return [
        (
            _panel_title(grid, plan, top),
            {(_joined(at[:-1]), at[-1]): found[top] for at, found in grid.cells.items() if top in found},
        )
        for top in named
    ]


def _panel_title(grid: StudyGrid, plan: StudyPlan, top: str) -> str:
    capacities = {found[top].first.capacity_per_s for found in grid.cells.values() if top in found}
    if grid.top_axis == plan.capacity_axis and len(capacities) == 1:
        times = f"{top.removesuffix('x')} times the steady rate, " if top.endswith("x") else ""
        return f"server: {times}{per_s(capacities.pop() or 0.0)}"
    if grid.top_axis == plan.capacity_axis and top.endswith("x"):
        return f"server: {top.removesuffix('x')} times the steady rate"
    return f"{grid.top_axis} {top}"


def _labels(panels: Sequence[Cells]) -> tuple[list[str], list[str]]:
    keys = [key for cells in panels for key in cells]
    return list(dict.fromkeys(left for left, _ in keys)), list(dict.fromkeys(below for _, below in keys))


def _joined(labels: Labels) -> str:
    return ", ".join(label.replace("_", " ") for label in labels)


def _minutes(row: StudyRow) -> float | None:
    quiet = row.mean("quiet_s")
    return None if quiet is None else quiet.value / MINUTE_S


def _draw(panel: Any, cells: Cells, left: Sequence[str], below: Sequence[str], scale: Normalize) -> None:
    for (at_left, at_below), row in cells.items():
        _draw_cell(panel, below.index(at_below), left.index(at_left), row, scale)
    panel.set(xlim=(-0.5, len(below) - 0.5), ylim=(len(left) - 0.5, -0.5))
    panel.set_xticks(np.arange(len(below)), below)
    panel.set_yticks(np.arange(len(left)), left)
    panel.tick_params(length=0)
    for spine in panel.spines.values():
        spine.set_visible(False)


def _draw_cell(panel: Any, x: int, y: int, row: StudyRow, scale: Normalize) -> None:
    minutes = _minutes(row)
    if minutes is None:
        look: Any = {"facecolor": "white", "hatch": "xxxx", "edgecolor": "#999999"}
        box: Any = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    else:
        look, box = {"facecolor": mpl.colormaps[style.SLOWER](scale(minutes)), "edgecolor": "#BBBBBB"}, None
    panel.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, linewidth=0.5, **look))
    is_dark = minutes is not None and scale(minutes) > DARK
    text = "collapses" if row.has_collapsed else short_s(None if minutes is None else minutes * MINUTE_S)
    panel.text(
        x, y, f"✔ {text}" if row.is_good else text, ha="center", va="center", fontsize=8.5, bbox=box,
        color="white" if is_dark else "black", fontweight="bold" if row.is_good else "normal",
    )  # fmt: skip


def _label(figure: Figure, plan: StudyPlan, grid: StudyGrid, axes: Any, scale: Normalize) -> None:
    below = grid.left_axes[-1] if len(grid.left_axes) > 1 else grid.top_axis
    is_relative = all(label.endswith("x") for label in plan.axes[below])
    for panel in axes[-1]:
        panel.set_xlabel(f"{below} of the server, times the steady rate" if is_relative else below)
    colours = mpl.cm.ScalarMappable(norm=scale, cmap=style.SLOWER)
    bar = figure.colorbar(colours, ax=axes.ravel().tolist(), shrink=0.8, aspect=30, pad=0.02)
    above = grid.left_axes[:-1] if len(grid.left_axes) > 1 else grid.left_axes
    for panel in axes[:, 0]:
        panel.set_ylabel(", ".join(above))
    bar.set_label("minutes", fontsize=9)
    beside = "Time from the end of the last fault until no request fails any more"
    foot = (f"✔ keeps the limit: {plan.study.limit}", "never: requests still fail at the end of the run")
    style.headline(figure, plan.study.title, beside, foot)
