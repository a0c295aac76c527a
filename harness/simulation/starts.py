"""Switches a fleet on: as --spread says, but no faster than this machine can.

A step that comes back late tells that the devices that are on already need all there is: the next ones then wait until
a step comes back in time. So a fleet that is too large starts more slowly, and its time-outs are those of the server.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.load.health import MOST_CPU, MOST_LATENESS_S
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_s, to_us

STEP_S: Final = 0.02
FIRST_BATCH: Final = 32
"""So many devices a step at first: half as many after a step that was late, more after one that was not."""
MOST_BATCH: Final = 256
CPU_STEPS: Final = 50
MOST_CPU_TO_START: Final = MOST_CPU - 0.1
"""Of a core, in the last steps: what is left is for the devices that are on."""
FEWER: Final = "use fewer devices, a longer --spread, or more processes (`fleetrig load --workers N`)"
TOLD_FROM_S: Final = 1.0
"""So much behind is worth a word."""


@dataclass(slots=True)
class StartRate:
    """How many devices the next step may switch on."""

    batch: int = FIRST_BATCH

    def after_step(self, late_s: float, cpu_share: float) -> int:
        """A step came back so late, after this share of a core. Returns how many devices the next one may switch on."""
        if late_s > MOST_LATENESS_S:
            self.batch = max(1, self.batch // 2)
            return 0
        if cpu_share > MOST_CPU_TO_START:
            return 0
        self.batch = min(MOST_BATCH, self.batch + max(1, self.batch // 8))
        return self.batch


class RecentCpu:
    """The share of a core that this process has used in the last steps."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque(maxlen=CPU_STEPS)
        self.share()

    def share(self) -> float:
        """Over the last second or so."""
        now = (time.monotonic(), time.process_time())
        if not self._marks or now[0] - self._marks[-1][0] >= STEP_S:
            self._marks.append(now)
        first = self._marks[0]
        return (now[1] - first[1]) / max(STEP_S, now[0] - first[0])


class FleetStarts:
    """The starts of a fleet: `due` has each with its time, in seconds from the beginning.

    `power_on` is told a device, and when it was to start: the moment of its release for one that was held back.
    """

    def __init__(
        self, due: Sequence[tuple[float, Agent]], power_on: Callable[[Agent, int], object], now_us: Callable[[], int]
    ) -> None:
        self._due = sorted(due, key=lambda one: one[0])
        self._power_on = power_on
        self._now_us = now_us
        self._began_us = now_us()
        self._took_us = 0
        self._ended_us: int | None = None
        self.started = 0

    async def run(self) -> None:
        """Until all are on."""
        rate, cpu, most, was_held = StartRate(), RecentCpu(), FIRST_BATCH, False
        while self.started < len(self._due):
            was_held = self._start_due(most, was_held=was_held or not most)
            step_s = STEP_S if was_held else self._left_s()
            before_us = self._now_us()
            await asyncio.sleep(step_s)
            most = rate.after_step(to_s(self._now_us() - before_us) - step_s, cpu.share())

    @property
    def are_done(self) -> bool:
        """All are on."""
        return self.started == len(self._due)

    @property
    def waiting(self) -> int:
        """Devices that should be on by now, and are held back."""
        until_us = self._now_us() if self._ended_us is None else self._ended_us
        now_s = to_s(until_us - self._began_us) - TOLD_FROM_S
        return max(0, bisect_right(self._due, now_s, key=lambda one: one[0]) - self.started)

    def end(self) -> None:
        """The fleet goes off: nobody waits any longer."""
        self._ended_us = self._now_us()

    def held_up(self) -> str:
        """For a sentence about now; empty while all are on that should be."""
        waiting = self.waiting
        return f"it starts devices more slowly than --spread says ({waiting:,} wait)" if waiting else ""

    def sentence(self) -> str:
        """How much slower than planned they were started, at the end; empty when they were not."""
        if waiting := self.waiting:
            return f"{waiting:,} devices were never switched on: this machine could not start them in time"
        planned_s, took_s = self._due[self.started - 1][0] if self.started else 0.0, to_s(self._took_us)
        if took_s - planned_s < TOLD_FROM_S:
            return ""
        return (
            f"this machine switched the devices on over {took_s:.1f} s, not {planned_s:.1f} s as --spread says: it can "
            f"start {self.started / took_s:,.0f} a second"
        )

    def _start_due(self, most: int, *, was_held: bool) -> bool:
        """Starts those that are due, at most so many. Returns whether some of them are held back."""
        now_us = self._now_us()
        now_s = to_s(now_us - self._began_us)
        for due_s, device in self._due[self.started : self.started + most]:
            if due_s > now_s:
                break
            self._power_on(device, now_us if was_held else self._began_us + to_us(due_s))
            self.started += 1
        self._took_us = now_us - self._began_us
        return self.started < len(self._due) and self._due[self.started][0] <= now_s

    def _left_s(self) -> float:
        """Until the next is due."""
        if self.started == len(self._due):
            return 0.0
        return max(0.0, self._due[self.started][0] - to_s(self._now_us() - self._began_us))
