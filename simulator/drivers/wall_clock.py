"""The clock of drivers in real time."""

from __future__ import annotations

import time


class WallClock:
    """Wall-clock time that never jumps: the date at the start plus what the monotonic clock says."""

    def __init__(self) -> None:
        self._start_us = time.time_ns() // 1_000 - time.monotonic_ns() // 1_000

    def now_us(self) -> int:
        return self._start_us + time.monotonic_ns() // 1_000
