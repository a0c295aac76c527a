"""A comparison in a terminal: one line for each measure, and both curves in small, one above the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.load.comparison import Comparison, CurvePair, Measure

BARS: Final = "▁▂▃▄▅▆▇█"
NOTHING: Final = "·"
HEAD: Final = f"{'':10}{'predicted':>14}{'measured':>14}{'differ':>9}"


def comparison_lines(found: Comparison, names: tuple[str, str]) -> Iterator[str]:
    """`names`: where the two come from."""
    yield f"predicted  {names[0]}  {found.seconds[0]} s from the first request on"
    yield f"measured   {names[1]}  {found.seconds[1]} s"
    yield ""
    yield HEAD
    for pair in found.pairs:
        yield table_line(pair)
    yield ""
    for pair in found.pairs:
        if pair.difference is not None:
            yield from plot_lines(pair)
    yield f"{'':10}one column is {found.window_s} s{delay_text(found.delay_s)}"
    yield ""
    yield found.sentence()


def delay_text(delay_s: float) -> str:
    """Which one was delayed, if one was."""
    whom = "predicted" if delay_s > 0 else "measured"
    return f"; {whom} was delayed by {abs(delay_s):g} s to fit" if delay_s else ""


def table_line(pair: CurvePair) -> str:
    difference = pair.difference
    differ = "-" if difference is None else f"{difference:.0%}" if pair.measure.judged else f"({difference:.0%})"
    values = (shown(pair.measure, pair.of_predicted), shown(pair.measure, pair.of_measured))
    return f"{pair.measure.name:10}{values[0]:>14}{values[1]:>14}{differ:>9}"


def shown(measure: Measure, value: float | None) -> str:
    """`10.2 /s`, `3 devices`, `12 ms`, `1.2 s`."""
    if value is None:
        return "-"
    if measure.unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:,.3g} {measure.unit}" if value < 1000 else f"{value:,.0f} {measure.unit}"


def plot_lines(pair: CurvePair) -> Iterator[str]:
    """Both on one scale."""
    top = max(value for value in (*pair.predicted, *pair.measured) if value is not None)
    yield f"{pair.measure.name:10}predicted  {bars(pair.predicted, top)}  up to {shown(pair.measure, top)}"
    yield f"{'':10}measured   {bars(pair.measured, top)}"


def bars(values: Sequence[float | None], top: float) -> str:
    return "".join(_bar(value, top) for value in values)


def _bar(value: float | None, top: float) -> str:
    if value is None:
        return NOTHING
    return BARS[min(len(BARS) - 1, int(value / top * len(BARS)))] if top else BARS[0]
