"""Where one client is in the trace: gives it the lines that it asked for, from there on.

The ring is the client's queue: a client that is too slow finds that events were forgotten before it came to them, and
gets their number where they are missing: `{"dropped": 17}`. (Some of these would perhaps not have fitted its filter.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from fleetrig.reference_server.control.ring import TraceRing
from fleetrig.simulator.contract.envelope import without_payload
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.contract.trace_json import to_line

LOOKED_AT_ONCE: Final = 100
"""Masking and writing a line takes some 50 us: so a server answers its devices every few ms meanwhile."""


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """`since` is the number of the last event that the client has; None for the newest ones, or new ones if it follows.

    `lane` and `kind` are words, empty for all; `device` is a glob. Without `bodies` envelopes come without.
    """

    since: int | None = None
    limit: int | None = None
    follow: bool = False
    lane: str = ""
    kind: str = ""
    device: str = "*"
    bodies: bool = True

    def fits(self, event: TraceEvent) -> bool:
        return (
            (not self.lane or event.lane == self.lane)
            and (not self.kind or event.kind == self.kind)
            and (self.device == "*" or fnmatchcase(event.device, self.device))
        )


class TraceCursor:
    """Call `lines` until `is_over`; unless it `is_behind`, there is nothing until the next event comes."""

    def __init__(self, ring: TraceRing, secrets: Secrets, query: TraceQuery) -> None:
        self._ring = ring
        self._secrets = secrets
        self._query = query
        self._left = query.limit
        self.last: Final = ring.last
        """The number of the newest event when this was asked for, whether it fits or not."""
        self._until = None if query.follow else self.last
        self._at = self._start()

    @property
    def is_over(self) -> bool:
        return self._left == 0 or (self._until is not None and self._at >= self._until)

    @property
    def is_behind(self) -> bool:
        return self._at < self._ring.last

    def lines(self) -> list[str]:
        """The lines among the next events, which may be none."""
        lines: list[str] = []
        if self._at < self._ring.forgotten:
            lines.append(json.dumps({"dropped": self._ring.forgotten - self._at}))
            self._at = self._ring.forgotten
        for number, event in self._ring.after(self._at, LOOKED_AT_ONCE):
            if self.is_over:
                break
            self._at = number
            if self._query.fits(event):
                lines.append(self._line(number, event))
                if self._left is not None:
                    self._left -= 1
        return lines

    def _line(self, number: int, event: TraceEvent) -> str:
        if not self._query.bodies and event.envelope is not None:
            event = event._replace(envelope=without_payload(event.envelope))
        return f'{{"number":{number},{to_line(event, self._secrets)[1:]}'

    def _start(self) -> int:
        """The number after which to begin."""
        query = self._query
        if query.since is not None:
            return query.since
        if query.follow:
            return self._ring.last
        wanted = query.limit
        for number, event in self._ring.newest_first():
            if query.fits(event) and wanted is not None:
                wanted -= 1
                if not wanted:
                    return number - 1
        return self._ring.forgotten
