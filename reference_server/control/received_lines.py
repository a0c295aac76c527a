"""What came last on each session, as a line: a refusal is told with what was refused."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.by_session import BySession
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.trace import Lane, TraceEvent

KEPT_LINE_CHARS: Final = 4_000
"""More than is shown: a secret must be whole to be found and masked before its line is cut."""


class ReceivedLines:
    """A trace listener, one for all who tell of refusals: it is called for every request and packet.

    A request without a body is kept as it is: hardly any line is ever asked for.
    """

    kinds: Final = frozenset({"received"})
    """The events that it wants to see."""

    def __init__(self) -> None:
        self._lines = BySession[str | HttpRequest]()

    def __call__(self, event: TraceEvent) -> None:
        envelope = event.envelope
        if event.lane is Lane.SERVER and envelope is not None:
            if isinstance(envelope, HttpRequest) and envelope.body == b"":
                self._lines.put(event.session, envelope)
            else:
                self._lines.put(event.session, envelope.line[:KEPT_LINE_CHARS])

    def get(self, session: int) -> str:
        """Empty when nothing has come, or too long ago."""
        came = self._lines.get(session) or ""
        return came if isinstance(came, str) else came.line[:KEPT_LINE_CHARS]
