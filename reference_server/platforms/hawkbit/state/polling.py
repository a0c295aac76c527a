"""The polling expression of a tenant, what one answer says, and when a target is overdue (§2.2).

Follows `PollingTime.java` and `DurationHelper.java`. Durations are whole milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DAY_S: Final = 24 * 3600
NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}")
ISO: Final = re.compile(
    r"P(?:([-+]?[0-9]+)D)?(?:T(?:([-+]?[0-9]+)H)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+)(?:[.,]([0-9]{0,9}))?S)?)?",
    re.IGNORECASE,
)
INTERVAL: Final = re.compile(r"([^~]+)(?:~([0-9]{1,2})%)?\s{0,5}")


class PollingTimeError(ValueError):
    """Its text is the server's own."""


@dataclass(frozen=True, slots=True)
class Interval:
    """How often to poll, and by how many percent the server spreads each answer."""

    milliseconds: int
    deviation_percent: int = 0


@dataclass(frozen=True, slots=True)
class PollingTime:
    """A parsed `pollingTime`: the interval of most targets, and overrides by query, of which the first match wins."""

    default: Interval
    overrides: tuple[tuple[str, Interval], ...] = ()


@lru_cache(maxsize=1024)
def parse_polling_time(text: str) -> PollingTime:
    """`<interval>[~NN%][, <rsql> -> <interval>[~NN%], …]`. Raises PollingTimeError.

    A comma always ends an override, so none can stand in its query.
    """
    first, comma, rest = text.partition(",")
    default = parse_interval(first)
    overrides = []
    rest = rest.strip()
    while comma:
        query, arrow, after = rest.partition("->")
        if not arrow:
            raise PollingTimeError(f"Invalid pollingTime override: '{rest}'")
        interval, comma, rest = after.partition(",")
        overrides.append((query.strip(), parse_interval(interval.strip())))
    return PollingTime(default, tuple(overrides))


def parse_interval(text: str) -> Interval:
    """`<duration>[~NN%]`. Raises PollingTimeError."""
    match = INTERVAL.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        return Interval(parse_duration(match[1].strip()), int(match[2] or 0))
    except ValueError:
        pattern = r"(HH:mm:ss|ISO-8601)(~\d{1,2}%)?"
        raise PollingTimeError(f"Invalid pollingInterval: '{text}', expecting: {pattern}") from None


def parse_duration(text: str) -> int:
    """`ss`, `mm:ss`, `HH:mm:ss` or ISO-8601 to milliseconds. Raises ValueError.

    Parts are added with their own signs, so `-00:01:00` is one minute (S139) and minutes may exceed 59.
    """
    if text.startswith("P"):
        return _parse_iso(text)
    parts = text.split(":")
    if len(parts) > 3 or not all(NUMBER.fullmatch(part) for part in parts):
        raise ValueError(f"expected HH:mm:ss or an ISO-8601 duration, got {text[:50]!r}")
    seconds = 0
    for part, factor in zip(reversed(parts), (1, 60, 3600), strict=False):
        seconds += int(part) * factor
    return seconds * 1000


def _parse_iso(text: str) -> int:
    match = ISO.fullmatch(text)
    if match is None or all(part is None for part in match.groups()) or text[-1] in "Tt":
        raise ValueError(f"expected an ISO-8601 duration such as PT5M, got {text[:50]!r}")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    sign = -1 if (match[4] or "").startswith("-") else 1
    thousandths = sign * int(((match[5] or "") + "000")[:3])
    return (days * DAY_S + hours * 3600 + minutes * 60 + seconds) * 1000 + thousandths


@lru_cache(maxsize=4096)
def sleep_text(seconds: int) -> str:
    """`HH:mm:ss`; from 24 h on ISO-8601, which real clients cannot parse (§2.2)."""
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if seconds < DAY_S:
        return f"{hours:02}:{minutes:02}:{rest:02}"
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    return "PT" + "".join(f"{number}{unit}" for number, unit in parts if number)


def sleep_s(interval: Interval, least_s: int, most_s: int, uniform: Callable[[float, float], float]) -> int:
    """What one answer says: the interval, or a draw from around it, kept within the server's limits."""
    if interval.deviation_percent:
        most_off_ms = interval.milliseconds * interval.deviation_percent // 100
        drawn_s = (interval.milliseconds + round(uniform(-most_off_ms, most_off_ms))) // 1000
        return min(max(drawn_s, least_s), most_s)
    return interval.milliseconds // 1000


def window_sleep_s(sleep: int, until_window_s: float, poll_count: int, least_s: int) -> int:
    """The shorter interval before a maintenance window opens: `poll_count` polls until then, within the limits."""
    if poll_count < 1 or until_window_s < 0:
        return sleep
    shorter = int(until_window_s) // poll_count
    return sleep if shorter > sleep else max(shorter, least_s)


def next_expected_ms(last_ms: int, interval: Interval) -> int:
    """When the next poll is expected at the latest, in ms."""
    return last_ms + interval.milliseconds + interval.milliseconds * interval.deviation_percent // 100
