"""A comparison as one HTML page: each measure of both runs in one picture, and the same figures as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from fleetrig.harness.load.comparison import Comparison, CurvePair
from fleetrig.harness.load.comparison_text import delay_text, shown

WIDTH, HEIGHT = 720, 180
PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
        background: #fff }}
table {{ border-collapse: collapse }} th, td {{ padding: .2rem .9rem; text-align: right }}
th:first-child {{ text-align: left }}
svg {{ width: 100%; height: auto; background: #f6f6f6 }} figure {{ margin: 1.5rem 0 }}
.predicted {{ stroke: #0b5394; stroke-dasharray: 7 4 }} .measured {{ stroke: #b3400a }}
polyline {{ fill: none; stroke-width: 2 }} text {{ font-size: 13px; fill: #1a1a1a }}
</style></head><body>
<h1>{title}</h1>
<p>{sentence}.</p>
<p>Dashed and blue: predicted, <code>{first}</code>, {first_s} s. Solid and red: measured, <code>{second}</code>,
{second_s} s. Both begin with their first request{delay}; a point stands for {window_s} s. Times of answers count from
the intended start, and are not judged: they depend on the machine too.</p>
<table><thead><tr><th scope="col">measure</th><th scope="col">predicted</th><th scope="col">measured</th>
<th scope="col">differ</th></tr></thead><tbody>
{rows}
</tbody></table>
{figures}
</body></html>
"""


def comparison_page(found: Comparison, names: tuple[str, str], title: str) -> str:
    return PAGE.format(
        title=escape(title),
        sentence=escape(found.sentence()),
        first=escape(names[0]),
        second=escape(names[1]),
        first_s=found.seconds[0],
        second_s=found.seconds[1],
        window_s=found.window_s,
        delay=delay_text(found.delay_s),
        rows="\n".join(map(_row, found.pairs)),
        figures="\n".join(_figure(pair, found.window_s) for pair in found.pairs if pair.difference is not None),
    )


def _row(pair: CurvePair) -> str:
    differ = "-" if pair.difference is None else f"{pair.difference:.0%}"
    cells = (shown(pair.measure, pair.of_predicted), shown(pair.measure, pair.of_measured), differ)
    return f'<tr><th scope="row">{pair.measure.name}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _figure(pair: CurvePair, window_s: int) -> str:
    top = max(value for value in (*pair.predicted, *pair.measured) if value is not None)
    name, end_s = pair.measure.name, len(pair.predicted) * window_s
    title = f"{name}: predicted and measured, up to {shown(pair.measure, top)}"
    lines = (*_lines("predicted", pair.predicted, top), *_lines("measured", pair.measured, top))
    return (
        f'<figure><figcaption>{name}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT + 20}" role="img"'
        f' aria-label="{title}">{"".join(lines)}'
        f'<text x="4" y="14">{shown(pair.measure, top)}</text><text x="4" y="{HEIGHT + 16}">0 s</text>'
        f'<text x="{WIDTH - 4}" y="{HEIGHT + 16}" text-anchor="end">{end_s} s</text></svg></figure>'
    )


def _lines(kind: str, values: Sequence[float | None], top: float) -> Iterator[str]:
    """A line for each row of windows that have a value."""
    points: list[str] = []
    for number, value in enumerate((*values, None)):
        if value is not None:
            x, y = (number + 0.5) * WIDTH / len(values), HEIGHT * (1 - value / (top or 1.0) * 0.9)
            points.append(f"{x:.1f},{y:.1f}")
        elif points:
            points = points * 2 if len(points) == 1 else points
            yield f'<polyline class="{kind}" points="{" ".join(points)}"/>'
            points = []
