"""The owner of a board's port: opens it, keeps its evidence and tells the trace; opens it anew when it was lost.

Each opening looks its stable name up again (`/dev/serial/by-id/…`), so an adapter may come back as another device.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.hil.port import PortLost, Watcher
from fleetrig.hil.ports.evidence import PortEvidence
from fleetrig.hil.ports.serial_port import SerialPort, open_port
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Lane, Trace

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
"""Between two tries; each pause is twice the one before."""

OnTry = Callable[[BrokenBench], None]
"""Hears why a try did not succeed."""


def _nothing(_: BrokenBench) -> None:
    return None


@dataclass
class BoardLine:
    """One board's line through a run. `url` is a stable name; `lock_folder` is shared by the desk's users."""

    board: str
    url: str
    clock: Clock
    trace: Trace
    evidence: PortEvidence | None = None
    baud: int = 115_200
    paced: bool = False
    lock_folder: Path | None = None
    watcher: Watcher | None = None
    """Hears each port that is opened, as the evidence does."""

    def __post_init__(self) -> None:
        self._port: SerialPort | None = None

    @property
    def port(self) -> SerialPort:
        """The one that is open, or was lost. Raises BrokenBench before `open`."""
        if self._port is None:
            raise BrokenBench(f"{self.board}: its port {self.url} is not open")
        return self._port

    async def open(self) -> SerialPort:
        """Raises what `open_port` raises."""
        await self._close_port()
        port = await open_port(
            self.url, baud=self.baud, clock=self.clock, paced=self.paced, lock_folder=self.lock_folder
        )
        if self.evidence is not None:
            self.evidence.attach(port)
        if self.watcher is not None:
            port.watch(self.watcher)
        self._port = port
        self._tell("port_opened", self.url)
        return port

    async def reopen(self, lost: PortLost, within_s: float, on_try: OnTry = _nothing) -> SerialPort:
        """After `lost`: tries until the port is there again, and free, and permitted (which takes a moment).

        Nothing of what was under way goes on: synchronise with the board first. Raises BrokenBench after `within_s`.
        """
        self._tell("port_lost", lost.cause)
        await self._close_port()
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + within_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await self.open()
            except BrokenBench as error:
                on_try(error)
                if loop.time() + pause_s >= deadline_s:
                    raise BrokenBench(f"{self.board}: its port did not come back in {within_s:g} s: {error}") from None
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def close(self) -> None:
        """Idempotent. The evidence is its owner's to close."""
        await self._close_port()
        if self.evidence is not None:
            self.evidence.flush()

    async def _close_port(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            await port.close()

    def _tell(self, kind: str, reason: str) -> None:
        at_us = self.clock.now_us()
        if self.evidence is not None:
            self.evidence.note(at_us, f"{kind}: {reason}")
        self.trace.emit(at_us, Lane.BOARD, kind, self.board, reason=reason)
