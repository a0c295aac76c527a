"""A place in a trace, as people write it: the number of an event, or a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from fleetrig.harness.servers.description import expected
from fleetrig.simulator.contract.clock import US_PER_S, to_us
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.units import DURATION, duration_s

NUMBER: Final = re.compile(r"(?:([a-z]+) ?[:#]|#)?(\d{1,18})", re.ASCII)
CLOCK: Final = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d\d(?:\.\d{1,6})?)", re.ASCII)
DAY_US: Final = 86_400 * US_PER_S


class EventPoint(NamedTuple):
    """The event with this number. Lanes count each for themselves; without one it is that of every lane."""

    seq: int
    lane: Lane | None = None

    def is_at(self, event: TraceEvent) -> bool:
        return event.seq == self.seq and self.lane in (None, event.lane)

    def __str__(self) -> str:
        return f"{self.lane}:{self.seq}" if self.lane is not None else f"number {self.seq:,}"


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A moment: since the beginning of the trace, at a time of its day (UTC), or on a date."""

    us: int
    counts_from: str = "begin"
    """`begin`, `day`, `epoch`."""

    def at_us(self, begun_us: int) -> int:
        match self.counts_from:
            case "begin":
                return begun_us + self.us
            case "day":
                at_us = begun_us - begun_us % DAY_US + self.us
                return at_us if at_us >= begun_us - US_PER_S else at_us + DAY_US
            case _:
                return self.us


def event_point(option: str, text: str) -> EventPoint:
    """`110`, `#110`, `device:110`, and `device #110` as findings have it. Raises UsageError."""
    found = NUMBER.fullmatch(text)
    if found is None:
        raise UsageError(f"{option}: expected the number of an event, such as 110 or device:110, got {text!r}")
    lane = found[1]
    if lane is not None and lane not in tuple(Lane):
        raise UsageError(f"{option} {text}: there is no lane {lane!r}; {expected(lane, tuple(Lane))}")
    return EventPoint(int(found[2]), None if lane is None else Lane(lane))


def place_in_trace(option: str, text: str, *, is_clock: bool) -> EventPoint | TimePoint:
    """A number, a time such as `90s` or `1:30.5`, or a date. Raises UsageError.

    `is_clock`: `13:04:05` is a time of day.
    """
    if NUMBER.fullmatch(text):
        return event_point(option, text)
    try:
        if DURATION.fullmatch(text):
            return TimePoint(to_us(duration_s(text)))
        if found := CLOCK.fullmatch(text):
            hours, minutes, seconds = int(found[1] or 0), int(found[2]), float(found[3])
            return TimePoint(to_us(hours * 3600 + minutes * 60 + seconds), "day" if is_clock else "begin")
        return TimePoint(_on_a_date(text), "epoch")
    except ValueError:
        raise UsageError(
            f"{option}: expected a time since the beginning (90s, 1:30.5), a date (2026-01-01T00:01:30Z) or the number "
            f"of an event (110, device:110), got {text!r}"
        ) from None


def _on_a_date(text: str) -> int:
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
