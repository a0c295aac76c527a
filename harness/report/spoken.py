"""Spans of time in sentences."""

from __future__ import annotations

from typing import Final

MINUTE_S: Final = 60
HOUR_S: Final = 3600


def spoken_s(seconds: float) -> str:
    """`45 s`, `4 min 10 s`, `1 h 5 min`."""
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    large, small, units = (whole // MINUTE_S, whole % MINUTE_S, ("min", "s"))
    if whole >= HOUR_S:
        large, small, units = (whole // HOUR_S, whole % HOUR_S // MINUTE_S, ("h", "min"))
    return f"{large} {units[0]} {small} {units[1]}" if small else f"{large} {units[0]}"
