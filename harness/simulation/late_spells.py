"""When this machine itself was late: a beat that comes too late tells that nothing else came in time either.

Under full load an answer lies in the socket for as long as the event loop is busy with other devices. A time-out in
such a spell says nothing about the server.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from fleetrig.harness.load.health import MOST_LATENESS_S
from fleetrig.simulator.contract.clock import to_us

BEAT_S: Final = 0.05
OWN_SHARE: Final = 0.1
"""A time-out is this machine's own when it was late for so much of the time that the device had waited."""
SPELLS_KEPT: Final = 4_096
MOST_LATENESS_US: Final = to_us(MOST_LATENESS_S)


class LateSpells:
    """The spells in which this machine was late, as its beats tell. Times are those of the device lane."""

    def __init__(self) -> None:
        self._spells: deque[tuple[int, int]] = deque(maxlen=SPELLS_KEPT)
        """From when a beat was due until it came, if that was too long; in order."""
        self._due_us: int | None = None
        """When the next beat is due."""

    def expect(self, due_us: int) -> None:
        """A beat shall come then."""
        self._due_us = due_us

    def came(self, at_us: int) -> None:
        """It came."""
        if self._due_us is not None and at_us - self._due_us > MOST_LATENESS_US:
            self._spells.append((self._due_us, at_us))
        self._due_us = None

    def late_us(self, from_us: int, until_us: int) -> int:
        """For how long this machine was late between two moments; the beat that is overdue at the end counts too."""
        total_us = 0
        if self._due_us is not None and until_us - self._due_us > MOST_LATENESS_US:
            total_us = until_us - max(from_us, self._due_us)
        for began_us, ended_us in reversed(self._spells):
            if ended_us <= from_us:
                break
            total_us += max(0, min(ended_us, until_us) - max(began_us, from_us))
        return total_us

    def were_within(self, from_us: int, until_us: int) -> bool:
        """Whether this machine was late for so long that what did not come in this time may be its own fault."""
        return self.late_us(from_us, until_us) >= OWN_SHARE * max(1, until_us - from_us)


async def beat(spells: LateSpells, now_us: Callable[[], int]) -> None:
    """For ever."""
    while True:
        spells.expect(now_us() + to_us(BEAT_S))
        await asyncio.sleep(BEAT_S)
        spells.came(now_us())
