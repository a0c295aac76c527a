"""Parts of a trace: around events, between two places, and no further than needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleetrig.harness.traces.event_point import EventPoint, place_in_trace
from fleetrig.harness.traces.seen_events import SeenEvent
from fleetrig.harness.traces.trace_window import EventsPassedOver, ShownEvent, Surroundings, TraceSpan
from fleetrig.simulator.contract.trace import Lane
from tests.harness.traces.told import seen, told

TEN = seen(*(told(Lane.DEVICE, seq, "paused", f"gw-{seq % 2}", ms=100 * seq) for seq in range(1, 11)))


def around(*points: EventPoint, context: int = 2, device: str = "") -> list[str]:
    surroundings = Surroundings(points, context)
    return list(map(said, surroundings.of(iter(TEN), lambda one: not device or one.device == device)))


def said(one: object) -> str:
    match one:
        case ShownEvent(seen_event, is_looked_for):
            return f"{'>' if is_looked_for else ''}{seen_event.event.seq}"
        case EventsPassedOver(count):
            return f"({count})"
        case _:
            raise AssertionError(one)


def test_some_before_and_behind() -> None:
    assert around(EventPoint(5)) == ["3", "4", ">5", "6", "7"]
    assert around(EventPoint(1), EventPoint(10)) == [">1", "2", "3", "(4)", "8", "9", ">10"]
    assert around(EventPoint(5), EventPoint(6)) == ["3", "4", ">5", ">6", "7", "8"]
    assert around(EventPoint(5), context=0) == [">5"]


def test_only_wanted_events_are_counted() -> None:
    assert around(EventPoint(5), device="gw-1") == ["1", "3", ">5", "7", "9"]
    assert around(EventPoint(6), device="gw-1") == []
    assert around(EventPoint(6, Lane.DEVICE), device="gw-1") == ["3", "5", ">6", "7", "9"]


def test_it_reads_no_further_than_it_must() -> None:
    read: list[int] = []

    def reading() -> Iterator[SeenEvent]:
        for one in TEN:
            read.append(one.event.seq)
            yield one

    surroundings = Surroundings([EventPoint(3, Lane.DEVICE)], 2)
    assert len(list(surroundings.of(reading(), lambda _: True))) == 5
    assert read == [1, 2, 3, 4, 5]
    assert surroundings.found == {EventPoint(3, Lane.DEVICE)}


@pytest.mark.parametrize(
    ("begins", "ends", "found"),
    [(None, None, range(1, 11)), ("300ms", None, range(2 + 2, 11)), (None, "200ms", range(1, 4)),
     ("200ms", "400ms", range(3, 6)), ("4", "6", range(4, 7)), ("device:9", None, range(9, 11)), ("4", "300ms", [4]),
     (None, "bench:3", range(1, 11))],
)  # fmt: skip
def test_from_and_to(begins: str | None, ends: str | None, found: range) -> None:
    """Times count from the first event, which is at 100 ms."""
    places = [None if one is None else place_in_trace("--from", one, is_clock=False) for one in (begins, ends)]
    span = TraceSpan(*places)
    assert [one.event.seq for one in TEN if span.take(one)] == list(found)
    assert span.has_ended == (ends == "6")
