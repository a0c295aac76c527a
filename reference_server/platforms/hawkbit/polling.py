"""The polling expression of a tenant, the interval each target gets, and when a target is overdue (§2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

DAY_S: Final = 24 * 3600
CLOCK: Final = re.compile(r"-?(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2})")
ISO: Final = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d*)?S)?)?", re.IGNORECASE)
DEVIATION: Final = re.compile(r"(.*)~(\d{1,2})%", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Interval:
    """How often to poll: seconds, and by how many percent the server spreads each answer."""

    seconds: int
    deviation_percent: int = 0


@dataclass(frozen=True, slots=True)
class PollingTime:
    """A parsed `pollingTime`: the interval of most targets, and overrides by RSQL query, the first match wins."""

    default: Interval
    overrides: tuple[tuple[str, Interval], ...] = ()


def parse_duration(text: str) -> int:
    """`ss`, `mm:ss`, `HH:mm:ss` or ISO-8601 to seconds; a leading minus is swallowed, as on the real server (S139).

    Raises ValueError with what was expected.
    """
    text = text.strip()
    if match := CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    if (match := ISO.fullmatch(text)) and any(part is not None for part in match.groups()[1:]):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
        return days * DAY_S + hours * 3600 + minutes * 60 + seconds
    raise ValueError(f"expected HH:mm:ss or an ISO-8601 duration, got {text[:50]!r}")


@lru_cache(maxsize=1024)
def parse_polling_time(text: str) -> PollingTime:
    """`<interval>[~NN%][, <rsql> -> <interval>[~NN%], …]`. Raises ValueError with the text that did not parse."""
    first, *others = text.split(",")
    overrides = []
    for other in others:
        query, arrow, interval = other.partition("->")
        if not arrow:
            raise ValueError(other.strip())
        overrides.append((query.strip(), parse_interval(interval)))
    return PollingTime(parse_interval(first), tuple(overrides))


def parse_interval(text: str) -> Interval:
    """`<duration>[~NN%]`. Raises ValueError with the text."""
    text = text.strip()
    percent = 0
    duration = text
    if match := DEVIATION.fullmatch(text):
        duration, percent = match[1], int(match[2])
    try:
        return Interval(parse_duration(duration), percent)
    except ValueError:
        raise ValueError(text) from None


@lru_cache(maxsize=4096)
def sleep_text(seconds: int) -> str:
    """`HH:mm:ss`; from 24 h on ISO-8601, which real clients cannot parse (§2.2)."""
    if seconds < DAY_S:
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    parts = (f"{seconds // 3600}H", f"{seconds // 60 % 60}M", f"{seconds % 60}S")
    return "PT" + "".join(part for part in parts if not part.startswith("0"))


def sleep_s(interval: Interval, least_s: int, most_s: int, uniform: Callable[[float, float], float]) -> int:
    """What one answer says: the interval, spread by its deviation and kept within the server's limits."""
    if interval.deviation_percent == 0:
        return interval.seconds
    spread = interval.seconds * interval.deviation_percent / 100
    return min(max(round(uniform(interval.seconds - spread, interval.seconds + spread)), least_s), most_s)


def window_sleep_s(sleep: int, until_window_s: float, poll_count: int, least_s: int) -> int:
    """The shorter interval before a maintenance window opens: `poll_count` polls until then, within the limits."""
    if poll_count < 1 or until_window_s <= 0:
        return sleep
    return min(max(int(until_window_s / poll_count), least_s), sleep)


def next_expected_ms(last_ms: int, interval: Interval) -> int:
    """When the next poll is expected at the latest, in ms."""
    return last_ms + interval.seconds * 1000 * (100 + interval.deviation_percent) // 100
