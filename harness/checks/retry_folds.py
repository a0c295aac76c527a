"""Folds over the pauses between failed tries: do they grow, and do devices differ from each other?"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from statistics import mean, median
from typing import Final

from fleetrig.harness.checks.fold import Status, evidence_of, format_amount, format_range
from fleetrig.harness.checks.matching import Pattern
from fleetrig.harness.verdict import Evidence, Finding
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.failures import is_failure
from fleetrig.simulator.contract.trace import TraceEvent

MIN_PAUSES: Final = 4
"""Fewer pauses say nothing about growth."""


@dataclass(slots=True)
class TryRow:
    """One device's longest row of failures, and the one that is under way."""

    pauses_us: list[int] = field(default_factory=list)
    longest_us: list[int] = field(default_factory=list)
    failed: TraceEvent | None = None
    """The last try, if it failed."""
    last: TraceEvent | None = None

    def sent(self, event: TraceEvent) -> None:
        if self.failed is not None:
            self.pauses_us.append(event.at_us - self.failed.at_us)
            if len(self.pauses_us) > len(self.longest_us):
                self.longest_us, self.last = list(self.pauses_us), event

    def answered(self, event: TraceEvent, *, failed: bool) -> None:
        self.failed = event if failed else None
        if not failed:
            self.pauses_us.clear()

    def growth(self) -> float | None:
        """The later half of the pauses over the earlier half; None when there are too few."""
        count = len(self.longest_us)
        if count < MIN_PAUSES:
            return None
        half = count // 2
        return sum(self.longest_us[-half:]) / max(1, sum(self.longest_us[:half]))

    def __str__(self) -> str:
        return ", ".join(f"{to_s(pause):.1f}" for pause in self.longest_us) + " s"


class PauseRows:
    """Collects the rows of all devices."""

    def __init__(self, sent: Pattern, received: Pattern, no_reply: Pattern) -> None:
        self.name = sent.name
        self._sent, self._received, self._no_reply = sent, received, no_reply
        self.rows: dict[str, TryRow] = {}

    def step(self, event: TraceEvent) -> None:
        row = self.rows.setdefault(event.device, TryRow()) if event.device else TryRow()
        if self._sent.fits(event):
            row.sent(event)
        elif self._no_reply.fits(event):
            row.answered(event, failed=True)
        elif self._received.fits(event):
            row.answered(event, failed=is_failure(event.envelope))

    def seen(self) -> dict[str, TryRow]:
        """The rows of devices that failed at least once."""
        return {device: row for device, row in self.rows.items() if row.longest_us}

    def evidence(self, device: str) -> tuple[Evidence, ...]:
        last = self.rows[device].last
        return () if last is None else (evidence_of(last),)


class BacksOffFold:
    """The pauses of every device grow while it fails."""

    def __init__(self, rows: PauseRows, by: float) -> None:
        self._rows, self._by = rows, by

    def step(self, event: TraceEvent) -> None:
        self._rows.step(event)

    def status(self) -> Status:
        seen = self._rows.seen().values()
        grows = all((growth := row.growth()) is not None and growth >= self._by for row in seen)
        return Status.MET if seen and grows else Status.OPEN

    @property
    def expected(self) -> str:
        return (
            f"the pauses between failed tries of {self._rows.name} grow: "
            f"the later half takes at least {self._by:g} times as long as the earlier"
        )

    def finding(self) -> Finding:
        for device, row in self._rows.seen().items():
            growth = row.growth()
            if growth is None:
                got = f"{device} paused only {format_amount(len(row.longest_us), 'time')} ({row}): too few to tell"
                return Finding(self.expected, f"{got}, that takes {MIN_PAUSES}; shorter first pauses show more")
            if growth < self._by:
                got = f"{growth:.1f} times: {device} paused {row}"
                return Finding(self.expected, got, self._rows.evidence(device))
        return Finding(self.expected, "none failed twice in a row, so there is nothing to measure")

    def measured(self) -> str:
        seen = self._rows.seen()
        growths = [row.growth() or 0.0 for row in seen.values()]
        device, row = next(iter(seen.items()))
        return f"{format_range(f'{min(growths):.1f}', f'{max(growths):.1f}')} times as long; {device} paused {row}"


class JitterFold:
    """Devices that fail together do not try again together."""

    def __init__(self, rows: PauseRows, at_least: float) -> None:
        self._rows, self._at_least = rows, at_least

    def step(self, event: TraceEvent) -> None:
        self._rows.step(event)

    def status(self) -> Status:
        differences = self._differences()
        return Status.MET if differences and median(differences) >= self._at_least else Status.OPEN

    @property
    def expected(self) -> str:
        return (
            f"the pauses between failed tries of {self._rows.name} differ from device to device "
            f"by at least {self._at_least:.0%} of their mean, in the median over all failures"
        )

    def finding(self) -> Finding:
        differences = self._differences()
        if not differences:
            return Finding(self.expected, "no two devices failed, so there is nothing to compare")
        two = list(self._rows.seen().items())[:2]
        shown = "; ".join(f"{device} paused {row}" for device, row in two)
        return Finding(self.expected, f"{median(differences):.1%}: {shown}")

    def measured(self) -> str:
        differences = self._differences()
        failures = format_amount(len(differences), "failure")
        return f"{median(differences):.1%} in the median over {failures} of {len(self._rows.seen())} devices"

    def _differences(self) -> list[float]:
        """For each failure by its number, how much the pauses after it differ, over their mean."""
        rows = [row.longest_us for row in self._rows.seen().values()]
        together = zip_longest(*rows, fillvalue=None)
        found = ([pause for pause in pauses if pause is not None] for pauses in together)
        return [(max(some) - min(some)) / mean(some) for some in found if len(some) > 1 and sum(some) > 0]
