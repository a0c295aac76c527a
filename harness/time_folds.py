"""Folds that measure time: gaps between requests, the fullest window, how evenly a fleet comes."""

from __future__ import annotations

from collections import Counter, deque

from harness.folds import Standing, evidence_of
from harness.matching import Pattern
from harness.verdict import Finding
from simulator.contract.clock import to_s, to_us
from simulator.contract.trace import TraceEvent


class Gap:
    """Between two of the same exchange of one device lies a permitted time."""

    def __init__(self, pattern: Pattern, at_least_s: float, at_most_s: float | None) -> None:
        self._pattern = pattern
        self._least_us = to_us(at_least_s)
        self._most_us = None if at_most_s is None else to_us(at_most_s)
        self._last: dict[str, TraceEvent] = {}
        self._gaps = 0
        self._bad: tuple[TraceEvent, TraceEvent] | None = None

    def step(self, event: TraceEvent) -> None:
        if not self._pattern.fits(event):
            return
        before = self._last.get(event.device)
        self._last[event.device] = event
        if before is None:
            return
        self._gaps += 1
        gap_us = event.at_us - before.at_us
        if self._bad is None and (gap_us < self._least_us or (self._most_us is not None and gap_us > self._most_us)):
            self._bad = (before, event)

    def standing(self) -> Standing:
        if self._bad is not None:
            return Standing.VIOLATED
        return Standing.MET if self._gaps else Standing.OPEN

    def finding(self) -> Finding:
        most = "" if self._most_us is None else f" and at most {to_s(self._most_us):g} s"
        expected = f"each device {self._pattern} with at least {to_s(self._least_us):g} s{most} in between"
        if self._bad is None:
            return Finding(expected, "no two of them were seen, so there is nothing to measure")
        before, after = self._bad
        gap_s = to_s(after.at_us - before.at_us)
        return Finding(
            expected, f"{after.device} did so after {gap_s:.3f} s", (evidence_of(before), evidence_of(after))
        )


class Rate:
    """Never more than so many in a window, over all devices."""

    def __init__(self, pattern: Pattern, at_most: int, per_s: float) -> None:
        self._pattern, self._at_most, self._per_us = pattern, at_most, to_us(per_s)
        self._window: deque[TraceEvent] = deque()
        self._peak = 0
        self._worst: TraceEvent | None = None

    def step(self, event: TraceEvent) -> None:
        if not self._pattern.fits(event):
            return
        self._window.append(event)
        while self._window[0].at_us <= event.at_us - self._per_us:
            self._window.popleft()
        if len(self._window) > self._peak:
            self._peak, self._worst = len(self._window), event

    def standing(self) -> Standing:
        return Standing.VIOLATED if self._peak > self._at_most else Standing.MET

    def finding(self) -> Finding:
        evidence = () if self._worst is None else (evidence_of(self._worst),)
        span = f"{to_s(self._per_us):g} s"
        return Finding(f"at most {self._at_most} in any {span}: {self._pattern}", f"{self._peak} in {span}", evidence)


class Spread:
    """No window holds much more than the mean window, from the first such request to the last."""

    def __init__(self, pattern: Pattern, peak_at_most: float, per_s: float) -> None:
        self._pattern, self._peak_at_most, self._per_us = pattern, peak_at_most, to_us(per_s)
        self._windows: Counter[int] = Counter()
        self._first_us = 0

    def step(self, event: TraceEvent) -> None:
        if self._pattern.fits(event):
            self._first_us = self._first_us or event.at_us
            self._windows[(event.at_us - self._first_us) // self._per_us] += 1

    def standing(self) -> Standing:
        return Standing.MET if self._windows and self._peak_over_mean() <= self._peak_at_most else Standing.OPEN

    def finding(self) -> Finding:
        span = f"{to_s(self._per_us):g} s"
        expected = f"no {span} holds more than {self._peak_at_most:g} times the mean: {self._pattern}"
        if not self._windows:
            return Finding(expected, "none were seen, so there is nothing to measure")
        peak = max(self._windows.values())
        return Finding(expected, f"{peak} in one {span}, {self._peak_over_mean():.1f} times the mean")

    def _peak_over_mean(self) -> float:
        mean = self._windows.total() / (max(self._windows) + 1)
        return max(self._windows.values()) / mean
