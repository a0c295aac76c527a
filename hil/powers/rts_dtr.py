"""Reset by the modem lines of the board's own serial adapter. It resets; power it cannot cut."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from fleetrig.hil.port import BoardPort
from fleetrig.simulator.contract.errors import BrokenBench

ModemLine = Literal["rts", "dtr"]


@dataclass(frozen=True, slots=True)
class RtsDtrPower:
    """`line` is wired to the board's reset (RTS to EN on ESP boards, DTR on Arduinos); asserted, it resets."""

    port: BoardPort
    line: ModemLine = "rts"
    hold_s: float = 0.1

    @property
    def title(self) -> str:
        return f"reset by {self.line.upper()} of {self.port.url}"

    async def on(self) -> None:
        """Lets go of reset: the board runs."""
        await self._set(asserted=False)

    async def off(self) -> None:
        """Refuses: a board that is held in reset has power, and what it remembers in RAM."""
        raise BrokenBench(f"{self.title}: it cannot cut power; give this board a relay, or a person (`by_hand`)")

    async def reset(self) -> None:
        """Asserts the line for `hold_s`. Lets go also when it is cancelled. Raises PortLost, BrokenBench."""
        await self._set(asserted=True)
        try:
            await asyncio.sleep(self.hold_s)
        finally:
            await self._set(asserted=False)

    async def _set(self, *, asserted: bool) -> None:
        if self.line == "rts":
            await self.port.set_lines(rts=asserted)
        else:
            await self.port.set_lines(dtr=asserted)
