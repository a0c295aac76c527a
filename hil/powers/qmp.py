"""Power of an emulated board: its plug is the emulator's process, its reset line QEMU's control socket."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.hil.emulated.qemu import QemuBoard


@dataclass(frozen=True, slots=True)
class QmpPower:
    """See `QemuBoard`: off kills the process, whatever it is doing, as pulling the plug does."""

    board: QemuBoard

    @property
    def title(self) -> str:
        return f"QEMU of {self.board.port}"

    async def on(self) -> None:
        await self.board.on()

    async def off(self) -> None:
        await self.board.off()

    async def reset(self) -> None:
        await self.board.reset()
