"""Times as the wire has them: UTC with whole seconds when written, ISO 8601 with an offset when read (spec 0).

Java has years beyond 9999, written with a sign, and some before 1; those are written by their number in their era.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S

OFFSET_DATE_TIME: Final = re.compile(
    r"(-?\d{4}|[+-]\d{5,9})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{0,9}))?)?"
    r"(?:Z|([+-])(\d\d)(?::(\d\d)(?::(\d\d))?)?)",
    re.IGNORECASE | re.ASCII,
)
"""Java's `ISO_OFFSET_DATE_TIME`: seconds may be left out, an offset needs its colon."""
MOST_OFFSET_S: Final = 18 * 3600
S_PER_DAY: Final = 86_400
CYCLE_YEARS: Final = 400
CYCLE_DAYS: Final = 146_097
"""After so many the calendar repeats itself."""
CYCLE_BEGINS: Final = 2000
CYCLE_DAY: Final = date(CYCLE_BEGINS, 1, 1).toordinal()
EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def time_text(at_us: int) -> str:
    """`2026-11-29T22:00:00Z`; what is below a second is cut off."""
    days, second = divmod(at_us // US_PER_S, S_PER_DAY)
    cycles, day = divmod(days + EPOCH_DAY - CYCLE_DAY, CYCLE_DAYS)
    found = date.fromordinal(day + CYCLE_DAY)
    minute, second = divmod(second, 60)
    clock = f"{minute // 60:02}:{minute % 60:02}:{second:02}"
    return f"{_year_text(found.year + cycles * CYCLE_YEARS)}-{found.month:02}-{found.day:02}T{clock}Z"


def instant_text(at_us: int) -> str:
    """As Java prints an instant: no fraction, or three or six digits of one."""
    whole, fraction = time_text(at_us)[:-1], at_us % US_PER_S
    if not fraction:
        return f"{whole}Z"
    return f"{whole}.{fraction // 1000:03}Z" if fraction % 1000 == 0 else f"{whole}.{fraction:06}Z"


@lru_cache(maxsize=1024)
def read_time(text: str) -> int:
    """us since the epoch. Raises ValueError."""
    found = OFFSET_DATE_TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no time: expected one such as 2026-11-29T22:00:00Z, or with +01:00 for Z")
    year, month, day, hour, minute, second, fraction, sign, *offset = found.groups()
    if int(hour) > 23 or max(int(minute), int(second or 0)) > 59:
        raise ValueError(f"{text[:40]!r} is no time: there is no such hour, minute or second")
    days = _days(int(year), int(month), int(day))
    at_s = days * S_PER_DAY + int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    offset_s = _offset_s(text, offset)
    whole_s = at_s + offset_s if sign == "-" else at_s - offset_s
    return whole_s * US_PER_S + int(((fraction or "") + "000000")[:6])


def _offset_s(text: str, offset: list[str | None]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in offset)
    offset_s = hours * 3600 + minutes * 60 + seconds
    if offset_s > MOST_OFFSET_S or max(minutes, seconds) > 59:
        raise ValueError(f"{text[:40]!r} is no time: no place is further than 18:00 hours from UTC")
    return offset_s


def _days(year: int, month: int, day: int) -> int:
    """Since the epoch. Raises ValueError."""
    cycles, within = divmod(year - CYCLE_BEGINS, CYCLE_YEARS)
    return date(CYCLE_BEGINS + within, month, day).toordinal() + cycles * CYCLE_DAYS - EPOCH_DAY


def _year_text(year: int) -> str:
    if year < 1:
        year = 1 - year
    return f"{year:04}" if year <= 9999 else f"+{year}"
