"""What came last on each session, as a line: a refusal is told with what was refused."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.trace import Lane, TraceEvent

KEPT_LINE_CHARS: Final = 4_000
"""More than is shown: a secret must be whole to be found and masked before its line is cut."""


class ReceivedLines:
    """A trace listener, one for all who tell of refusals: it is called for every request and packet."""

    kinds: Final = frozenset({"received"})
    """The events that it wants to see."""

    def __init__(self) -> None:
        self._lines = BySession[str]()

    def __call__(self, event: TraceEvent) -> None:
        if event.lane is Lane.SERVER and event.envelope is not None:
            self._lines.put(event.session, event.envelope.line[:KEPT_LINE_CHARS])

    def get(self, session: int) -> str:
        """Empty when nothing has come, or too long ago."""
        return self._lines.get(session) or ""
