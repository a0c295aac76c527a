"""Maintenance windows: when the next one opens and whether one is open (§1.4, §2.2).

A window is a Quartz cron `schedule`, a `duration` (`HH:mm:ss`, below a day) and a `timezone` (an offset such as
`+02:00`). The window in question is the one whose start is the first after now − duration: open now, or next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state import quartz_cron
from fleetrig.reference_server.platforms.hawkbit.state.quartz_cron import Cron
from fleetrig.reference_server.platforms.hawkbit.state.quartz_field import BadCron
from fleetrig.simulator.contract.clock import US_PER_S

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
TIME_OF_DAY: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d{1,9})?)?")
OFFSET: Final = re.compile(r"([+-])(\d{1,2})(?::([0-5]\d)(?::([0-5]\d))?)?")
OFFSET_RUN: Final = re.compile(r"([+-])(\d\d)([0-5]\d)([0-5]\d)?")
GREATEST_OFFSET_S: Final = 18 * 3600
MOST_SCHEDULE_CHARACTERS: Final = 128
"""What the database of the real server holds; it also bounds the time that a schedule takes."""

PARTIAL: Final = "All of schedule, duration and timezone should either be null or non empty."
NONE_LEFT: Final = "No valid maintenance window available after current time"
BAD_DURATION: Final = "Provided duration is not valid"


class BadWindow(ValueError):
    """The text goes into the `message` of `maintenanceScheduleInvalid`."""


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window that repeats."""

    cron: Cron
    duration_us: int
    offset_us: int

    def next_start_us(self, now_us: int) -> int | None:
        """The start of the open window, else of the next; None when the schedule has lapsed."""
        after_us = now_us - self.duration_us + self.offset_us
        start = self.cron.next_after(EPOCH + timedelta(microseconds=after_us))
        return None if start is None else _us(start - EPOCH) - self.offset_us

    def is_open(self, now_us: int) -> bool:
        start_us = self.next_start_us(now_us)
        return start_us is not None and start_us < now_us < start_us + self.duration_us


def check(schedule: str | None, duration: str | None, timezone: str | None, now_us: int) -> None:
    """Raises BadWindow unless all three are given, or none, and a window is open or still to come (§1.4)."""
    if not schedule and not duration and not timezone:
        return
    if not schedule or not duration or not timezone:
        raise BadWindow(PARTIAL)
    _check_schedule(schedule)
    if TIME_OF_DAY.fullmatch(duration.strip()) is None:
        raise BadWindow(BAD_DURATION)
    window = window_of(schedule, duration, timezone)
    if window is None or window.next_start_us(now_us) is None:
        raise BadWindow(NONE_LEFT)


def _check_schedule(schedule: str) -> None:
    """A schedule of blanks is not read here, and then has no window."""
    if len(schedule) > MOST_SCHEDULE_CHARACTERS:
        raise BadWindow(f"the schedule has {len(schedule)} characters, at most {MOST_SCHEDULE_CHARACTERS} are kept")
    try:
        if not schedule.isspace():
            quartz_cron.parse(schedule)
    except BadCron as wrong:
        raise BadWindow(str(wrong)) from None


@lru_cache(maxsize=256)
def window_of(schedule: str, duration: str, timezone: str) -> Window | None:
    """The window, None if one of the three cannot be read (such a schedule counts as lapsed)."""
    duration_s, offset_s = _duration_s(duration), _offset_s(timezone)
    if duration_s is None or offset_s is None:
        return None
    try:
        cron = quartz_cron.parse(schedule)
    except BadCron:
        return None
    return Window(cron, duration_s * US_PER_S, offset_s * US_PER_S)


def _duration_s(text: str) -> int | None:
    found = TIME_OF_DAY.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _offset_s(text: str) -> int | None:
    if text == "Z":
        return 0
    found = OFFSET.fullmatch(text) or OFFSET_RUN.fullmatch(text)
    if found is None:
        return None
    sign, *parts = found.groups()
    hours, minutes, seconds = (int(part or 0) for part in parts)
    size_s = hours * 3600 + minutes * 60 + seconds
    return None if size_s > GREATEST_OFFSET_S else size_s if sign == "+" else -size_s


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
