"""Real U-Boot on emulated boards, at its prompt: each with an `ethaddr` of its own, by which it is told apart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import UBOOT
from fleetrig.hil.emulated.qemu import QemuBoard
from fleetrig.hil.emulated.uboot_board import UBOOT as UBOOT_FILE
from fleetrig.hil.emulated.uboot_board import uboot_board, uboot_machine
from fleetrig.hil.ports.serial_port import SerialPort, open_port
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.peers.programs import need_program

MAC: Final = "52:54:00:00:00:01"
FIRST_BYTE: Final = 0x800 * 512
"""Where the image begins on the disk, as the flasher's own default has it."""
WITHIN_S: Final = 120.0


@dataclass
class AtPrompt:
    """A board that is on, its console, and everything that it has said in lines."""

    board: QemuBoard
    port: SerialPort
    console: Console
    folder: Path
    lines: list[str] = field(default_factory=list)

    def disk(self, size_bytes: int) -> bytes:
        with (self.folder / "disk.img").open("rb") as disk:
            disk.seek(FIRST_BYTE)
            return disk.read(size_bytes)

    async def boot(self) -> None:
        await self.board.on()
        await self.to_prompt()

    async def to_prompt(self) -> None:
        await self.console.wait_for(re.compile("stop autoboot"), WITHIN_S)
        await self.console.type("\r")
        await self.console.run("true")


@asynccontextmanager
async def uboot_at_prompt(folder: Path, mac: str = MAC, network: str = "") -> AsyncIterator[AtPrompt]:
    """`network` is what follows `user` in QEMU's `-netdev`."""
    need_program("qemu-system-aarch64", "qemu-system-arm")
    if not UBOOT_FILE.exists():
        need_program(str(UBOOT_FILE), "u-boot-qemu")
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    uboot_board(folder).line.unplug()  # makes the disk
    machine = uboot_machine(folder / "disk.img")
    board = QemuBoard(replace(machine, arguments=(*machine.arguments, *_network(mac, network))), folder)
    port = await open_port(board.port, clock=WallClock())
    at = AtPrompt(board, port, Console(port, UBOOT, "k3f"), folder)
    at.console.on_line = at.lines.append
    try:
        await at.boot()
        yield at
    finally:
        await board.close()
        await port.close()


def _network(mac: str, network: str) -> Sequence[str]:
    return "-netdev", f"user,id=n0{network}", "-device", f"virtio-net-device,netdev=n0,mac={mac}"


def run(story: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(WITHIN_S):
            await story

    asyncio.run(bounded())
