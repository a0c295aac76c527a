"""Curves in a terminal: one below the other, on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.report.curve_groups import CurveGroup, told

COLUMNS: Final = 60
ROWS: Final = 5
EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
FULL: Final = len(EIGHTHS) - 1


def curve_lines(group: CurveGroup) -> Iterator[str]:
    """The whole group; nothing in it is wider than 80 columns but what a scenario names so."""
    per_column = -(-group.windows // COLUMNS)
    columns = -(-group.windows // per_column)
    yield f"{group.run}: {group.title}"
    for curve in group.curves:
        yield ""
        yield f"  {curve.label}: {told(curve, group.window_s)}"
        yield from plot(curve.fullest(columns, per_column), group.top)
        yield f"{'0 s':>10} └{axis(columns, columns * per_column * group.window_s)}"
    yield ""
    if per_column > 1:
        yield f"  one column is {per_column * group.window_s:g} s, as high as its fullest {group.window_s:g} s"
    if sentence := group.sentence():
        yield f"  {sentence}"


def plot(heights: Sequence[int], top: int) -> Iterator[str]:
    """From the highest row down; what is not nothing is seen."""
    eighths = [height and max(1, round(height / top * ROWS * FULL)) for height in heights]
    for row in range(ROWS - 1, -1, -1):
        bar = "".join(EIGHTHS[min(FULL, max(0, one - row * FULL))] for one in eighths)
        yield f"{f'{top:,}' if row == ROWS - 1 else '':>10} │{bar}".rstrip()


def axis(columns: int, length_s: float) -> str:
    """As wide as the columns, with the end of the time below them."""
    end = f" {length_s:g} s"
    return "─" * max(0, columns - len(end)) + end
