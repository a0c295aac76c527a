"""What this process takes of the machine."""

from __future__ import annotations

import time


class CpuMeter:
    """The processor time of this process, second by second."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self._before = (time.monotonic(), time.process_time())

    def tick(self) -> float:
        """The share of a core since the last tick."""
        now = (time.monotonic(), time.process_time())
        before, self._before = self._before, now
        share = (now[1] - before[1]) / max(1e-6, now[0] - before[0])
        self.shares.append(share)
        return share
