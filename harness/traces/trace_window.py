"""A part of a trace: between two places, or around some events. It ends as soon as nothing more can come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fleetrig.harness.traces.event_point import EventPoint, TimePoint
from fleetrig.harness.traces.seen_events import SeenEvent, SeenRecord

TracePlace = EventPoint | TimePoint


class ShownEvent(NamedTuple):
    """An event that is to be shown; `is_looked_for`: it is one of those that were asked for."""

    seen: SeenEvent
    is_looked_for: bool = False


@dataclass(frozen=True, slots=True)
class EventsPassedOver:
    """So many wanted events lie between the surroundings of two."""

    count: int


@dataclass(slots=True)
class TraceSpan:
    """From a place to another, both included. Numbers are looked for among all events, whatever is left out."""

    begins: TracePlace | None = None
    ends: TracePlace | None = None
    has_begun: bool = field(default=False, init=False)
    has_ended: bool = field(default=False, init=False)

    def take(self, seen: SeenEvent) -> bool:
        """Whether the event lies in it. Times go up and down a little between lanes, so no time ends it for good."""
        event = seen.event
        self.has_begun = self.has_begun or self._is_behind_begin(seen)
        if self.has_ended or not self.has_begun:
            return False
        match self.ends:
            case EventPoint() as point:
                self.has_ended = point.is_at(event)
                return True
            case TimePoint() as point:
                return event.at_us <= point.at_us(seen.begun_us)
            case None:
                return self._is_behind_begin(seen) if isinstance(self.begins, TimePoint) else True

    def _is_behind_begin(self, seen: SeenEvent) -> bool:
        match self.begins:
            case None:
                return True
            case EventPoint() as point:
                return point.is_at(seen.event)
            case TimePoint() as point:
                return seen.event.at_us >= point.at_us(seen.begun_us)


@dataclass(slots=True)
class Surroundings:
    """The events with these numbers, and so many wanted ones before and behind each."""

    points: Sequence[EventPoint]
    context: int
    found: set[EventPoint] = field(default_factory=set, init=False)
    left_out: SeenEvent | None = field(default=None, init=False)
    """One with a number that was looked for in any lane, and is not among the wanted ones."""
    has_shown: bool = field(default=False, init=False)

    def of(
        self, records: Iterable[SeenRecord], is_wanted: Callable[[SeenEvent], bool]
    ) -> Iterator[ShownEvent | EventsPassedOver | SeenRecord]:
        """Records that are no events come through as they are."""
        before: deque[SeenEvent] = deque(maxlen=self.context)
        behind = passed_over = 0
        for record in records:
            if not isinstance(record, SeenEvent):
                yield record
                continue
            is_point, fits = self._is_point(record), is_wanted(record)
            if is_point and (fits or self._is_named(record)):
                if passed_over and self.has_shown:
                    yield EventsPassedOver(passed_over)
                passed_over = 0
                self.has_shown = True
                yield from map(ShownEvent, before)
                before.clear()
                yield ShownEvent(record, is_looked_for=True)
                behind = self.context
            elif is_point:
                self.left_out = record
            elif fits and behind:
                behind -= 1
                yield ShownEvent(record)
            elif fits:
                passed_over += len(before) == self.context
                before.append(record)
            if not behind and self._has_all:
                return

    def _is_named(self, seen: SeenEvent) -> bool:
        """Whoever names an event with its lane gets to see it."""
        return any(point.lane is not None and point.is_at(seen.event) for point in self.points)

    @property
    def _has_all(self) -> bool:
        """A number without a lane may come once more, in another one."""
        return all(point in self.found and point.lane is not None for point in self.points)

    def _is_point(self, seen: SeenEvent) -> bool:
        found = [point for point in self.points if point.is_at(seen.event)]
        self.found.update(found)
        return bool(found)
