"""A line that fails on purpose, between a board's port and whoever uses it: flashers, consoles, bridges, programs.

It is a pseudo-terminal with a stable name, which users open as they would open the board's own port.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from fleetrig.hil.port import BoardPort, PortLost, Way
from fleetrig.hil.ports.line_faults import FaultFired, FaultStream, LineAway, LineBytes, LineFault, LineGap, LineStep
from fleetrig.hil.ports.pty_line import PtyLine
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.trace import Lane, Trace

LOOK_S: Final = 1.0


class FaultyLine:
    """Owns the reading of `source`. Users open `url`; modem lines, break and speed do not go through it."""

    def __init__(
        self,
        source: BoardPort,
        link: Path,
        faults: Sequence[LineFault],
        seed: int,
        board: str,
        trace: Trace,
        clock: Clock,
    ) -> None:
        """Begins at once, on the running loop."""
        self._source = source
        self._board = board
        self._trace = trace
        self._clock = clock
        self._streams = {way: FaultStream(way, faults, seed) for way in Way}
        self._typed: asyncio.Queue[bytes] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._returning: asyncio.TimerHandle | None = None
        self._line = PtyLine(link, self._typed.put_nowait)
        self._tasks = [asyncio.create_task(self._from_board()), asyncio.create_task(self._to_board())]

    @property
    def url(self) -> str:
        return str(self._line.link)

    def unfired(self) -> list[LineFault]:
        """Faults that have not bitten: whoever wanted them has tested nothing with them."""
        return [fault for stream in self._streams.values() for fault, times in stream.fired() if not times]

    def unplug(self, for_s: float) -> None:
        """The port vanishes now, and comes back as another device."""
        self._vanish()
        self._returning = self._loop.call_later(for_s, self._line.plug_in)

    async def close(self) -> None:
        """Leaves `source` open: it is its owner's to close. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._vanish()

    async def _from_board(self) -> None:
        with suppress(PortLost):
            while True:
                if data := await self._source.read(LOOK_S):
                    await self._perform(Way.FROM_BOARD, data, self._say)
        self._vanish()

    async def _to_board(self) -> None:
        with suppress(PortLost):
            while True:
                await self._perform(Way.TO_BOARD, await self._typed.get(), self._source.write)
        self._vanish()

    async def _say(self, data: bytes) -> None:
        self._line.say(data)

    async def _perform(self, way: Way, data: bytes, send: Callable[[bytes], Awaitable[None]]) -> None:
        for step in self._streams[way].feed(data):
            await self._step(step, send)

    async def _step(self, step: LineStep, send: Callable[[bytes], Awaitable[None]]) -> None:
        match step:
            case LineBytes(data) if data:
                await send(data)
            case LineGap(for_s):
                await asyncio.sleep(for_s)
            case LineAway(for_s):
                self.unplug(for_s)
            case FaultFired(fault, at_byte, said):
                self._trace.emit(
                    self._clock.now_us(), Lane.BOARD, "line_fault", self._board,
                    fault=str(fault.kind), reason=f"byte {at_byte}: {said}", name=str(fault.way),
                )  # fmt: skip
            case _:
                pass

    def _vanish(self) -> None:
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None
        self._line.unplug()
