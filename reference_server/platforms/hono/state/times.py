"""Times as the wire has them: UTC with whole seconds when written, ISO 8601 with an offset when read (spec 0)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
OFFSET_DATE_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{0,9}))?)?(?:(Z)|([+-])(\d\d):(\d\d)(?::(\d\d))?)",
    re.IGNORECASE | re.ASCII,
)
"""Java's `ISO_OFFSET_DATE_TIME`: seconds may be left out, an offset needs its colon. Years of more than four digits are
refused here."""
MOST_OFFSET_S: Final = 18 * 3600


def time_text(at_us: int) -> str:
    """`2026-11-29T22:00:00Z`; what is below a second is cut off."""
    return (EPOCH + timedelta(seconds=at_us // US_PER_S)).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant_text(at_us: int) -> str:
    """As Java prints an instant: no fraction, or three or six digits of one."""
    whole, fraction = time_text(at_us)[:-1], at_us % US_PER_S
    if not fraction:
        return f"{whole}Z"
    return f"{whole}.{fraction // 1000:03}Z" if fraction % 1000 == 0 else f"{whole}.{fraction:06}Z"


def read_time(text: str) -> int:
    """us since the epoch. Raises ValueError."""
    found = OFFSET_DATE_TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no time: expected one such as 2026-11-29T22:00:00Z, or with +01:00 for Z")
    year, month, day, hour, minute, second, fraction, _, sign, hours, minutes, seconds = found.groups()
    local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    offset_s = 0
    if sign:
        offset_s = (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)) * (-1 if sign == "-" else 1)
    if abs(offset_s) > MOST_OFFSET_S or max(int(minutes or 0), int(seconds or 0)) > 59:
        raise ValueError(f"{text[:40]!r} is no time: no place is further than 18:00 hours from UTC")
    whole_s = (local - EPOCH) // timedelta(seconds=1) - offset_s
    return whole_s * US_PER_S + int(((fraction or "") + "000000")[:6])
