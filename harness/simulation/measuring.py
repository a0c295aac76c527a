"""Measures a fleet while it is on: the server by its answers, this machine by its own lateness and processor time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from fleetrig.harness.load.curves import CurveRow
from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.harness.report.fleet_table import MeasuredNow
from fleetrig.harness.run.collector import keep_what_is_there
from fleetrig.harness.simulation.fleet_figures import SimulationFigures
from fleetrig.harness.simulation.late_spells import LateSpells, beat
from fleetrig.harness.simulation.measured_text import measured_now
from fleetrig.harness.simulation.starts import FleetStarts
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.drivers.realtime import RealBench

TICK_S: Final = 1.0
ONLINE: Final = "online"

Rows = Callable[[Sequence[CurveRow]], object]
"""Gets the seconds that are over."""


class Measuring:
    """The figures of one fleet, from its first start to the moment when it is switched off."""

    def __init__(self, state: FleetState, bench: RealBench, due: Sequence[tuple[float, Agent]], *, rows: Rows) -> None:
        """`due`: each device with its time to start."""
        self.figures = SimulationFigures(bench.now_us(), state.readings.waits)
        self.starts = FleetStarts(due, self._power_on, bench.now_us)
        self._state = state
        self._bench = bench
        self._rows = rows
        self._spells = LateSpells()

    @asynccontextmanager
    async def going_on(self, show: Callable[[MeasuredNow], None]) -> AsyncIterator[None]:
        """Starts the devices and measures them inside the block. `show` is told once a second."""
        state, bench = self._state, self._bench
        state.was_late, state.exchange_ended, bench.woke = (
            self._spells.were_within, self.figures.ended, self.figures.woke,
        )  # fmt: skip
        stop_listening = bench.trace.listen(self.figures.sent, ("sent",))
        works = (self.starts.run(), beat(self._spells, bench.now_us), self._tick(show))
        try:
            async with _beside(bench, works):
                yield
        finally:
            self.starts.end()
            state.ended_us = bench.now_us()
            stop_listening()
            self._rows(self.figures.end(state.ended_us, self._online()))

    def _power_on(self, agent: Agent, due_us: int) -> None:
        self.figures.woke(agent.identity.serial, due_us, self._bench.now_us())
        self._bench.power_on(agent)

    def _online(self) -> int:
        return self._state.stages()[ONLINE]

    async def _tick(self, show: Callable[[MeasuredNow], None]) -> None:
        was_starting = True
        while True:
            await asyncio.sleep(TICK_S)
            if was_starting:
                keep_what_is_there()
                was_starting = not self.starts.are_done
            now_us = self._bench.now_us()
            self._rows(self.figures.tick(now_us, self._online()))
            show(measured_now(self.figures, now_us, self.starts.held_up()))


@asynccontextmanager
async def _beside(bench: RealBench, works: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Runs them until the block ends. An error in one of them ends the run of the bench."""

    def noticed(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            bench.fail(error)

    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(noticed)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
