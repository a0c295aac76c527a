"""How many messages a device may send: `capacity:seconds[,capacity:seconds]`, token buckets that fill all the time (5).

They are kept in memory, as on the real server: a restart fills them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S

DEVICES_KEPT: Final = 100_000
"""Of so many devices the buckets are remembered; then those that came first are full again."""


@dataclass(frozen=True, slots=True)
class Limit:
    capacity: int
    seconds: int


class TooManyMessages(Exception):
    """A device has sent more than it may; each transport says it in its own way, and never when to come back."""


def read_limits(text: str) -> tuple[Limit, ...]:
    """Raises ValueError for what is no list of limits."""
    limits = []
    for piece in filter(None, text.split(",")):
        capacity, _, seconds = piece.partition(":")
        limit = Limit(int(capacity), int(seconds))
        if limit.capacity <= 0 or limit.seconds <= 0:
            raise ValueError(f"expected capacity:seconds, both above 0, got {piece!r}")
        limits.append(limit)
    return tuple(limits)


class MessageLimits:
    """One bucket for each limit and device; a message takes from all of them, or from none."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._limits = read_limits(text)
        self._levels: dict[str, tuple[int, list[float]]] = {}
        """Device -> when it was last looked at, and what each of its buckets held."""

    def take(self, device_id: str, now_us: int) -> None:
        """Raises TooManyMessages."""
        if not self._limits:
            return
        levels = self._filled(device_id, now_us)
        is_allowed = min(levels) >= 1
        self._levels.pop(device_id, None)
        self._levels[device_id] = (now_us, [level - is_allowed for level in levels])
        if len(self._levels) > DEVICES_KEPT:
            del self._levels[next(iter(self._levels))]
        if not is_allowed:
            raise TooManyMessages(f"the device may send {self._text} messages:seconds, and has sent more")

    def _filled(self, device_id: str, now_us: int) -> list[float]:
        full = [float(limit.capacity) for limit in self._limits]
        last_us, levels = self._levels.get(device_id, (now_us, full))
        passed_s = max(now_us - last_us, 0) / US_PER_S
        return [
            min(limit.capacity, level + passed_s * limit.capacity / limit.seconds)
            for limit, level in zip(self._limits, levels, strict=True)
        ]
