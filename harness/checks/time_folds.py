"""Folds that measure time: gaps between requests, the fullest window, how evenly requests are spread."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fleetrig.harness.checks.fold import Status, evidence_of, format_amount, format_range, format_requests, format_span
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.verdict import Curve, Finding
from fleetrig.simulator.contract.clock import to_s, to_us
from fleetrig.simulator.contract.trace import Lane, TraceEvent

NOBODY: Final[Mapping[str, int]] = MappingProxyType({})
SWITCHED: Final = frozenset({"power_on", "power_cut", "ended"})
OFF: Final = -1


class GapFold:
    """The time between two consecutive requests of a device is within bounds.

    A device that is on and falls silent breaks an upper bound too: its last request, or its start, is too long ago when
    the phase is `over`.
    """

    def __init__(
        self, pattern: Pattern, at_least_s: float, at_most_s: float | None, on: Mapping[str, int] = NOBODY
    ) -> None:
        """`on`: the devices that it is about, with the time since which each is on, or the start; below 0 while off."""
        self._pattern = pattern
        self._min_us = to_us(at_least_s)
        self._max_us = None if at_most_s is None else to_us(at_most_s)
        self._on_since_us = dict(on)
        self._last: dict[str, TraceEvent] = {}
        self._gaps = 0
        self._least_us = self._most_us = 0
        self._bad: tuple[TraceEvent, TraceEvent] | None = None
        self._silent: tuple[str, int] | None = None
        """The device that fell silent, and for how long."""

    def step(self, event: TraceEvent) -> None:
        if event.kind == "over" and event.lane is Lane.BENCH:
            self._look_for_silence(event.at_us)
        elif event.kind in SWITCHED and event.device in self._on_since_us:
            self._on_since_us[event.device] = event.at_us if event.kind == "power_on" else OFF
        elif self._pattern.fits(event):
            before = self._last.get(event.device)
            self._last[event.device] = event
            if before is not None:
                self._add(before, event)

    def _add(self, before: TraceEvent, event: TraceEvent) -> None:
        """A device that was off in between can have been late only since it is on again."""
        gap_us = event.at_us - before.at_us
        on_us = event.at_us - max(before.at_us, self._on_since_us.get(event.device, OFF))
        self._least_us = min(self._least_us, gap_us) if self._gaps else gap_us
        self._most_us = max(self._most_us, on_us)
        self._gaps += 1
        if self._bad is None and (gap_us < self._min_us or (self._max_us is not None and on_us > self._max_us)):
            self._bad = (before, event)

    def _look_for_silence(self, now_us: int) -> None:
        """Nobody is silent where nobody does so at all: then there is nothing to measure."""
        if self._max_us is None or not self._last:
            return
        for device, on_us in self._on_since_us.items():
            last = self._last.get(device)
            silent_us = now_us - (on_us if last is None else max(on_us, last.at_us))
            if on_us >= 0 and silent_us > self._max_us:
                self._silent = (device, silent_us)
                return

    def status(self) -> Status:
        if self._bad is not None or self._silent is not None:
            return Status.VIOLATED
        return Status.MET if self._gaps else Status.OPEN

    @property
    def expected(self) -> str:
        most = "" if self._max_us is None else f" and at most {to_s(self._max_us):g} s"
        return f"each device {self._pattern} with at least {to_s(self._min_us):g} s{most} in between"

    def finding(self) -> Finding:
        if self._bad is not None:
            before, after = self._bad
            got = f"{after.device} did so after {to_s(after.at_us - before.at_us):.3f} s"
            return Finding(self.expected, got, (evidence_of(before), evidence_of(after)))
        if self._silent is not None:
            device, silent_us = self._silent
            last = self._last.get(device)
            evidence = () if last is None else (evidence_of(last),)
            return Finding(self.expected, f"{device} did not for the last {to_s(silent_us):.3f} s", evidence)
        return Finding(self.expected, "no two of them were seen, so there is nothing to measure")

    def measured(self) -> str:
        most_us = max(self._least_us, self._most_us)
        span = format_range(format_span(self._least_us), format_span(most_us))
        return f"{span} in {format_amount(self._gaps, 'gap')}"


class RateFold:
    """All devices together send at most this many requests in any window."""

    def __init__(
        self, pattern: Pattern, at_most: int, per_s: float, *, drawn_from_us: int | None = None, stops: bool = True
    ) -> None:
        """`drawn_from_us`: where the windows of the curve begin; None where none is drawn."""
        self._pattern, self._at_most, self._per_us = pattern, at_most, to_us(per_s)
        self._stops = stops
        self._drawn_from_us = drawn_from_us
        self._windows: Counter[int] = Counter()
        self.kinds: Final = frozenset({pattern.kind})
        self._window: deque[TraceEvent] = deque()
        self._peak = self._count = 0
        self._worst: TraceEvent | None = None

    def step(self, event: TraceEvent) -> None:
        if not self._pattern.fits(event):
            return
        self._count += 1
        if self._drawn_from_us is not None:
            self._windows[(event.at_us - self._drawn_from_us) // self._per_us] += 1
        self._window.append(event)
        while self._window[0].at_us <= event.at_us - self._per_us:
            self._window.popleft()
        if len(self._window) > self._peak:
            self._peak, self._worst = len(self._window), event

    def status(self) -> Status:
        if self._peak > self._at_most:
            return Status.VIOLATED if self._stops else Status.OPEN
        return Status.MET if self._peak else Status.OPEN

    @property
    def expected(self) -> str:
        whom = "all devices" if self._pattern.device == "*" else f"the devices {self._pattern.device}"
        what = format_requests(self._pattern.name, self._at_most)
        return f"{whom} together: at most {self._at_most} {what} in any {to_s(self._per_us):g} s"

    def finding(self) -> Finding:
        if self._worst is None:
            return Finding(self.expected, "none were seen, so there is nothing to measure")
        return Finding(
            self.expected, f"{self._peak} in {to_s(self._per_us):g} s", (evidence_of(self._worst),), of_all=True
        )

    def measured(self) -> str:
        return f"{self._peak} in {to_s(self._per_us):g} s at the peak, {self._count} in all"

    def curve(self) -> Curve | None:
        """How many came in each window, from the beginning of the phase on."""
        if not self._windows:
            return None
        return Curve(format_requests(self._pattern.name), to_s(self._per_us), tuple(sorted(self._windows.items())))


class SpreadFold:
    """No window holds much more than the mean window, from the first such request to the last.

    `over_s` is the minimum length of the whole span, for fleets that all arrive at once. With `first_of`
    only the first request of each of so many devices counts, and it is judged when all have come. One request has no
    spread.
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
        if self.count((event.at_us - self._first_us) // self._per_us, 1):
            self._fullest = event

    def count(self, window: int, number: int) -> bool:
        """So many more in a window, the first being 0; True when none is fuller now."""
        self._windows[window] += number
        if self._windows[window] <= self._peak:
            return False
        self._peak = self._windows[window]
        return True

    def status(self) -> Status:
        if self._is_too_few():
            return Status.OPEN
        if self._peak_over_mean() <= self._peak_at_most:
            return Status.MET
        return Status.VIOLATED if self._first_of is not None else Status.OPEN

    @property
    def expected(self) -> str:
        return f"no {to_s(self._per_us):g} s holds more than {self._peak_at_most:g} times the mean: {self._pattern}"

    def finding(self) -> Finding:
        if not self._windows:
            return Finding(self.expected, "none were seen, so there is nothing to measure")
        if self._is_too_few():
            of = f" of {self._first_of}" if self._first_of is not None else ""
            return Finding(self.expected, f"only {self._windows.total()}{of} came: too few to tell")
        got = f"{self._peak} in one {to_s(self._per_us):g} s, {self._peak_over_mean():.1f} times the mean"
        return Finding(self.expected, got, () if self._fullest is None else (evidence_of(self._fullest),), of_all=True)

    def measured(self) -> str:
        over = f"{self._peak_over_mean():.1f} times the mean"
        return f"{self._peak} in the fullest {to_s(self._per_us):g} s, {over}, {self._windows.total()} in all"

    def _is_too_few(self) -> bool:
        return self._windows.total() < max(2, self._first_of or 0)

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
