"""How many events a second there were lately."""

from __future__ import annotations

from collections import deque
from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S

RATE_WINDOW_S: Final = 10


class EventRate:
    """Events per second over the last few seconds."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque(maxlen=RATE_WINDOW_S + 1)

    def count(self, at_us: int) -> None:
        second = at_us // US_PER_S
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1] += 1
        else:
            self._seconds.append([second, 1])

    def per_s(self, now_us: int, began_us: int) -> float:
        """The mean since `began_us`, at most over the window; the second that has only begun does not count."""
        this_second = now_us // US_PER_S
        first = max(this_second - RATE_WINDOW_S, began_us // US_PER_S)
        counted = sum(count for second, count in self._seconds if first <= second < this_second)
        return counted / max(1, this_second - first)
