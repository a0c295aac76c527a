"""Checks over the stream of events. Each takes one event at a time and keeps only the state it needs.

A fold is MET while it holds, OPEN while it does not hold but still can, VIOLATED once it cannot hold any more. What
was never seen, or could not have been, does not hold: a check over nothing is no pass (`Lives`, and the folds' own).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, Protocol, runtime_checkable

from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.verdict import Curve, Evidence, Finding
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.trace import TraceEvent

EVIDENCE_KEPT: Final = 3


class Status(Enum):
    OPEN = "open"
    MET = "met"
    VIOLATED = "violated"


NOTHING_THERE: Final = ("nothing to measure", "nothing to compare", "could not have")
"""What findings say of a check that had nothing to look at; `is_over_nothing` reads it."""
STOPS_FROM: Final = 100
"""Of fewer, one or two that are bad say nothing of a share yet."""


def threshold_status(measured: int, *, is_bad: bool, stops: bool, can_mend: bool = True) -> Status:
    """Of a check of how many are bad. Those that are still to come may mend it, unless it is to end the run."""
    if is_bad and stops and (measured >= STOPS_FROM or not can_mend):
        return Status.VIOLATED
    return Status.MET if measured and not is_bad else Status.OPEN


class Judging(Protocol):
    """A check that is being judged, from whatever it looks at."""

    def status(self) -> Status: ...

    @property
    def expected(self) -> str:
        """What the check wants, in words."""

    def finding(self) -> Finding:
        """What was expected and what happened; called only if the check does not hold."""

    def measured(self) -> str:
        """What was seen, in numbers; called only if the check holds."""


class Fold(Judging, Protocol):
    """A check over the stream."""

    def step(self, event: TraceEvent) -> None: ...


@runtime_checkable
class OfSomeKinds(Protocol):
    """A fold that passes over events of other kinds than these: with no other listener they need not be made."""

    @property
    def kinds(self) -> frozenset[str]: ...


@runtime_checkable
class Drawn(Protocol):
    """A fold whose course the report draws."""

    def curve(self) -> Curve | None:
        """The course so far; None where nobody asked for it, or nothing was seen."""


def curves_of(folds: Iterable[object]) -> tuple[Curve, ...]:
    """What the report is to draw of a phase."""
    found = (fold.curve() for fold in folds if isinstance(fold, Drawn))
    return tuple(curve for curve in found if curve is not None)


def is_over_nothing(finding: Finding | None) -> bool:
    """True for a check that does not hold only because nothing happened that it is about."""
    return finding is not None and any(words in finding.got for words in NOTHING_THERE)


class RecentEvents:
    """The most recent events, as evidence for a finding."""

    def __init__(self) -> None:
        self._last: deque[TraceEvent] = deque(maxlen=EVIDENCE_KEPT)

    def keep(self, event: TraceEvent) -> None:
        self._last.append(event)

    def evidence(self, of: str | None = None) -> tuple[Evidence, ...]:
        """`of`: the one device that the finding is about."""
        return tuple(evidence_of(event) for event in self._last if of in (None, event.device))


def evidence_of(event: TraceEvent) -> Evidence:
    """Where an event stands in the trace, and what it says in one line."""
    what = event.envelope.line if event.envelope is not None else event.reason or event.stage
    line = " ".join(filter(None, [event.device, event.kind, event.name, what]))
    return Evidence(event.lane, event.seq, line, event.device)


def summarize_names(names: Sequence[str], at_most: int = 3) -> str:
    """Lists the first few names and counts the others."""
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return (", ".join(names[:at_most]) or "none") + more


def format_bounds(bounds: Times) -> str:
    """`exactly once`, `at least 2 times`, `never`, `2 to 6 times`."""
    if bounds.at_most == 0:
        return "never"
    last = bounds.at_most if bounds.at_most is not None else bounds.at_least
    return str(bounds).removesuffix("1") + "once" if last == 1 and bounds.at_least in (0, 1) else f"{bounds} times"


def format_requests(exchange: str, count: int = 2) -> str:
    """`polls`, `1 poll`, `configData requests`: the word alone, as it stands behind so many."""
    return f"{'poll' if exchange == 'poll' else f'{exchange} request'}{'s' * (count != 1)}"


def format_count(count: int) -> str:
    """`never`, `once`, `3 times`."""
    return ("never", "once")[count] if count < 2 else f"{count} times"


def format_amount(count: int, noun: str) -> str:
    """`1 device`, `3 devices`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def format_span(span_us: int) -> str:
    """Seconds without zeros behind: `5.25 s`."""
    return f"{to_s(span_us):.3f}".rstrip("0").rstrip(".") + " s"


def format_range(least: str, most: str) -> str:
    """`5 s to 6.2 s`, or one of them when they are the same."""
    return least if least == most else f"{least} to {most}"
