"""Curves that belong together: of the runs of one scenario, phase by phase, on one scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fleetrig.harness.verdict import Curve, PhaseResult, Report


@dataclass(frozen=True, slots=True)
class RunCurve:
    """The curve of one run, under the name that tells it from the others."""

    label: str
    counts: dict[int, int]

    @property
    def peak(self) -> int:
        return max(self.counts.values())

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def last(self) -> int:
        """The last window that is not empty."""
        return max(self.counts)

    def fullest(self, columns: int, per_column: int) -> list[int]:
        """For each column its fullest window: a peak stays as high as it was."""
        tops = [0] * columns
        for window, count in self.counts.items():
            tops[window // per_column] = max(tops[window // per_column], count)
        return tops


@dataclass(frozen=True, slots=True)
class CurveGroup:
    """The same of several runs."""

    run: str
    """The id of their scenario."""
    phase: str
    what: str
    window_s: float
    curves: tuple[RunCurve, ...]

    @property
    def top(self) -> int:
        return max(curve.peak for curve in self.curves)

    @property
    def windows(self) -> int:
        """Up to the last one in which something happened in any run."""
        return 1 + max(curve.last for curve in self.curves)

    @property
    def title(self) -> str:
        return f"{self.what} in each {self.window_s:g} s of phase «{self.phase}»"

    def sentence(self) -> str:
        """Who has the higher peak; empty of a single run."""
        if len(self.curves) < 2:
            return ""
        most = max(self.curves, key=lambda curve: curve.peak)
        least = min(self.curves, key=lambda curve: curve.peak)
        if most.peak == least.peak:
            return f"all of them have {most.peak:,} in their fullest {self.window_s:g} s"
        times = f"{most.peak / least.peak:.1f}".removesuffix(".0")
        return f"the peak of {most.label} is {times} times as high as that of {least.label}"


def told(curve: RunCurve, window_s: float) -> str:
    """`1,672 in the fullest 1 s, 24,310 in all, the last after 245 s`."""
    last_s = curve.last * window_s
    return f"{curve.peak:,} in the fullest {window_s:g} s, {curve.total:,} in all, the last after {last_s:,g} s"


def groups_of(reports: Iterable[Report]) -> list[CurveGroup]:
    """Runs of one scenario stand together, in the order in which they are given."""
    together: dict[tuple[str, str, str, float, int], list[tuple[Report, Curve]]] = {}
    for report in reports:
        for phase, curve, number in numbered_curves(report.phases):
            key = (report.name.partition("[")[0], phase, curve.what, curve.window_s, number)
            together.setdefault(key, []).append((report, curve))
    return [
        CurveGroup(run, phase, what, window_s, tuple(labelled(of_runs)))
        for (run, phase, what, window_s, _), of_runs in together.items()
    ]


def numbered_curves(phases: Iterable[PhaseResult]) -> Iterator[tuple[str, Curve, int]]:
    """With the name of the phase; two of the same kind in one phase have different numbers."""
    for phase in phases:
        seen: Counter[tuple[str, float]] = Counter()
        for curve in phase.curves:
            yield phase.name, curve, seen[curve.what, curve.window_s]
            seen[curve.what, curve.window_s] += 1


def labelled(of_runs: Sequence[tuple[Report, Curve]]) -> Iterator[RunCurve]:
    """A run is told from others by its values of the matrix, from its repetitions by the seed."""
    names = Counter(report.name for report, _ in of_runs)
    for report, curve in of_runs:
        values = report.name.partition("[")[2].rstrip("]") or report.name
        label = f"{values}, seed {report.seed}" if names[report.name] > 1 else values
        yield RunCurve(label, dict(curve.counts))
