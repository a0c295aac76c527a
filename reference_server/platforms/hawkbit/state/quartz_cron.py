"""Quartz cron: `second minute hour day-of-month month day-of-week [year]`, evaluated in one fixed offset.

Differences from Unix cron: seconds come first, a year may come last, days of the week count 1 = Sunday … 7 = Saturday,
exactly one of the two day fields is `?`, and `L`, `W`, `LW`, `L-n`, `nL`, `n#k` name days of a month. The common
libraries read the numbers of weekdays differently and lack `LW`, `L-n` and `nL`, hence this module.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
YEARS: Final = (1970, 2099)
SATURDAY, SUNDAY = 5, 6
SPECIAL_DAY: Final = re.compile(r"L(?:-(\d{1,2}))?(W)?|(\d{1,2})W")
SPECIAL_WEEKDAY: Final = re.compile(r"([1-7])(?:L|#([1-5]))")


class BadCron(ValueError):
    """The expression is not Quartz cron; the text says which field."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression. `days` or `weekdays` is empty: that one was `?`."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[str, ...]
    months: tuple[int, ...]
    weekdays: tuple[str, ...]
    years: tuple[int, ...]

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time strictly after `moment` (naive, whole seconds or finer), None if there is none."""
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        for day in self._dates_from(start.date()):
            since = (start.hour, start.minute, start.second) if day == start.date() else (0, 0, 0)
            if (time := self._time_from(*since)) is not None:
                return datetime(day.year, day.month, day.day, *time)  # noqa: DTZ001 (naive on purpose: a fixed offset)
        return None

    def _dates_from(self, start: date) -> Iterator[date]:
        for year in self.years[bisect_left(self.years, start.year) :]:
            for month in self.months:
                if (year, month) < (start.year, start.month):
                    continue
                for day in self._days_of(year, month):
                    if (candidate := date(year, month, day)) >= start:
                        yield candidate

    def _days_of(self, year: int, month: int) -> list[int]:
        first_weekday, length = monthrange(year, month)
        if self.days:
            found = {day for term in self.days for day in _days_by_term(term, first_weekday, length)}
        else:
            found = {day for term in self.weekdays for day in _days_by_weekday(term, first_weekday, length)}
        return sorted(day for day in found if 1 <= day <= length)

    def _time_from(self, hour: int, minute: int, second: int) -> tuple[int, int, int] | None:
        for h in self.hours[bisect_left(self.hours, hour) :]:
            for m in self.minutes[bisect_left(self.minutes, minute) if h == hour else 0 :]:
                later = h > hour or m > minute
                at = 0 if later else bisect_left(self.seconds, second)
                if at < len(self.seconds):
                    return h, m, self.seconds[at]
        return None


def parse(expression: str) -> Cron:
    """Reads an expression. Raises BadCron."""
    fields = expression.upper().split()
    if len(fields) not in (6, 7):
        raise BadCron(f"Cron expression contains {len(fields)} parts but we expect one of [6, 7]")
    if (fields[3] == "?") == (fields[5] == "?"):
        raise BadCron("Both, a day-of-week AND a day-of-month parameter, are not supported.")
    return Cron(
        seconds=_numbers(fields[0], "second", 0, 59),
        minutes=_numbers(fields[1], "minute", 0, 59),
        hours=_numbers(fields[2], "hour", 0, 23),
        days=() if fields[3] == "?" else _day_terms(fields[3]),
        months=_numbers(fields[4], "month", 1, 12, MONTHS),
        weekdays=() if fields[5] == "?" else _weekday_terms(fields[5]),
        years=_numbers(fields[6] if len(fields) == 7 else "*", "year", *YEARS),
    )


def _numbers(text: str, name: str, least: int, most: int, names: tuple[str, ...] = ()) -> tuple[int, ...]:
    """`*`, `a`, `a-b`, `a/n`, `a-b/n` and lists of them, as sorted numbers."""
    found: set[int] = set()
    for term in text.split(","):
        span, slash, step = term.partition("/")
        if slash and not (step.isdecimal() and int(step) > 0):
            raise BadCron(f"Invalid value {term!r} of field {name}: the step must be a positive number")
        low, high = _span(span, bool(slash), name, (least, most), names)
        if low > high:
            raise BadCron(f"Invalid value {term!r} of field {name}: expected the lower bound first")
        found.update(range(low, high + 1, int(step or 1)))
    return tuple(sorted(found))


def _span(span: str, steps: bool, name: str, limits: tuple[int, int], names: tuple[str, ...]) -> tuple[int, int]:
    """The bounds of `*`, `a`, `a-b`; with a step, `a` runs to the end."""
    if span == "*" or (span == "" and steps):
        return limits
    low, dash, high = span.partition("-")
    first = _number(low, name, limits, names)
    if dash:
        return first, _number(high, name, limits, names)
    return first, limits[1] if steps else first


def _number(text: str, name: str, limits: tuple[int, int], names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + limits[0]
    if not (text.isascii() and text.isdecimal()) or not limits[0] <= int(text) <= limits[1]:
        raise BadCron(f"Invalid value {text!r} of field {name}: expected a number from {limits[0]} to {limits[1]}")
    return int(text)


def _day_terms(text: str) -> tuple[str, ...]:
    """Days of the month, numbers spelled out, `L` and `W` terms kept for the month in question."""
    terms: list[str] = []
    for term in text.split(","):
        if SPECIAL_DAY.fullmatch(term):
            terms.append(term)
        else:
            terms.extend(map(str, _numbers(term, "day of month", 1, 31)))
    return tuple(terms)


def _weekday_terms(text: str) -> tuple[str, ...]:
    """Days of the week as `1` … `7`, or `nL` (the last of the month) and `n#k` (the k-th); a lone `L` is Saturday."""
    terms: list[str] = []
    for term in text.split(","):
        numbered = re.sub("[A-Z]{3}", lambda found: _weekday_digit(found.group()), term)
        if numbered == "L":
            terms.append("7")
        elif SPECIAL_WEEKDAY.fullmatch(numbered):
            terms.append(numbered)
        else:
            terms.extend(map(str, _numbers(numbered, "day of week", 1, 7)))
    return tuple(terms)


def _weekday_digit(name: str) -> str:
    return str(WEEKDAYS.index(name) + 1) if name in WEEKDAYS else name


def _days_by_term(term: str, first_weekday: int, length: int) -> list[int]:
    """Days of a month (1 based) that a day-of-month term names. `first_weekday` counts Monday as 0."""
    special = SPECIAL_DAY.fullmatch(term)
    if special is None:
        return [int(term)]
    before_end, to_weekday, near = special.groups()
    day = int(near) if near else length - int(before_end or 0)
    if day > length or day < 1:
        return []
    return [_nearest_weekday(day, first_weekday, length)] if near or to_weekday else [day]


def _nearest_weekday(day: int, first_weekday: int, length: int) -> int:
    """The working day nearest to `day`, without leaving the month."""
    weekday = (first_weekday + day - 1) % 7
    if weekday == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _days_by_weekday(term: str, first_weekday: int, length: int) -> list[int]:
    """Days of a month on which a weekday falls: all, the last (`nL`) or the k-th (`n#k`)."""
    monday_based = (int(term[0]) + 5) % 7
    first = 1 + (monday_based - first_weekday) % 7
    every = list(range(first, length + 1, 7))
    if term.endswith("L"):
        return every[-1:]
    if "#" in term:
        k = int(term[2:])
        return every[k - 1 : k]
    return every
