"""Two curves laid on each other: of one scenario in virtual time and as load, or of two runs. How far do they differ?

Seconds are too fine to compare: of ten requests in a second, seven or thirteen are chance. So both are cut into
windows. The curves begin together, with the first request of each: making things ready takes real time, and no virtual
time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from fleetrig.harness.load.curves import CurveRow
from fleetrig.simulator.contract.errors import UsageError

WINDOWS: Final = 60
"""At most so many: a window is then as long as a second, or a sixtieth of the run."""


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
    length_s = max(len(first), len(second), 1)
    window_s = -(-length_s // WINDOWS)
    pairs = tuple(_pair(measure, first, second, window_s, length_s) for measure in MEASURES)
    return Comparison(window_s, (len(first), len(second)), pairs)


def from_first_request(rows: Sequence[CurveRow]) -> Sequence[CurveRow]:
    start = next((number for number, row in enumerate(rows) if row.rate), len(rows))
    return rows[start:]


def _pair(
    measure: Measure, first: Sequence[CurveRow], second: Sequence[CurveRow], window_s: int, length_s: int
) -> CurvePair:
    cut = [_windows(measure, rows, window_s, length_s) for rows in (first, second)]
    whole = [_of_run(measure, rows) for rows in (first, second)]
    return CurvePair(measure, cut[0], cut[1], whole[0], whole[1])


def _windows(
    measure: Measure, rows: Sequence[CurveRow], window_s: int, length_s: int
) -> tuple[float | None, ...]:  # fmt: skip
    values = [measure.of_row(row) for row in rows]
    parts = (values[at : at + window_s] for at in range(0, length_s, window_s))
    there = ([value for value in part if value is not None] for part in parts)
    return tuple(measure.of_window(part) if part else None for part in there)


def _of_run(measure: Measure, rows: Sequence[CurveRow]) -> float | None:
    values = [value for row in rows if (value := measure.of_row(row)) is not None]
    return measure.of_run(values) if values else None
