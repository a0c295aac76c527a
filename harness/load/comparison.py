"""Two curves laid on each other: of one scenario in virtual time and as load, or of two runs. How far do they differ?

Seconds are too fine to compare: of ten requests in a second, seven or thirteen are chance. So both are cut into
windows. The curves begin together, with the first request of each: making things ready takes real time, and no virtual
time. Where in a second that is, no curve says, so one of them is delayed by the part of a second with which the rates
fit best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean, median
from typing import Final

from fleetrig.harness.load.curves import CurveRow
from fleetrig.simulator.contract.errors import UsageError

WINDOWS: Final = 60
"""At most so many: a window is then as long as a second, or a sixtieth of the run."""
SHORT_WINDOW_S: Final = 2
"""In longer ones a part of a second makes no difference."""
NEAR_S: Final = 2
NEAR_SHARE: Final = 0.05
DELAYS_S: Final = tuple(sorted((tenth / 10 for tenth in range(-9, 10)), key=abs))
"""What is tried; of equal ones the smallest is taken."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the curves, and how windows and whole runs are summed up."""

    name: str
    unit: str
    of_row: Callable[[CurveRow], float | None]
    of_window: Callable[[Sequence[float]], float]
    of_run: Callable[[Sequence[float]], float]
    judged: bool
    """Its difference says whether the runs agree; that of times of answers depends on the machine too."""


def peak(values: Sequence[float]) -> float:
    return max(values, default=0.0)


MEASURES: Final = (
    Measure("rate", "/s", lambda row: row.rate, fmean, fmean, judged=True),
    Measure("online", "devices", lambda row: row.online, lambda values: values[-1], peak, judged=True),
    Measure("errors", "/s", lambda row: row.errors, fmean, fmean, judged=True),
    Measure("dropped", "/s", lambda row: row.dropped, fmean, fmean, judged=True),
    Measure("p50", "s", lambda row: row.corrected_p50_s, median, median, judged=False),
    Measure("p99", "s", lambda row: row.corrected_p99_s, peak, peak, judged=False),
)
"""Latencies are the corrected ones. A p99 of a second with few answers is its slowest answer."""


@dataclass(frozen=True, slots=True)
class CurvePair:
    """One measure of both runs, window by window; None in a window without any value."""

    measure: Measure
    predicted: tuple[float | None, ...]
    measured: tuple[float | None, ...]
    of_predicted: float | None
    """Of the whole run."""
    of_measured: float | None

    @property
    def difference(self) -> float | None:
        """The area between both curves, as a share of the area below the larger one; None where both are empty."""
        pairs = [(a or 0.0, b or 0.0) for a, b in zip(self.predicted, self.measured, strict=True)]
        area = max(sum(a for a, _ in pairs), sum(b for _, b in pairs))
        return sum(abs(a - b) for a, b in pairs) / area if area else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All measures of two runs."""

    window_s: int
    seconds: tuple[int, int]
    """How long each run is, from its first request on."""
    delay_s: float
    """By how much the predicted one was delayed to fit; below zero: the measured one."""
    pairs: tuple[CurvePair, ...]

    def worst(self) -> CurvePair | None:
        """The judged measure that differs most; None where nothing happened in either run."""
        judged = [pair for pair in self.pairs if pair.measure.judged and pair.difference is not None]
        return max(judged, key=lambda pair: pair.difference or 0.0, default=None)

    def sentence(self) -> str:
        """What it comes to."""
        worst = self.worst()
        if worst is None or worst.difference is None:
            return "nothing was asked in either run, so there is nothing to compare"
        others = [f"{one.measure.name} {one.difference:.0%}" for one in self.pairs
                  if one.measure.judged and one is not worst and one.difference is not None]  # fmt: skip
        rest = f" ({', '.join(others)})" if others else ""
        return f"the curves differ most in {worst.measure.name}: by {worst.difference:.0%} of their area{rest}"


def compare(predicted: Sequence[CurveRow], measured: Sequence[CurveRow]) -> Comparison:
    """Raises UsageError for a run in which nothing was asked while the other has something."""
    first, second = from_first_request(predicted), from_first_request(measured)
    if bool(first) != bool(second):
        raise UsageError("nothing was asked in one of the two runs: are they of one scenario, and did both end?")
    length_s = common_length_s(len(first), len(second))
    window_s = -(-length_s // WINDOWS)
    span = Span(window_s, length_s)
    is_short = window_s <= SHORT_WINDOW_S
    delay_s = best_delay_s([row.rate for row in first], [row.rate for row in second]) if is_short else 0.0
    pairs = tuple(span.pair(measure, first, second, delay_s) for measure in MEASURES)
    return Comparison(window_s, (len(first), len(second)), delay_s, pairs)


def best_delay_s(first: Sequence[float], second: Sequence[float]) -> float:
    """With which the rates fit best. What goes over the end counts too: none gets closer by losing a part."""

    def misfit(delay_s: float) -> float:
        pairs = zip_longest(delayed([*first, 0.0], delay_s), delayed([*second, 0.0], -delay_s), fillvalue=0.0)
        return round(sum(abs((a or 0.0) - (b or 0.0)) for a, b in pairs), 6)

    return min(DELAYS_S, key=misfit)


def common_length_s(first_s: int, second_s: int) -> int:
    """Runs that end nearly together are compared up to the end of the shorter; of others, all of the longer counts."""
    longer_s = max(first_s, second_s, 1)
    is_near = abs(first_s - second_s) <= max(NEAR_S, NEAR_SHARE * longer_s)
    return max(1, min(first_s, second_s)) if is_near else longer_s


def from_first_request(rows: Sequence[CurveRow]) -> Sequence[CurveRow]:
    start = next((number for number, row in enumerate(rows) if row.rate), len(rows))
    return rows[start:]


@dataclass(frozen=True, slots=True)
class Span:
    """What both runs are cut into."""

    window_s: int
    length_s: int

    def pair(
        self, measure: Measure, first: Sequence[CurveRow], second: Sequence[CurveRow], delay_s: float
    ) -> CurvePair:
        """One measure of both, one of them delayed."""
        one = self._windows(measure, delayed([measure.of_row(row) for row in first], delay_s))
        other = self._windows(measure, delayed([measure.of_row(row) for row in second], -delay_s))
        return CurvePair(measure, one, other, _of_run(measure, first), _of_run(measure, second))

    def _windows(self, measure: Measure, values: Sequence[float | None]) -> tuple[float | None, ...]:
        parts = (values[at : at + self.window_s] for at in range(0, self.length_s, self.window_s))
        there = ([value for value in part if value is not None] for part in parts)
        return tuple(measure.of_window(part) if part else None for part in there)


def delayed(values: Sequence[float | None], delay_s: float) -> list[float | None]:
    """Values of seconds, later by a part of a second: each gives that part to the next. Others stay as they are."""
    if delay_s <= 0:
        return list(values)
    before = [0.0, *values[:-1]]
    return [
        value if value is None or previous is None else (1 - delay_s) * value + delay_s * previous
        for value, previous in zip(values, before, strict=False)
    ]


def _of_run(measure: Measure, rows: Sequence[CurveRow]) -> float | None:
    values = [value for row in rows if (value := measure.of_row(row)) is not None]
    return measure.of_run(values) if values else None
