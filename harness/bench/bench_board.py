"""A board that plays a role in a run: what is done with it is done in turn, and its condition is known at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from fleetrig.harness.bench.console_ready import RESTART, ready_console
from fleetrig.harness.bench.opened_board import OpenedBoard
from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.consoles.boot_watch import BootWatch
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.flasher import BoardState
from fleetrig.hil.port import PortBytes, Way
from fleetrig.hil.ports.faulty_line import FaultyLine
from fleetrig.simulator.contract.errors import BrokenBench

T = TypeVar("T")

LEFT: dict[BoardState, str] = {
    BoardState.UNTOUCHED: "untouched: what was on it still is",
    BoardState.PARTLY_WRITTEN: "partly written: flash it again before it boots",
    BoardState.WRITTEN_UNVERIFIED: "written, not verified: flash it again before it boots",
    BoardState.VERIFIED: "written and verified: it can boot",
}
HALF_GIVEN = "given only a part of its identity: provision it again"


class PlaysDevice(Protocol):
    """Hears of a board's power, for the device that it plays."""

    def came_on(self, board: BenchBoard) -> None: ...

    def went_off(self, board: BenchBoard) -> None: ...


@dataclass(eq=False, slots=True)
class BenchBoard:
    """`play` hears of its power. Works are done one after another, in the order in which they were asked for."""

    role: str
    opened: OpenedBoard
    play: PlaysDevice
    is_on: bool = False
    starts: BootWatch = field(default_factory=BootWatch)
    """Follows its console while nobody works on it."""
    is_worked_on: bool = False
    left: str = LEFT[BoardState.UNTOUCHED]
    """What the latest work has left on it, and what to do next."""
    is_fresh: bool = True
    """It has started, and its console was not asked anything since."""
    faulty: FaultyLine | None = None
    _until_phase_ends: AsyncExitStack = field(default_factory=AsyncExitStack)
    _last: asyncio.Task[object] | None = None
    _dropping: asyncio.Future[None] | None = None

    @property
    def name(self) -> str:
        return self.opened.spec.name

    @property
    def condition(self) -> str:
        """`fake-1 is off, and partly written: flash it again before it boots`."""
        return f"{self.name} is {'on' if self.is_on else 'off'}, and {self.left}"

    def soon(self, step: Callable[[], Awaitable[object]], fail: Callable[[BaseException], object]) -> None:
        """Has it done after what was asked for before; nobody waits, so `fail` hears what went wrong."""

        async def in_turn() -> None:
            try:
                await step()
            except (BrokenBench, BoardFailed) as error:
                fail(error if isinstance(error, BrokenBench) else BrokenBench(str(error)))

        self._last = asyncio.create_task(self._after(self._last, in_turn))

    async def work(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does it after what was asked for before. Raises what it raises."""
        if self._last is not None:
            await asyncio.wait([self._last])
        self.is_worked_on = True
        try:
            return await work()
        finally:
            self.is_worked_on = False

    @staticmethod
    async def _after(before: asyncio.Task[object] | None, step: Callable[[], Awaitable[None]]) -> None:
        if before is not None:
            await asyncio.wait([before])
        await step()

    # Power

    async def on(self) -> None:
        """Nothing happens to one that is on. Raises BrokenBench, and what a console raises where there is no switch."""
        if not self.is_on:
            self._starts_anew()
            self.play.came_on(self)
            power = self.opened.power
            if power is None:
                await self._restart_by_console()
            else:
                await (power.on() if self.opened.can_be_switched_off else power.reset())

    async def off(self) -> None:
        """Raises BrokenBench for a board that the bench cannot switch off."""
        power = self.opened.power
        if power is None or not self.opened.can_be_switched_off:
            raise BrokenBench(
                f"{self.name} cannot be switched off by this bench: give it `power` in the bench file, or say "
                f"`offers: [power]` in boards.{self.role}, so that a board that can is taken"
            )
        was_on, self.is_on = self.is_on, False
        await power.off()
        if was_on:
            self.play.went_off(self)

    async def restart(self) -> None:
        """Raises BrokenBench, and what a console raises where there is no switch."""
        if not self.is_on:
            await self.on()
            return
        self.play.went_off(self)
        self._starts_anew()
        self.play.came_on(self)
        power = self.opened.power
        await (self._restart_by_console() if power is None else power.reset())

    async def _restart_by_console(self) -> None:
        console = await ready_console(self.opened)
        console.watch.expect_start()
        await console.type(RESTART[self.opened.spec.console.kind])
        self.restarted()

    def _starts_anew(self) -> None:
        self.is_on = self.is_fresh = True
        self.starts.expect_start()

    # Console

    async def console(self) -> Console:
        """At its prompt; the board is switched on for it. Raises ConsoleFailed, PortLost, BrokenBench."""
        await self.on()
        if not self.is_fresh:
            await self.opened.port.drop_input()  # what it said was heard, and asks for no answer
        console = await ready_console(self.opened)
        self.answered()
        return console

    def started(self) -> None:
        """Its first line was heard here: whoever asks it next does not need to hear of that."""
        self._dropping = asyncio.ensure_future(self.opened.port.drop_input())

    def restarted(self) -> None:
        """By itself: it is on its way to its prompt."""
        self.is_fresh = self.opened.is_starting = True

    def answered(self) -> None:
        """It is up: what starts from now on does so by itself."""
        self.is_fresh = False
        self.starts.is_up()

    # Until the phase ends

    async def add_faults(self, faults: AbstractAsyncContextManager[FaultyLine]) -> None:
        self.faulty = await self._until_phase_ends.enter_async_context(faults)

    async def end_phase(self) -> list[str]:
        """Takes the faults of its line away; returns those that never happened."""
        unfired = [str(fault.kind) for fault in self.faulty.unfired()] if self.faulty is not None else []
        self.faulty = None
        stack, self._until_phase_ends = self._until_phase_ends, AsyncExitStack()
        await stack.aclose()
        return unfired

    async def close(self) -> None:
        """Ends what is under way, and switches it off where that can be done."""
        under_way = [one for one in (self._last, self._dropping) if one is not None]
        for one in under_way:
            one.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._until_phase_ends.aclose()
        if self.opened.can_be_switched_off:
            await self.off()

    async def cut_after(self, typed_bytes: int, work: Callable[[], Awaitable[object]]) -> None:
        """Works, and cuts its power as soon as so much has gone to it: then the work is over.

        Raises BrokenBench when the work ended before, and what it raises until then.
        """
        working = asyncio.ensure_future(work())
        left_bytes = typed_bytes

        def heard(piece: PortBytes) -> None:
            nonlocal left_bytes
            if piece.way is Way.TO_BOARD:
                left_bytes -= len(piece.data)
                if left_bytes <= 0:
                    working.cancel()

        stop_hearing = self.opened.port.watch(heard)
        try:
            await asyncio.wait([working])
        finally:
            stop_hearing()
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        if working.cancelled():
            await self.off()
            return
        working.result()
        raise BrokenBench(
            f"{self.name} was done before {typed_bytes:,} bytes had gone to it, so its power was never cut and nothing "
            "was proven: cut earlier"
        )
