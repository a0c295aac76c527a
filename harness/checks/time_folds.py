"""Folds that measure time: gaps between requests, the fullest window, how evenly requests are spread."""

from __future__ import annotations

import math
from collections import Counter, deque

from fleetrig.harness.checks.fold import Status, evidence_of, format_requests
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.trace import TraceEvent


class GapFold:
    """The time between two consecutive requests of a device is within bounds."""

    def __init__(self, pattern: Pattern, at_least_s: float, at_most_s: float | None) -> None:
        self._pattern = pattern
        self._min_us = to_us(at_least_s)
        self._max_us = None if at_most_s is None else to_us(at_most_s)
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
        if self._bad is None and (gap_us < self._min_us or (self._max_us is not None and gap_us > self._max_us)):
            self._bad = (before, event)

    def status(self) -> Status:
        if self._bad is not None:
            return Status.VIOLATED
        return Status.MET if self._gaps else Status.OPEN

    @property
    def expected(self) -> str:
        most = "" if self._max_us is None else f" and at most {to_s(self._max_us):g} s"
        return f"each device {self._pattern} with at least {to_s(self._min_us):g} s{most} in between"

    def finding(self) -> Finding:
        if self._bad is None:
            return Finding(self.expected, "no two of them were seen, so there is nothing to measure")
        before, after = self._bad
        got = f"{after.device} did so after {to_s(after.at_us - before.at_us):.3f} s"
        return Finding(self.expected, got, (evidence_of(before), evidence_of(after)))


class RateFold:
    """All devices together send at most this many requests in any window."""

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

    def status(self) -> Status:
        return Status.VIOLATED if self._peak > self._at_most else Status.MET

    @property
    def expected(self) -> str:
        whom = "all devices" if self._pattern.device == "*" else f"the devices {self._pattern.device}"
        what = format_requests(self._pattern.name)
        return f"{whom} together: at most {self._at_most} {what} in any {to_s(self._per_us):g} s"

    def finding(self) -> Finding:
        evidence = () if self._worst is None else (evidence_of(self._worst),)
        return Finding(self.expected, f"{self._peak} in {to_s(self._per_us):g} s", evidence)


class SpreadFold:
    """No window holds much more than the mean window, from the first such request to the last.

    `over_s` is the minimum length of the whole span, for fleets that all arrive at once. With `first_of`
    only the first request of each of so many devices counts, and when all have come nothing can change any more.
    """

    def __init__(
        self,
        pattern: Pattern,
        peak_at_most: float,
        per_s: float,
        over_s: float | None = None,
        first_of: int | None = None,
    ) -> None:
        self._pattern, self._peak_at_most, self._per_us = pattern, peak_at_most, to_us(per_s)
        self._min_windows = 1 if over_s is None else math.ceil(to_us(over_s) / self._per_us)
        self._first_of = first_of
        self._seen: set[str] = set()
        self._windows: Counter[int] = Counter()
        self._first_us: int | None = None
        self._peak = 0
        self._fullest: TraceEvent | None = None
        """The last event of the fullest window."""

    def step(self, event: TraceEvent) -> None:
        if not self._pattern.fits(event) or self._is_repeated(event):
            return
        if self._first_us is None:
            self._first_us = event.at_us
        window = (event.at_us - self._first_us) // self._per_us
        self._windows[window] += 1
        if self._windows[window] > self._peak:
            self._peak, self._fullest = self._windows[window], event

    def status(self) -> Status:
        if self._windows and self._peak_over_mean() <= self._peak_at_most:
            return Status.MET
        return Status.VIOLATED if len(self._seen) == self._first_of else Status.OPEN

    @property
    def expected(self) -> str:
        return f"no {to_s(self._per_us):g} s holds more than {self._peak_at_most:g} times the mean: {self._pattern}"

    def finding(self) -> Finding:
        if self._fullest is None:
            return Finding(self.expected, "none were seen, so there is nothing to measure")
        got = f"{self._peak} in one {to_s(self._per_us):g} s, {self._peak_over_mean():.1f} times the mean"
        return Finding(self.expected, got, (evidence_of(self._fullest),))

    def _is_repeated(self, event: TraceEvent) -> bool:
        """True for a device's second and later ones when only the first counts."""
        if self._first_of is None:
            return False
        known = event.device in self._seen
        self._seen.add(event.device)
        return known

    def _peak_over_mean(self) -> float:
        mean = self._windows.total() / max(self._min_windows, max(self._windows) + 1)
        return self._peak / mean
