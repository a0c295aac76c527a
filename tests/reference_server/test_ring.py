"""The ring forgets the oldest, by number and by bytes."""

from __future__ import annotations

from reference_server.ring import TraceRing
from simulator.contract.trace import Lane, TraceEvent
from simulator.contract.wire import Body, FileSlice, HttpResponse


def event(number: int, body: Body = b"") -> TraceEvent:
    return TraceEvent(number, number, "", Lane.SERVER, "answered", HttpResponse(200, (), body))


def numbers(ring: TraceRing) -> list[int]:
    return [event.at_us for event in ring.events()]


def test_by_number() -> None:
    ring = TraceRing(max_events=3)
    for number in range(10):
        ring(event(number))
    assert numbers(ring) == [7, 8, 9]


def test_by_the_bytes_of_bodies() -> None:
    ring = TraceRing(max_body_bytes=100)
    bodies: list[Body] = [b"x" * 60, FileSlice("f", 0, 10**9), (b"x" * 30, FileSlice("f", 0, 9)), b"x" * 11]
    for number, body in enumerate(bodies):
        ring(event(number, body))
    assert numbers(ring) == [1, 2, 3]
    ring(event(4, b"x" * 101))
    assert numbers(ring) == []
    ring(TraceEvent(5, 5, "", Lane.BENCH, "note"))
    assert numbers(ring) == [5]
