"""Quartz cron: `second minute hour day-of-month month day-of-week [year]`, evaluated in one fixed offset.

Differences from Unix cron: seconds come first, a year may come last, days of the week count 1 = Sunday … 7 = Saturday,
exactly one of the two day fields is `?`, and `L`, `W`, `LW`, `L-n`, `nL`, `n#k` name days of a month. `a || b` is any
of several expressions, and `0|30 …` writes them field by field.

What is accepted and when it runs next follows cron-utils 9.2.1, which the real server asks.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state import quartz_field
from fleetrig.reference_server.platforms.hawkbit.state.quartz_field import (
    BadCron,
    FieldExpression,
    FieldRules,
    LeftOpen,
)
from fleetrig.reference_server.platforms.hawkbit.state.quartz_values import NeverRuns, days, values

SPACE: Final = re.compile(r"[ \t\n\x0b\f\r]+")
CONTROL_AND_SPACE: Final = "".join(map(chr, range(0x21)))
FIELDS: Final[tuple[FieldRules, ...]] = (
    quartz_field.SIXTY,
    quartz_field.SIXTY,
    quartz_field.HOURS,
    quartz_field.DAYS_OF_MONTH,
    quartz_field.MONTHS_OF_YEAR,
    quartz_field.DAYS_OF_WEEK,
    quartz_field.YEARS,
)
MOST_YEARS_AHEAD: Final = 100
BOTH_DAYS: Final = "Both, a day-of-week AND a day-of-month parameter, are not supported."


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression; usually of one part, of several with `|`."""

    parts: tuple[CronPart, ...]

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time strictly after `moment` (naive), None if there is none, also where the real one fails.

        As there, a fraction of a second stays when every second fits."""
        try:
            found = [part.next_after(moment) for part in self.parts]
        except NeverRuns:
            return None
        return min((time for time in found if time is not None), default=None)


@dataclass(frozen=True, slots=True)
class CronPart:
    """Sorted values of each field, and the two day fields, whose values depend on the month."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    by_month: FieldExpression
    months: tuple[int, ...]
    by_week: FieldExpression
    years: tuple[int, ...]

    def next_after(self, moment: datetime) -> datetime | None:
        """Raises NeverRuns."""
        if not (self.seconds and self.minutes and self.hours and self.months):
            raise NeverRuns
        found = self._from(moment)
        return self._from(moment + timedelta(seconds=1)) if found == moment else found

    def _from(self, moment: datetime) -> datetime | None:
        """The first time at or after `moment`, at most a hundred years ahead. Each step names a later time."""
        at: datetime | None = moment
        while at is not None and at.year - moment.year <= MOST_YEARS_AHEAD:
            before, at = at, self._step(at)
            if at == before:
                return at
        return None

    def _step(self, at: datetime) -> datetime | None:
        """`at` itself if it fits, else where to look next; None when no year is left."""
        if not _holds(self.years, at.year):
            return self._in_a_later_year(at)
        if not _holds(self.months, at.month):
            month = _greater(self.months, at.month)
            return _midnight(at.year + 1, 1) if month is None else self._in_month(at, at.year, month)
        fitting = days(self.by_month, self.by_week, at.year, at.month)
        if not _holds(fitting, at.day):
            day = _greater(fitting, at.day)
            return _next_month(at) if day is None else self._first_of_day(at.year, at.month, day)
        if not _holds(self.hours, at.hour):
            return _forward(self.hours, at.hour, 24, at.replace(minute=0, second=0, microsecond=0), timedelta(hours=1))
        if not _holds(self.minutes, at.minute):
            return _forward(self.minutes, at.minute, 60, at.replace(second=0, microsecond=0), timedelta(minutes=1))
        if not _holds(self.seconds, at.second):
            return _forward(self.seconds, at.second, 60, at.replace(microsecond=0), timedelta(seconds=1))
        return at

    def _in_a_later_year(self, at: datetime) -> datetime | None:
        year = _greater(self.years, at.year)
        return None if year is None else self._in_month(at, year, self.months[0])

    def _in_month(self, at: datetime, year: int, month: int) -> datetime:
        fitting = days(self.by_month, self.by_week, year, month)
        return self._first_of_day(year, month, fitting[0]) if fitting else _next_month(at)

    def _first_of_day(self, year: int, month: int, day: int) -> datetime:
        time = (self.hours[0], self.minutes[0], self.seconds[0])
        return datetime(year, month, day, *time)  # noqa: DTZ001 (naive on purpose: a fixed offset)


