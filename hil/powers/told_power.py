"""A board's power, told in the board lane of the trace: `power_on`, `power_off`, `reset`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetrig.hil.power import Power
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.trace import Lane, Trace


@dataclass(frozen=True, slots=True)
class ToldPower:
    """What starts a board is told before it is done, so that nothing the board says comes earlier."""

    power: Power
    board: str
    trace: Trace
    clock: Clock
    on_start: Callable[[], None]

    @property
    def title(self) -> str:
        return self.power.title

    async def on(self) -> None:
        self._tell("power_on")
        self.on_start()
        await self.power.on()

    async def off(self) -> None:
        await self.power.off()
        self._tell("power_off")

    async def reset(self) -> None:
        self._tell("reset")
        self.on_start()
        await self.power.reset()

    def _tell(self, kind: str) -> None:
        self.trace.emit(self.clock.now_us(), Lane.BOARD, kind, self.board, reason=self.title)
