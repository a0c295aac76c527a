"""Checks over the stream of events. Each takes one event at a time and keeps only the state it needs.

A fold is MET while it holds, OPEN while it does not hold but still can, VIOLATED once it cannot hold any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Final, Protocol

from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.verdict import Evidence, Finding
from fleetrig.simulator.contract.trace import TraceEvent

EVIDENCE_KEPT: Final = 3


class Status(Enum):
    OPEN = "open"
    MET = "met"
    VIOLATED = "violated"


class Fold(Protocol):
    """A check over the stream."""

    def step(self, event: TraceEvent) -> None: ...

    def status(self) -> Status: ...

    @property
    def expected(self) -> str:
        """What the check wants, in words."""

    def finding(self) -> Finding:
        """What was expected and what happened; called only if the check does not hold."""


class RecentEvents:
    """The most recent events, as evidence for a finding."""

    def __init__(self) -> None:
        self._last: deque[TraceEvent] = deque(maxlen=EVIDENCE_KEPT)

    def keep(self, event: TraceEvent) -> None:
        self._last.append(event)

    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(evidence_of(event) for event in self._last)


def evidence_of(event: TraceEvent) -> Evidence:
    """Where an event stands in the trace, and what it says in one line."""
    what = event.envelope.line if event.envelope is not None else event.reason or event.stage
    line = " ".join(filter(None, [event.device, event.kind, event.name, what]))
    return Evidence(event.lane, event.seq, line)


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


def format_requests(exchange: str) -> str:
    """`polls`, `configData requests`."""
    return "polls" if exchange == "poll" else f"{exchange} requests"


def format_count(count: int) -> str:
    """`never`, `once`, `3 times`."""
    return ("never", "once")[count] if count < 2 else f"{count} times"
