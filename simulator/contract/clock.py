"""Time as the project counts it: integer microseconds since the epoch of the run (virtual) or 1970 (real).

Integers, because sums of them do not depend on order and ties compare equal; people read and write seconds.
"""

from __future__ import annotations

from typing import Final, Protocol

US_PER_S: Final = 1_000_000
US_PER_MS: Final = 1_000

VIRTUAL_EPOCH_US: Final = 1_767_225_600 * US_PER_S
"""Virtual runs begin at 2026-01-01T00:00:00Z, so that the dates they show are plausible and always the same."""


class Clock(Protocol):
    """Says what time it is."""

    def now_us(self) -> int: ...


def earliest_us(*dues_us: int | None) -> int | None:
    """The first of several times, some of which may never come (None)."""
    first_us: int | None = None
    for due_us in dues_us:
        if due_us is not None and (first_us is None or due_us < first_us):
            first_us = due_us
    return first_us


def to_us(seconds: float) -> int:
    """Seconds to microseconds, rounded to the nearest."""
    return round(seconds * US_PER_S)


def to_s(us: int) -> float:
    """Microseconds to seconds."""
    return us / US_PER_S
