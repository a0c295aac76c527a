"""The values that a field of a Quartz cron expression stands for, as the real server's cron-utils 9.2.1 counts them.

Its quirks are kept, since an update waits for these times:

- a range that wraps is its first value alone, and nothing in a list; only days of the week wrap as one expects
- in a list of days of the month no mark counts: `17W` is the 17th, `L` is nothing
- `nW` on the last day of a month may be a Sunday, and ends the schedule at the first month without that day
- some expressions are accepted and can never run
"""

from __future__ import annotations

from calendar import monthrange
from functools import lru_cache
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state.quartz_field import (
    DAYS_OF_MONTH,
    DAYS_OF_WEEK,
    UNSET,
    AnyValue,
    FieldExpression,
    FieldRules,
    LeftOpen,
    OneValue,
    Steps,
    ValueList,
    ValueRange,
)

SATURDAY, SUNDAY = 5, 6
FRIDAY: Final = 4
LAST_WEEKDAY: Final = 7


class NeverRuns(Exception):
    """The real server accepts the expression and fails when it asks for the next time."""


def values(expression: FieldExpression, rules: FieldRules, least: int, most: int) -> set[int]:
    """The numbers from `least` to `most`, both included, that an expression names. Raises NeverRuns."""
    found: set[int] = set()
    match expression:
        case ValueList(terms):
            found = found.union(*(_listed(term, rules) for term in terms))
        case AnyValue():
            found = set(range(least, most + 1))
        case LeftOpen():
            pass
        case OneValue(number):
            found = {number}
        case ValueRange():
            first, last = _bounds(expression)
            found = set(range(first, last + 1)) if first <= last else {first}
        case Steps(within, period):
            first, last = _span(within, rules)
            found = set(range(first, last + 1, period)) if first <= last else {first} - {least, most}
    return {value for value in found if least <= value <= most}


def days(by_month: FieldExpression, by_week: FieldExpression, year: int, month: int) -> tuple[int, ...]:
    """The days of a month that the two day fields name, of which one is `?`. Raises NeverRuns."""
    return _days(by_month, by_week, *monthrange(year, month))


@lru_cache(maxsize=1024)
def _days(by_month: FieldExpression, by_week: FieldExpression, first_weekday: int, length: int) -> tuple[int, ...]:
    """`first_weekday` counts Monday as 0."""
    match by_month:
        case LeftOpen():
            found = _by_weekday(by_week, first_weekday, length)
        case OneValue(_, mark) if mark:
            found = {_marked_day(by_month, first_weekday, length)}
        case _:
            found = values(by_month, DAYS_OF_MONTH, 1, length)
    return tuple(sorted(day for day in found if 1 <= day <= length))


def _listed(term: FieldExpression, rules: FieldRules) -> set[int]:
    """What a term adds to a list: no mark counts, and a range that wraps is empty."""
    match term:
        case AnyValue():
            return set(range(rules.least, rules.most + 1))
        case OneValue(number):
            return {number}
        case ValueRange():
            first, last = _bounds(term)
            return set(range(first, last + 1))
        case Steps(within, period):
            first, last = _span(within, rules)
            return set(range(first, last + 1, period))
        case _:
            raise NeverRuns


def _bounds(found: ValueRange) -> tuple[int, int]:
    if isinstance(found.first, str) or isinstance(found.last, str):
        raise NeverRuns
    return found.first, found.last


def _span(within: AnyValue | OneValue | ValueRange, rules: FieldRules) -> tuple[int, int]:
    match within:
        case AnyValue():
            return rules.least, rules.most
        case OneValue(number):
            return number, rules.most
        case ValueRange():
            return _bounds(within)


def _marked_day(found: OneValue, first_weekday: int, length: int) -> int:
    match found.mark:
        case "L":
            return length - max(found.nth, 0)
        case "LW":
            return length - max((first_weekday + length - 1) % 7 - FRIDAY, 0)
        case _:
            return _working_day(found.number, first_weekday, length)


def _working_day(day: int, first_weekday: int, length: int) -> int:
    """The working day nearest to `day`, without leaving the month; a Sunday that ends the month stays."""
    if day > length:
        raise NeverRuns
    weekday = (first_weekday + day - 1) % 7
    if weekday == SATURDAY:
        return day - 1 if day > 1 else 3
    return day + 1 if weekday == SUNDAY and day < length else day


def _by_weekday(expression: FieldExpression, first_weekday: int, length: int) -> set[int]:
    """Days of a month; weekdays count Sunday as 1."""
    match expression:
        case ValueList(terms):
            return set().union(*(_by_weekday(term, first_weekday, length) for term in terms))
        case LeftOpen():
            return set()
        case AnyValue():
            return set(range(1, length + 1))
        case OneValue(number, "L") if number != UNSET:
            return set(_every(number, first_weekday, length)[-1:])
        case OneValue(number, "#", nth):
            return set(_every(number, first_weekday, length)[nth - 1 : nth])
        case OneValue(number):
            return set(_every(LAST_WEEKDAY if number == UNSET else number, first_weekday, length))
        case _:
            weekdays = _weekdays(expression)
            return {day for number in weekdays for day in _every(number, first_weekday, length)}


def _weekdays(expression: ValueRange | Steps) -> set[int]:
    match expression:
        case ValueRange():
            first, last = _bounds(expression)
            size = (last - first) % 7 + 1
            return {(first - 1 + at) % 7 + 1 for at in range(size)}
        case Steps(within, period):
            first, last = _span(within, DAYS_OF_WEEK)
            if first > last:
                raise NeverRuns
            return set(range(first, last + 1, period))


def _every(weekday: int, first_weekday: int, length: int) -> range:
    monday_based = (weekday + 5) % 7
    return range(1 + (monday_based - first_weekday) % 7, length + 1, 7)
