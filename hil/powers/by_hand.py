"""Power by a person who is asked to switch it, and says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fleetrig.simulator.contract.errors import BrokenBench

AskPerson = Callable[[str], Awaitable[bool]]
"""Shows a sentence and waits; True when the person says that it is done, False when it cannot be done."""


@dataclass(frozen=True, slots=True)
class ByHandPower:
    """`board` is its name in sentences; `ask` belongs to whoever has the terminal."""

    board: str
    ask: AskPerson
    title: str = "by hand"

    async def on(self) -> None:
        await self._asked(f"switch {self.board} on")

    async def off(self) -> None:
        await self._asked(f"switch {self.board} off")

    async def reset(self) -> None:
        await self._asked(f"reset {self.board}, or switch it off and on")

    async def _asked(self, what: str) -> None:
        if not await self.ask(f"Please {what}."):
            raise BrokenBench(f"nobody could {what}")
