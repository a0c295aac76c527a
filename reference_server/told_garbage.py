"""How much of a flood of garbage is answered and told: so many a second, and then how much there was beside it."""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.clock import US_PER_S

TOLD_PER_S: Final = 100
"""So many senders of garbage get an answer and a line in the trace each second; the rest gets silence."""


class ToldGarbage:
    """The times are of one clock that never goes back (us)."""

    __slots__ = ("_in_second", "_passed_over", "_until_us")

    def __init__(self) -> None:
        self._until_us = 0
        self._in_second = 0
        self._passed_over = 0

    def reason(self, why: str, now_us: int) -> str | None:
        """What the trace gets to know; None: nothing this time, and the sender no answer."""
        if now_us >= self._until_us:
            self._until_us, self._in_second = now_us + US_PER_S, 0
        self._in_second += 1
        if self._in_second > TOLD_PER_S:
            self._passed_over += 1
            return None
        passed_over, self._passed_over = self._passed_over, 0
        return f"{why} (and {passed_over:,} more before it, untold)" if passed_over else why
