"""Folds that count events: how often, in which order, never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.harness.checks.fold import (
    EVIDENCE_KEPT,
    RecentEvents,
    Status,
    evidence_of,
    format_amount,
    format_bounds,
    format_count,
    format_range,
    format_requests,
    format_span,
    summarize_names,
)
from fleetrig.harness.checks.lives import Lives
from fleetrig.harness.checks.matching import Pattern, body_difference
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.verdict import Finding
from fleetrig.simulator.contract.failures import is_failure
from fleetrig.simulator.contract.trace import Lane, TraceEvent

SWITCHES: Final = frozenset({"power_on", "power_cut"})
"""Power events: the stage that such an event names is the one before it."""


class TimesPerDeviceFold:
    """Every device shows the pattern as often as the bounds say."""

    def __init__(self, pattern: Pattern, serials: Sequence[str], bounds: Times, lives: Lives) -> None:
        self._pattern, self._bounds, self._lives = pattern, bounds, lives
        self._counts = dict.fromkeys(serials, 0)
        self._satisfied = len(self._counts) if bounds.at_least == 0 else 0
        self._excess: str | None = None
        self._recent = RecentEvents()
        self._other_bodies = replace(pattern, body_has={}) if pattern.body_has else None
        self._near = ""

    def step(self, event: TraceEvent) -> None:
        self._lives.step(event)
        if self._excess is not None or event.device not in self._counts:
            return
        if not self._pattern.fits(event):
            self._look_at_body(event)
            return
        self._counts[event.device] += 1
        count = self._counts[event.device]
        self._satisfied += count == self._bounds.at_least
        self._recent.keep(event)
        if self._bounds.at_most is not None and count > self._bounds.at_most:
            self._excess = event.device

    def _look_at_body(self, event: TraceEvent) -> None:
        """Keeps what the first body that does not fit has in place of what is wanted, where all else fits."""
        if self._near or self._other_bodies is None or event.envelope is None or not self._other_bodies.fits(event):
            return
        difference = body_difference(event.envelope, self._pattern.body_has, self._pattern.read_body)
        self._near = difference and f"; in another of {event.device} (#{event.seq}) {difference}"

    def status(self) -> Status:
        if self._excess is not None:
            return Status.VIOLATED
        if not self._lives and self._bounds.at_least == 0:
            return Status.OPEN
        return Status.MET if self._counts and self._satisfied == len(self._counts) else Status.OPEN

    @property
    def expected(self) -> str:
        if self._bounds.at_most == 0:
            return f"no device {self._pattern}"
        return f"every device {self._pattern}, {format_bounds(self._bounds)}"

    def finding(self) -> Finding:
        if self._excess is not None:
            got = f"{self._excess} did so {format_count(self._counts[self._excess])}"
            return Finding(self.expected, got, self._recent.evidence(of=self._excess))
        if not self._counts or (self._bounds.at_least == 0 and not self._lives):
            return Finding(self.expected, self._lives.why_not)
        short = [serial for serial, count in self._counts.items() if count < self._bounds.at_least]
        got = f"{len(short)} of {len(self._counts)} did not: {summarize_names(short)}"
        if len(short) == 1:
            count = self._counts[short[0]]
            got = f"{short[0]} did so {format_count(count)}" if count else f"{short[0]} did not"
        return Finding(self.expected, got + self._near, self._recent.evidence())

    def measured(self) -> str:
        least, most = min(self._counts.values()), max(self._counts.values())
        if most == 0:
            return f"never, while {self._lives}"
        how_often = format_count(least) if least == most else f"{least} to {most} times"
        return f"{how_often} for {'the device' if len(self._counts) == 1 else f'each of {len(self._counts)} devices'}"


def row_status(bounds: Times, tries: int, longest: int) -> Status:
    """Of the longest row of failures."""
    if bounds.at_most is not None and longest > bounds.at_most:
        return Status.VIOLATED
    return Status.MET if tries and longest >= bounds.at_least else Status.OPEN


def row_text(longest: int, tries: int) -> str:
    """Whose row it is say the events."""
    return f"{longest} in a row" if longest else f"none of {tries} tries failed"


class AttemptsFold:
    """The longest run of consecutive failures of one device is within bounds."""

    def __init__(self, exchange: str, device: str, bounds: Times, lane: Lane | None = Lane.DEVICE) -> None:
        self._answered = Pattern("received", name=exchange, device=device, lane=lane)
        self._silent = Pattern("no_reply", name=exchange, device=device, lane=lane)
        self._bounds = bounds
        self._row: Counter[str] = Counter()
        self._longest = self._tries = 0
        self._longest_of = ""
        self._recent = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        failed = self._silent.fits(event)
        if not failed and not self._answered.fits(event):
            return
        self._tries += 1
        failed = failed or is_failure(event.envelope)
        self._row[event.device] = self._row[event.device] + 1 if failed else 0
        if self._row[event.device] > self._longest:
            self._longest, self._longest_of = self._row[event.device], event.device
            self._recent.keep(event)

    def status(self) -> Status:
        return row_status(self._bounds, self._tries, self._longest)

    @property
    def expected(self) -> str:
        return f"{self._bounds} consecutive failed {format_requests(self._silent.name)} of one device"

    def finding(self) -> Finding:
        if not self._tries:
            return Finding(self.expected, "none were tried, so there is nothing to measure")
        return Finding(self.expected, row_text(self._longest, self._tries), self._recent.evidence(of=self._longest_of))

    def measured(self) -> str:
        return f"{self._longest} in a row at most, of {self._tries} tries by {format_amount(len(self._row), 'device')}"


class NeverFold:
    """No device shows the pattern, though some lived."""

    def __init__(self, pattern: Pattern, lives: Lives) -> None:
        self._pattern, self._lives = pattern, lives
        self._count = 0
        self._recent = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        self._lives.step(event)
        if self._pattern.fits(event):
            self._count += 1
            if self._count <= EVIDENCE_KEPT:
                self._recent.keep(event)

    def status(self) -> Status:
        if self._count:
            return Status.VIOLATED
        return Status.MET if self._lives else Status.OPEN

    @property
    def expected(self) -> str:
        return f"no device {self._pattern}"

    def finding(self) -> Finding:
        if not self._count:
            return Finding(self.expected, self._lives.why_not)
        return Finding(self.expected, f"it happened {format_count(self._count)}", self._recent.evidence())

    def measured(self) -> str:
        return f"never, while {self._lives}"


class OrderFold:
    """Every device shows the patterns one after another; other events may lie between."""

    def __init__(self, patterns: Sequence[Pattern], serials: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._reached = dict.fromkeys(serials, 0)
        self._first_us: dict[str, int] = {}
        self._took_us: list[int] = []
        self._recent = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        reached = self._reached.get(event.device)
        if reached is None or reached == len(self._patterns) or not self._patterns[reached].fits(event):
            return
        self._reached[event.device] = reached + 1
        first_us = self._first_us.setdefault(event.device, event.at_us)
        if reached + 1 == len(self._patterns):
            self._took_us.append(event.at_us - first_us)
        self._recent.keep(event)

    def status(self) -> Status:
        return Status.MET if self._reached and len(self._took_us) == len(self._reached) else Status.OPEN

    @property
    def expected(self) -> str:
        steps = (f"{number}. {step}" for number, step in enumerate(self._patterns, 1))
        return "\n".join(["every device in this order", *steps])

    def finding(self) -> Finding:
        if not self._reached:
            return Finding(self.expected, "there is no such device")
        serial, reached = min(self._reached.items(), key=lambda entry: entry[1])
        behind = sum(count < len(self._patterns) for count in self._reached.values())
        got = f"{behind} of {len(self._reached)} did not; {serial} waits for step {reached + 1}"
        return Finding(self.expected, f"{got}: {self._patterns[reached]}", self._recent.evidence())

    def measured(self) -> str:
        took = format_range(format_span(min(self._took_us)), format_span(max(self._took_us)))
        return f"{format_amount(len(self._took_us), 'device')}, in {took} from the first step to the last"


class ReachesFold:
    """At least `needed` devices are or were in a stage. Being in it at the start counts until switched off."""

    def __init__(self, stage: str, stages: Mapping[str, str], needed: int, began_us: int = 0) -> None:
        """`stages`: the stage of each device at the start; empty while it is off."""
        self._stage, self._needed, self._began_us = stage, needed, began_us
        self._there = {serial for serial, now in stages.items() if now == stage}
        self._missing: dict[str, TraceEvent | None] = {
            serial: None for serial in stages if serial not in self._there
        }  # fmt: skip
        self._came: set[str] = set()
        self._took_us: list[int] = []

    def step(self, event: TraceEvent) -> None:
        device = event.device
        if event.lane is not Lane.DEVICE or device in self._came:
            return
        if event.kind in SWITCHES:
            if event.kind == "power_cut" and device in self._there:
                self._there.discard(device)
                self._missing[device] = event
        elif event.stage == self._stage and (device in self._missing or device in self._there):
            self._came.add(device)
            self._there.discard(device)
            if device in self._missing:
                self._took_us.append(event.at_us - self._began_us)
            self._missing.pop(device, None)
        elif device in self._missing and event.kind == "entered":
            self._missing[device] = event

    def status(self) -> Status:
        return Status.MET if self._count() >= max(1, self._needed) else Status.OPEN

    def _count(self) -> int:
        return len(self._came) + len(self._there)

    @property
    def expected(self) -> str:
        return f"{self._needed} device{'s reach' if self._needed != 1 else ' reaches'} {self._stage}"

    def finding(self) -> Finding:
        evidence = tuple(evidence_of(event) for event in self._missing.values() if event is not None)
        got = f"{self._count()} did; not these: {summarize_names(list(self._missing))}"
        return Finding(self.expected, got, evidence[:EVIDENCE_KEPT])

    def measured(self) -> str:
        parts = []
        if already := self._count() - len(self._took_us):
            parts.append(f"{format_amount(already, 'device')} from the start")
        if self._took_us:
            took = format_range(format_span(min(self._took_us)), format_span(max(self._took_us)))
            parts.append(f"{format_amount(len(self._took_us), 'device')} after {took}")
        return ", ".join(parts)


class ServerEventsFold:
    """Counts server events: refusals with a reason, or triggered faults."""

    def __init__(
        self, kind: str, bounds: Times, lives: Lives, *, device: str = "*", reason_has: str = "", fault: str = ""
    ) -> None:
        self._lives = lives
        self._kind, self._bounds, self._reason_has, self._fault = kind, bounds, reason_has.lower(), fault
        self._device = device
        self._count = 0
        self._others: Counter[str] = Counter()
        self._recent = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        self._lives.step(event)
        if event.lane is not Lane.SERVER or event.kind != self._kind or not fnmatchcase(event.device, self._device):
            return
        if self._reason_has in event.reason.lower() and (not self._fault or event.fault == self._fault):
            self._count += 1
            self._recent.keep(event)
        else:
            self._others[event.reason or event.fault] += 1

    def status(self) -> Status:
        if self._bounds.at_most is not None and self._count > self._bounds.at_most:
            return Status.VIOLATED
        could = self._count or self._lives
        return Status.MET if could and self._count >= self._bounds.at_least else Status.OPEN

    @property
    def expected(self) -> str:
        like = f" with a reason like {self._reason_has!r}" if self._reason_has else ""
        if self._fault:
            return f"fault {self._fault} is triggered {format_bounds(self._bounds)}"
        if self._bounds.at_most == 0:
            return f"the server refuses nothing{like}"
        return f"the server refuses{like}, {format_bounds(self._bounds)}"

    def finding(self) -> Finding:
        if self._bounds.at_least == 0 and not self._count:
            return Finding(self.expected, self._lives.why_not)
        got = format_count(self._count)
        if self._others:
            got += "; other reasons: " + summarize_names([f"«{text}» ×{n}" for text, n in self._others.most_common(3)])
        if self._fault and self._lives and self._count < self._bounds.at_least:
            got += f"; only what it hits triggers it, and {self._lives}"
        if self._fault and not self._count:
            got += self._lives.unreadable
        return Finding(self.expected, got, self._recent.evidence())

    def measured(self) -> str:
        return format_count(self._count) + ("" if self._count else f", while {self._lives}")
