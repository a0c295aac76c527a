"""The last refusals with their reasons: kept apart from the trace, where a busy fleet would soon push them out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from fleetrig.reference_server.control.received_lines import ReceivedLines
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MAX_REFUSALS: Final = 5_000
SHOWN_LINE_CHARS: Final = 500


class Refusal(NamedTuple):
    """`line` is what was refused (`GET /a`, `CONNECT gw-7`), empty for what could not be read, or was never said.

    `status` is the line of the answer: `401`, `CONNACK 5`, `4.01`; empty when there was none.
    """

    at_us: int
    line: str
    status: str
    device: str
    reason: str


class Refusals:
    """A trace listener. A refusal belongs to what came last on its session."""

    kinds: Final = frozenset({"refused", "malformed"})
    """The events that it wants to see."""

    def __init__(self, received: ReceivedLines, at_most: int = MAX_REFUSALS) -> None:
        self._kept: deque[Refusal] = deque(maxlen=at_most)
        self._received = received

    def __call__(self, event: TraceEvent) -> None:
        if event.kind in self.kinds:
            line = self._received.get(event.session) if event.lane is Lane.SERVER else ""
            status = event.envelope.line if event.envelope is not None else ""
            self._kept.append(Refusal(event.at_us, line, status, event.device, event.reason))

    def newest_first(self, device: str = "*") -> Iterator[Refusal]:
        """Those of the devices that fit the glob."""
        return (refusal for refusal in reversed(self._kept) if fnmatchcase(refusal.device, device))
