"""A board that is a program of a few lines: its brain, behind a pseudo-terminal that stays while the board is off.

A brain is a generator that yields what it does (`Say`, `Hear`) and ends when the board falls silent for good. It does
no I/O and knows no clock. Ready ones are in `fake_brains.py`, `fake_uboot.py` and `fake_linux.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

import serial

from fleetrig.hil.port import BoardPort
from fleetrig.hil.ports.pty_line import PtyLine
from fleetrig.hil.ports.serial_port import SerialPort
from fleetrig.simulator.contract.clock import Clock


class Say(NamedTuple):
    """The board sends `data`, `after_s` from now on; meanwhile it hears nothing."""

    data: bytes
    after_s: float = 0.0


class Hear(NamedTuple):
    """The board waits for what is sent to it: all that came, or `b""` when nothing came in time (None: for ever)."""

    within_s: float | None = None


Brain = Generator[Say | Hear, bytes, None]
Sleep = Callable[[float], Awaitable[None]]


class FakeBoard:
    """Off at first. `make_brain` is called at each start; what survives a power cut lives outside of it.

    It is a `Power` as well. `sleep` is how time passes: a test hands in one that does not wait.
    """

    title = "fake board"

    def __init__(self, folder: Path, make_brain: Callable[[], Brain], sleep: Sleep = asyncio.sleep) -> None:
        self.line = PtyLine(folder / "console", self._typed)
        self.starts = 0
        self.failure: Exception | None = None
        """A mistake in its brain: the board is silent from then on, and `close` raises it."""
        self._make_brain = make_brain
        self._sleep = sleep
        self._life: asyncio.Task[None] | None = None
        self._heard = bytearray()
        self._came = asyncio.Event()

    @property
    def port(self) -> str:
        """The stable name of its port."""
        return str(self.line.link)

    async def on(self) -> None:
        if self._life is None:
            self.starts += 1
            self._heard.clear()
            self._life = asyncio.create_task(self._live(self._make_brain()))

    async def off(self) -> None:
        """Cuts its power in the middle of whatever it is doing."""
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.wait([life])

    async def reset(self) -> None:
        await self.off()
        await self.on()

    async def hang(self) -> None:
        """It neither speaks nor listens until it is switched off."""
        await self.off()
        self._life = asyncio.create_task(self._live(_deaf()))

    async def close(self) -> None:
        """Idempotent. Raises what was wrong in the brain, since a silent board would look like a finding."""
        await self.off()
        self.line.unplug()
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def open_with_lines(self, clock: Clock, lines: ModemLines) -> BoardPort:
        """A port on it that has RTS and DTR, which pseudo-terminals lack: `lines` hears how they are set."""
        return SerialPort(self.port, _WithLines(self.port, lines), clock, None, None)

    def _typed(self, data: bytes) -> None:
        self._heard += data
        self._came.set()

    async def _live(self, brain: Brain) -> None:
        try:
            doing = next(brain)
            while True:
                doing = brain.send(await self._do(doing))
        except StopIteration:
            return  # it is silent from now on
        except Exception as failure:  # noqa: BLE001 - kept, and raised by `close`
            self.failure = failure

    async def _do(self, doing: Say | Hear) -> bytes:
        match doing:
            case Say(data, after_s):
                await self._say(data, after_s)
                return b""
            case Hear(within_s):
                return await self._hear(within_s)

    async def _say(self, data: bytes, after_s: float) -> None:
        if after_s:
            await self._sleep(after_s)
        self.line.say(data)

    async def _hear(self, within_s: float | None) -> bytes:
        if not self._heard:
            self._came.clear()
            await self._either(within_s)
        heard = bytes(self._heard)
        self._heard.clear()
        return heard

    async def _either(self, within_s: float | None) -> None:
        """Until something came, or the time is over as `sleep` counts it."""
        came = asyncio.ensure_future(self._came.wait())
        waits: list[asyncio.Future[Any]] = [came]
        if within_s is not None:
            waits.append(asyncio.ensure_future(self._sleep(within_s)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _deaf() -> Brain:
    while True:
        yield Hear()


class ModemLines:
    """How a board's circuit takes RTS and DTR; this one resets it when DTR goes from off to on, as an Arduino's does.

    Called in the port's thread. `history` has every change: (line, state).
    """

    def __init__(self, board: FakeBoard) -> None:
        self._board = board
        self._loop = asyncio.get_running_loop()
        self.history: list[tuple[str, bool]] = []
        self.rts = self.dtr = True
        """Opening a port sets both."""

    def set_rts(self, state: bool) -> None:
        self.rts = state
        self.history.append(("rts", state))

    def set_dtr(self, state: bool) -> None:
        rises, self.dtr = state and not self.dtr, state
        self.history.append(("dtr", state))
        if rises:
            asyncio.run_coroutine_threadsafe(self._board.reset(), self._loop)


class _WithLines(serial.Serial):
    """A pseudo-terminal's port with a model in place of the lines that it has not."""

    def __init__(self, url: str, lines: ModemLines) -> None:
        self._lines = lines
        self._is_open_yet = False
        super().__init__(url, timeout=0.2, write_timeout=0.2, exclusive=True)
        self._is_open_yet = True

    def _update_rts_state(self) -> None:
        if self._is_open_yet:
            self._lines.set_rts(self.rts)

    def _update_dtr_state(self) -> None:
        if self._is_open_yet:
            self._lines.set_dtr(self.dtr)
