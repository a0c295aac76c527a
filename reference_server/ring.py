"""The latest trace events, as many as fit: what a server that runs for weeks can show of its past."""

from __future__ import annotations

from collections import deque
from typing import Final

from simulator.contract.trace import TraceEvent
from simulator.contract.wire import FileSlice

MAX_EVENTS: Final = 10_000
MAX_BODY_BYTES: Final = 32 * 1024 * 1024


class TraceRing:
    """A trace listener that forgets the oldest events, by number and by the bytes of their bodies."""

    def __init__(self, max_events: int = MAX_EVENTS, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._max_events = max_events
        self._max_body_bytes = max_body_bytes
        self._events: deque[TraceEvent] = deque()
        self._body_bytes = 0

    def __call__(self, event: TraceEvent) -> None:
        self._events.append(event)
        self._body_bytes += _held_bytes(event)
        while len(self._events) > self._max_events or self._body_bytes > self._max_body_bytes:
            self._body_bytes -= _held_bytes(self._events.popleft())

    def events(self) -> tuple[TraceEvent, ...]:
        """Oldest first."""
        return tuple(self._events)


def _held_bytes(event: TraceEvent) -> int:
    """What an event's body takes in memory; file slices take nothing."""
    if event.envelope is None:
        return 0
    body = event.envelope.body
    if type(body) is bytes:
        return len(body)
    parts = body if isinstance(body, tuple) else (body,)
    return sum(len(part) for part in parts if not isinstance(part, FileSlice))
