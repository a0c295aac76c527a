"""Curves as HTML: the runs of a scenario in one picture, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from fleetrig.harness.report.curve_groups import CurveGroup, RunCurve

WIDTH, HEIGHT = 720, 240
COLUMNS: Final = 360
"""At most so many points: more than two pixels each."""
LOOKS: Final = (
    ("#b3400a", ""), ("#0b5394", "7 4"), ("#38761d", "2 3"), ("#741b47", "10 3 2 3"), ("#444444", "1 2"),
    ("#00788c", "16 4"), ("#7a5c00", "6 2 1 2 1 2"), ("#c2185b", "1 5"), ("#000000", "20 3 5 3"),
)  # fmt: skip
"""Colour and dashes of each line, told apart without colours too; after the last they begin again."""


def curve_sections(groups: Sequence[CurveGroup]) -> str:
    """A section of a page for each group; empty where no scenario draws a curve."""
    return "\n".join(map(_section, groups))


def _section(group: CurveGroup) -> str:
    rows = "\n".join(_row(group, curve, number) for number, curve in enumerate(group.curves))
    sentence = f"<p>{escape(group.sentence())}.</p>" if group.sentence() else ""
    return f"""<section><h3>{escape(group.run)}</h3>
<p>{escape(group.title)}</p>
{sentence}
{_figure(group)}
<table><thead><tr><th scope="col">run</th><th scope="col">fullest {group.window_s:g} s</th><th scope="col">in all</th>
<th scope="col">last after</th></tr></thead><tbody>
{rows}
</tbody></table></section>"""


def _row(group: CurveGroup, curve: RunCurve, number: int) -> str:
    cells = (f"{curve.peak:,}", f"{curve.total:,}", f"{curve.last * group.window_s:,g} s")
    head = f"{_sample(number)} {escape(curve.label)}"
    return f'<tr><th scope="row">{head}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _sample(number: int) -> str:
    """The line of a run, in small, before its name."""
    return f'<svg class="sample" viewBox="0 0 40 10" aria-hidden="true">{_line(number, "0,5 40,5")}</svg>'


def _figure(group: CurveGroup) -> str:
    per_column = -(-group.windows // COLUMNS)
    columns = -(-group.windows // per_column)
    end_s = columns * per_column * group.window_s
    lines = "".join(
        _line(number, " ".join(_points(curve.fullest(columns, per_column), group.top)))
        for number, curve in enumerate(group.curves)
    )
    label = escape(f"{group.title}, up to {group.top:,}", quote=True)
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT + 20}" role="img" aria-label="{label}">{lines}'
        f'<text x="4" y="14">{group.top:,}</text><text x="4" y="{HEIGHT + 16}">0 s</text>'
        f'<text x="{WIDTH - 4}" y="{HEIGHT + 16}" text-anchor="end">{end_s:g} s</text></svg></figure>'
    )


def _points(heights: Sequence[int], top: int) -> Iterator[str]:
    """One alone is drawn from edge to edge."""
    for number, height in enumerate([*heights, *heights] if len(heights) == 1 else heights):
        yield f"{(number + 0.5) * WIDTH / max(2, len(heights)):.1f},{HEIGHT * (1 - height / top * 0.92):.1f}"


def _line(number: int, points: str) -> str:
    colour, dashes = LOOKS[number % len(LOOKS)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline stroke="{colour}"{dashed} points="{points}"/>'
