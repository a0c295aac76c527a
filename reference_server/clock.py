"""The server's clock, which can be moved forward: windows lapse and devices become overdue without waiting."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S, Clock

LATEST_US: Final = 4_102_444_800 * US_PER_S
"""2100-01-01T00:00:00Z: further on, dates computed from now could end up beyond what can be written."""


class AdjustableClock:
    """Another clock, and how far it was moved."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self.skipped_us = 0

    def now_us(self) -> int:
        return self._base.now_us() + self.skipped_us

    def skip(self, by_us: int) -> None:
        """Never backwards. Raises ValueError for that, and beyond `LATEST_US`."""
        if by_us < 0:
            raise ValueError("expected a time that lies ahead: the clock cannot go back")
        if self.now_us() + by_us > LATEST_US:
            raise ValueError("expected a time before 2100-01-01")
        self.skipped_us += by_us
