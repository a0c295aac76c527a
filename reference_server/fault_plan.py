"""The faults of a run: when each is on, whom it hits, how often. Pure: time and chance are handed in.

`http_faults` and `session_faults` say what they do to requests and sessions, `http_rewrite` how they change an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.json_types import Json

DEFAULT_STATUS: Final = 503
DEFAULT_DELAY_S: Final = 1.0

SHOWN_CHARS: Final = 500
"""Of one parameter."""

WORDS: Final = {
    FaultKind.CONNECT_REFUSED: "the connection is refused",
    FaultKind.CONNECT_UNANSWERED: "nothing is said any more",
    FaultKind.DUPLICATE_DELIVERY: "it comes twice",
    FaultKind.MALFORMED_PACKET: "the packet is malformed",
    FaultKind.COAP_RESET: "the answer is RST",
    FaultKind.LOST_DATAGRAM: "the datagram is lost",
    FaultKind.DUPLICATE_DATAGRAM: "the datagram arrives twice",
    FaultKind.WITHHELD_ACK: "the acknowledgement is withheld",
    FaultKind.WITHHELD_PINGRESP: "the answer to a ping is withheld",
    FaultKind.NORTHBOUND_DOWN: "applications cannot be reached",
}
"""What a fault without parameters does, for the trace."""


@dataclass(slots=True)
class ScheduledFault:
    """A fault in the plan. `bites` counts how often it acted; connections to a port that is closed are not counted."""

    id: int
    fault: Fault
    from_us: int
    until_us: int | None
    bites: int = 0
    busy_until_us: int = 0
    """A capacity: when everything that has been let in will be answered."""

    def is_on(self, now_us: int) -> bool:
        if self.fault.times is not None and self.bites >= self.fault.times:
            return False
        return self.from_us <= now_us and (self.until_us is None or now_us < self.until_us)

    def is_over(self, now_us: int) -> bool:
        """It will never act again."""
        return now_us >= self.from_us and not self.is_on(now_us)


@dataclass(slots=True)
class FaultPlan:
    """The faults of a run. `draw` gives uniform numbers in [0,1)."""

    draw: Callable[[], float]
    _scheduled: list[ScheduledFault] = field(default_factory=list)
    _last_id: int = 0

    def add(self, fault: Fault, now_us: int) -> ScheduledFault:
        """Schedules a fault; its `at_s` counts from `now_us`."""
        self._last_id += 1
        from_us = now_us + to_us(fault.at_s)
        until_us = None if fault.for_s is None else from_us + to_us(fault.for_s)
        scheduled = ScheduledFault(self._last_id, fault, from_us, until_us)
        self._scheduled.append(scheduled)
        return scheduled

    @property
    def is_idle(self) -> bool:
        """True when nothing is scheduled: requests then cost nothing here."""
        return not self._scheduled

    def scheduled(self) -> tuple[ScheduledFault, ...]:
        """In the order of their ids, also those that are over."""
        return tuple(self._scheduled)

    def remove(self, fault_id: int) -> None:
        self._scheduled = [entry for entry in self._scheduled if entry.id != fault_id]

    def clear(self) -> None:
        self._scheduled.clear()

    def refuses_at(self, now_us: int) -> bool:
        """True while all ports should be closed: during an outage of everything that shows as refused."""
        return any(entry.is_on(now_us) and refuses_all(entry.fault) for entry in self._scheduled)

    def next_change_us(self, now_us: int) -> int | None:
        """When the next fault begins or ends after `now_us`."""
        edges = [
            edge for e in self._scheduled for edge in (e.from_us, e.until_us) if edge is not None and edge > now_us
        ]
        return min(edges, default=None)

    def trigger(self, wanted: Callable[[Fault], bool], lines: Sequence[str], now_us: int) -> Fault | None:
        """The first wanted fault that is on, fits one of the lines and wins its draw. Counts it as having acted."""
        entry = self.trigger_entry(wanted, lines, now_us)
        return None if entry is None else entry.fault

    def trigger_entry(
        self, wanted: Callable[[Fault], bool], lines: Sequence[str], now_us: int
    ) -> ScheduledFault | None:
        """The same, as it stands in the plan."""
        for entry in self._scheduled:
            fault = entry.fault
            if not wanted(fault) or not entry.is_on(now_us):
                continue
            if not any(fnmatchcase(line, fault.hits) for line in lines):
                continue
            if fault.share < 1 and self.draw() >= fault.share:
                continue
            entry.bites += 1
            return entry
        return None


def refuses_all(fault: Fault) -> bool:
    """True for an outage of everything that shows as refused: the port is closed meanwhile."""
    is_refused = fault.kind is FaultKind.OUTAGE and shows_as(fault) is Ending.REFUSED
    return is_refused and fault.hits == "*" and fault.share >= 1


def shows_as(fault: Fault) -> Ending:
    """How a fault shows on the wire when the scenario does not say."""
    match fault.kind:
        case FaultKind.OUTAGE:
            return fault.shows_as or Ending.REFUSED
        case FaultKind.LOST_REPLY | FaultKind.DROP_AFTER_CONNACK | FaultKind.HALF_PACKET:
            return fault.shows_as or Ending.CLOSED
        case FaultKind.TRUNCATED_BODY:
            return Ending.TRUNCATED
        case _:
            return Ending.WHOLE


def describe(fault: Fault) -> str:
    """What it does, for the trace."""
    parameters = ", ".join(f"{name} {_shown(value)}" for name, value in fault.parameters.items())
    ending = shows_as(fault)
    return (parameters or WORDS.get(fault.kind, "")) if ending is Ending.WHOLE else f"shows as {ending}"


def _shown(value: Json) -> str:
    """A value, or how long it is: the trace has a line for each request that is hit."""
    text = str(value)
    return text if len(text) <= SHOWN_CHARS else f"({len(text):,} characters)"
