"""The latest trace events, as many as fit: what a server that runs for weeks can show of its past."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from fleetrig.simulator.contract.envelope import Envelope, payload_of
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse, parts_of
from fleetrig.simulator.contract.mqtt_size import MEASURES
from fleetrig.simulator.contract.trace import TraceEvent

HTTP: Final = (HttpRequest, HttpResponse)
MAX_EVENTS: Final = 10_000
MAX_BODY_BYTES: Final = 32 * 1024 * 1024


class TraceRing:
    """A trace listener that forgets the oldest events, by number and by the bytes of their bodies.

    Events are numbered 1, 2, 3, … through all lanes, in the order in which they came.
    """

    def __init__(self, max_events: int = MAX_EVENTS, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._max_events = max_events
        self._max_body_bytes = max_body_bytes
        self._events: deque[TraceEvent] = deque()
        self._sizes_bytes: deque[int] = deque()
        """Of the same events."""
        self._body_bytes = 0
        self._forgotten = 0

    def __call__(self, event: TraceEvent) -> None:
        events, sizes_bytes, envelope = self._events, self._sizes_bytes, event.envelope
        if isinstance(envelope, HTTP) and type(envelope.body) is bytes:
            size_bytes = len(envelope.body)  # nearly always, and this is run for every event
        else:
            size_bytes = 0 if envelope is None else _held_bytes(envelope)
        self._body_bytes += size_bytes
        events.append(event)
        sizes_bytes.append(size_bytes)
        while len(events) > self._max_events or self._body_bytes > self._max_body_bytes:
            events.popleft()
            self._body_bytes -= sizes_bytes.popleft()
            self._forgotten += 1

    @property
    def forgotten(self) -> int:
        """The number of the last event that is no longer here."""
        return self._forgotten

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._forgotten + len(self._events)

    def events(self) -> tuple[TraceEvent, ...]:
        """Oldest first."""
        return tuple(self._events)

    def after(self, number: int, at_most: int) -> list[tuple[int, TraceEvent]]:
        """The next events after that number, with their own, oldest first."""
        first = max(number, self._forgotten) + 1
        numbers = range(first, min(first + at_most, self.last + 1))
        return [(number, self._events[number - self._forgotten - 1]) for number in numbers]

    def newest_first(self) -> Iterator[tuple[int, TraceEvent]]:
        """All of them, with their numbers; take what you want before the next event comes."""
        return zip(range(self.last, self._forgotten, -1), reversed(self._events), strict=True)


def _held_bytes(envelope: Envelope) -> int:
    """What a body takes in memory; what lies in a file or is made as it is read takes nothing. A packet of MQTT may
    have 50,000 properties and no body."""
    if (measure := MEASURES.get(type(envelope))) is not None:
        return measure(envelope)
    body = payload_of(envelope)
    if isinstance(body, bytes):
        return len(body)
    return sum(len(part) for part in parts_of(body) if isinstance(part, bytes))
