"""A board's port behind a line that fails on purpose: bytes go through the faults, all else to the board's own.

A pseudo-terminal has no modem lines, no break and no speed: those of the board's own adapter are meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetrig.hil.port import BoardPort, ThreadPort, Watcher


@dataclass(frozen=True, slots=True)
class FaultyPort:
    """`through` is an open port on a `FaultyLine`, `own` the board's. See `BoardPort`."""

    through: BoardPort
    own: BoardPort

    @property
    def url(self) -> str:
        return self.through.url

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        return self.through.watch(watcher)

    async def read(self, within_s: float) -> bytes:
        return await self.through.read(within_s)

    async def write(self, data: bytes, within_s: float = 10.0) -> None:
        await self.through.write(data, within_s)

    async def drop_input(self) -> None:
        await self.through.drop_input()

    async def set_speed(self, baud: int) -> None:
        await self.own.set_speed(baud)

    async def send_break(self, for_s: float = 0.25) -> None:
        await self.own.send_break(for_s)

    async def set_lines(self, *, rts: bool | None = None, dtr: bool | None = None) -> None:
        await self.own.set_lines(rts=rts, dtr=dtr)

    def in_thread(self) -> ThreadPort:
        return self.through.in_thread()

    async def close(self) -> None:
        """The board's own stays open: it is its owner's to close."""
        await self.through.close()