def parse(expression: str) -> Cron:
    """Reads an expression. Raises BadCron."""
    if not expression.strip(CONTROL_AND_SPACE):
        raise BadCron("Empty expression!")
    if expression.startswith("@"):
        raise BadCron("Nicknames not supported!")
    if "||" in expression:
        return _any_of(quartz_field.split(expression, "||"))
    if "|" in expression:
        return _any_of(_field_by_field(SPACE.split(expression)))
    return Cron((_part(expression),))


def _any_of(expressions: Sequence[str]) -> Cron:
    if not expressions:
        raise BadCron("List of Cron cannot be null or empty")
    parts = [part for one in dict.fromkeys(expressions) for part in parse(one).parts]
    return Cron(tuple(dict.fromkeys(parts)))


def _field_by_field(fields: list[str]) -> list[str]:
    """`0|30 0 …` as `0 0 …` and `30 0 …`."""
    choices = [quartz_field.split(text, "|") for text in fields]
    found = []
    for at in range(max(map(len, choices))):
        for text, choice in zip(fields, choices, strict=True):
            if "|" in text and at >= len(choice):
                raise BadCron(f"Index {at} out of bounds for length {len(choice)}")
        chosen = [choice[at] if "|" in text else text for text, choice in zip(fields, choices, strict=True)]
        found.append(" ".join(chosen).strip(CONTROL_AND_SPACE))
    return found


def _part(expression: str) -> CronPart:
    fields = SPACE.sub(" ", expression).strip(CONTROL_AND_SPACE).upper().split(" ")
    for text in fields:
        if text.endswith(","):
            raise BadCron(f"Invalid field value! Trailing commas not permitted! '{text}'")
    if len(fields) not in (6, 7):
        raise BadCron(f"Cron expression contains {len(fields)} parts but we expect one of [6, 7]")
    try:
        return _built(_read(fields))
    except BadCron as wrong:
        raise BadCron(f"Failed to parse cron expression. {wrong}") from None


def _read(fields: list[str]) -> list[FieldExpression]:
    read = [quartz_field.read(text, rules) for text, rules in zip(fields, FIELDS, strict=False)]
    for expression, rules in zip(read, FIELDS, strict=False):
        quartz_field.check(expression, rules)
    if isinstance(read[3], LeftOpen) == isinstance(read[5], LeftOpen):
        raise BadCron(f"Invalid cron expression: {' '.join(map(str, read))}. {BOTH_DAYS}")
    return read


def _built(read: list[FieldExpression]) -> CronPart:
    seconds, minutes, hours, by_month, months, by_week, *year = read
    years = year[0] if year else quartz_field.AnyValue()
    return CronPart(
        _sorted_values(seconds, quartz_field.SIXTY),
        _sorted_values(minutes, quartz_field.SIXTY),
        _sorted_values(hours, quartz_field.HOURS),
        by_month,
        _sorted_values(months, quartz_field.MONTHS_OF_YEAR),
        by_week,
        _sorted_values(years, quartz_field.YEARS),
    )


def _sorted_values(expression: FieldExpression, rules: FieldRules) -> tuple[int, ...]:
    """Empty for what the real server accepts and cannot perform."""
    try:
        return tuple(sorted(values(expression, rules, rules.least, rules.most)))
    except NeverRuns:
        return ()


def _holds(numbers: Sequence[int], number: int) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number


def _greater(numbers: Sequence[int], number: int) -> int | None:
    at = bisect_right(numbers, number)
    return numbers[at] if at < len(numbers) else None


def _forward(numbers: Sequence[int], number: int, modulus: int, at: datetime, unit: timedelta) -> datetime:
    """`at` moved on until its field holds the next of the numbers, over the end of the day if need be."""
    wanted = _greater(numbers, number)
    return at + ((numbers[0] if wanted is None else wanted) - number) % modulus * unit


def _midnight(year: int, month: int) -> datetime:
    return datetime(year, month, 1)  # noqa: DTZ001 (naive on purpose: a fixed offset)


def _next_month(at: datetime) -> datetime:
    return _midnight(at.year + at.month // 12, at.month % 12 + 1)
