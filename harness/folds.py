"""Checks over the stream of events. Each looks at one event at a time and keeps only what it must count.

A fold is OPEN while it may still come true, MET when it holds as things stand, VIOLATED when nothing can mend it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from harness.matching import Pattern
from harness.verdict import Evidence, Finding
from simulator.contract.clock import to_s, to_us
from simulator.contract.trace import Lane, TraceEvent

EVIDENCE_KEPT = 3


class Standing(Enum):
    OPEN = "open"
    MET = "met"
    VIOLATED = "violated"


class Fold(Protocol):
    """A check over the stream."""

    def step(self, event: TraceEvent) -> None: ...

    def standing(self) -> Standing: ...

    def finding(self) -> Finding:
        """What was expected and what came; asked for only when the check does not hold."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often: at least, at most (None: no limit)."""

    at_least: int = 1
    at_most: int | None = None

    def __str__(self) -> str:
        if self.at_most is None:
            return f"at least {self.at_least} times" if self.at_least != 1 else "at least once"
        if self.at_least == self.at_most:
            return {0: "never", 1: "exactly once"}.get(self.at_most, f"exactly {self.at_most} times")
        return f"{self.at_least} to {self.at_most} times"


class _Witness:
    """The last few events that a finding will point to."""

    def __init__(self) -> None:
        self._last: deque[TraceEvent] = deque(maxlen=EVIDENCE_KEPT)

    def keep(self, event: TraceEvent) -> None:
        self._last.append(event)

    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(evidence_of(event) for event in self._last)


class TimesPerDevice:
    """Every device shows the pattern as often as the bounds say."""

    def __init__(self, pattern: Pattern, serials: Sequence[str], bounds: Bounds) -> None:
        self._pattern, self._bounds = pattern, bounds
        self._counts = dict.fromkeys(serials, 0)
        self._satisfied = len(self._counts) if bounds.at_least == 0 else 0
        self._excess: str | None = None
        self._witness = _Witness()

    def step(self, event: TraceEvent) -> None:
        if event.device not in self._counts or not self._pattern.fits(event):
            return
        self._counts[event.device] += 1
        count = self._counts[event.device]
        self._satisfied += count == self._bounds.at_least
        if self._bounds.at_most is None or count > self._bounds.at_most:
            self._witness.keep(event)
        if self._bounds.at_most is not None and count > self._bounds.at_most:
            self._excess = event.device

    def standing(self) -> Standing:
        if self._excess is not None:
            return Standing.VIOLATED
        return Standing.MET if self._satisfied == len(self._counts) else Standing.OPEN

    def finding(self) -> Finding:
        expected = f"every device {self._pattern} {self._bounds}"
        if self._excess is not None:
            got = f"{self._excess} did so {self._counts[self._excess]} times"
            return Finding(expected, got, self._witness.evidence())
        short = [serial for serial, count in self._counts.items() if count < self._bounds.at_least]
        got = f"{len(short)} of {len(self._counts)} did not: {some(short)}"
        if len(short) == 1:
            got = f"{short[0]} did so {self._counts[short[0]]} times"
        return Finding(expected, got, self._witness.evidence())


class Never:
    """No device shows the pattern."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._count = 0
        self._witness = _Witness()

    def step(self, event: TraceEvent) -> None:
        if self._pattern.fits(event):
            self._count += 1
            if self._count <= EVIDENCE_KEPT:
                self._witness.keep(event)

    def standing(self) -> Standing:
        return Standing.VIOLATED if self._count else Standing.MET

    def finding(self) -> Finding:
        return Finding(f"no device {self._pattern}", f"it happened {self._count} times", self._witness.evidence())


class Order:
    """Every device shows the patterns one after another; other events may lie between."""

    def __init__(self, patterns: Sequence[Pattern], serials: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._reached = dict.fromkeys(serials, 0)
        self._done = 0 if patterns else len(self._reached)
        self._witness = _Witness()

    def step(self, event: TraceEvent) -> None:
        reached = self._reached.get(event.device)
        if reached is None or reached == len(self._patterns) or not self._patterns[reached].fits(event):
            return
        self._reached[event.device] = reached + 1
        self._done += reached + 1 == len(self._patterns)
        self._witness.keep(event)

    def standing(self) -> Standing:
        return Standing.MET if self._done == len(self._reached) else Standing.OPEN

    def finding(self) -> Finding:
        serial, reached = min(self._reached.items(), key=lambda entry: entry[1])
        behind = sum(count < len(self._patterns) for count in self._reached.values())
        expected = "every device in this order: " + ", then ".join(map(str, self._patterns))
        got = f"{behind} of {len(self._reached)} did not; {serial} never got to «{self._patterns[reached]}»"
        return Finding(expected, got, self._witness.evidence())


class Reaches:
    """So many devices are, or have been, in a stage."""

    def __init__(self, stage: str, there_already: Sequence[str], needed: int) -> None:
        self._stage, self._needed = stage, needed
        self._seen = set(there_already)

    def step(self, event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE and event.stage == self._stage:
            self._seen.add(event.device)

    def standing(self) -> Standing:
        return Standing.MET if len(self._seen) >= self._needed else Standing.OPEN

    def finding(self) -> Finding:
        return Finding(
            f"{self._needed} devices reach {self._stage}", f"{len(self._seen)} did: {some(sorted(self._seen))}"
        )


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
    """Never more than so many in a span, over all devices."""

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


class Told:
    """The server or network lane says something so often: a refusal with a reason, or a fault that fired."""

    def __init__(self, kind: str, bounds: Bounds, *, reason_has: str = "", fault: str = "") -> None:
        self._kind, self._bounds, self._reason_has, self._fault = kind, bounds, reason_has.lower(), fault
        self._count = 0
        self._others: Counter[str] = Counter()
        self._witness = _Witness()

    def step(self, event: TraceEvent) -> None:
        if event.lane is not Lane.SERVER or event.kind != self._kind:
            return
        if self._reason_has in event.reason.lower() and (not self._fault or event.fault == self._fault):
            self._count += 1
            self._witness.keep(event)
        else:
            self._others[event.reason or event.fault] += 1

    def standing(self) -> Standing:
        if self._bounds.at_most is not None and self._count > self._bounds.at_most:
            return Standing.VIOLATED
        return Standing.MET if self._count >= self._bounds.at_least else Standing.OPEN

    def finding(self) -> Finding:
        what = f"fault {self._fault}" if self._fault else f"refusal with a reason like {self._reason_has!r}"
        got = f"{self._count} times"
        if self._others:
            got += "; other reasons: " + some([f"«{text}» ×{n}" for text, n in self._others.most_common(3)])
        return Finding(f"{what} {self._bounds}", got, self._witness.evidence())


def evidence_of(event: TraceEvent) -> Evidence:
    """Where an event stands in the trace, and what it says in one line."""
    match event.envelope:
        case None:
            what = event.reason or event.stage
        case envelope:
            what = getattr(envelope, "target", "") or str(getattr(envelope, "status", ""))
    line = " ".join(filter(None, [event.device, event.kind, event.name, what]))
    return Evidence(event.lane, event.seq, line)


def some(names: Sequence[str], at_most: int = 3) -> str:
    """The first few of many."""
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return (", ".join(names[:at_most]) or "none") + more
