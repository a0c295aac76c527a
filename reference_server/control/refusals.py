"""The last refusals with their reasons: kept apart from the trace, where a busy fleet would soon push them out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.trace import Lane, TraceEvent

MAX_REFUSALS: Final = 5_000
KEPT_LINE_CHARS: Final = 4_000
"""More than is shown: a secret must be whole to be found and masked before its line is cut."""
SHOWN_LINE_CHARS: Final = 500


class Refusal(NamedTuple):
    """`line` is what was refused (`GET /a`, `CONNECT gw-7`), empty for what could not be read, or was never said.

    `status` is the line of the answer: `401`, `CONNACK 5`, `4.01`; empty when the session was ended without one.
    """

    at_us: int
    line: str
    status: str
    device: str
    reason: str


class Refusals:
    """A trace listener. A refusal belongs to what came last on its session."""

    kinds: Final = frozenset({"received", "refused", "malformed"})
    """The events that it wants to see."""

    def __init__(self, at_most: int = MAX_REFUSALS) -> None:
        self._kept: deque[Refusal] = deque(maxlen=at_most)
        self._received = BySession[str]()

    def __call__(self, event: TraceEvent) -> None:
        if event.kind == "received":
            if event.lane is Lane.SERVER and event.envelope is not None:
                self._received.put(event.session, event.envelope.line[:KEPT_LINE_CHARS])
        elif event.kind in ("refused", "malformed"):
            line = self._received.get(event.session) if event.lane is Lane.SERVER else None
            status = event.envelope.line if event.envelope is not None else ""
            self._kept.append(Refusal(event.at_us, line or "", status, event.device, event.reason))

    def newest_first(self, device: str = "*") -> Iterator[Refusal]:
        """Those of the devices that fit the glob."""
        return (refusal for refusal in reversed(self._kept) if fnmatchcase(refusal.device, device))
