"""Real shells as the boards on the other side of a port: programs on a terminal of their own, and U-Boot in QEMU."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from fleetrig.hil.consoles.console import Console, Typing
from fleetrig.hil.consoles.shell_dialect import LINUX, UBOOT
from fleetrig.hil.emulated.qemu import QemuBoard
from fleetrig.hil.emulated.uboot_board import uboot_board
from fleetrig.hil.ports.pty_line import PtyLine
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.simulator.drivers.wall_clock import WallClock

UP = re.compile(r"[#$] ?$|login: $")
NEEDS_UBOOT = [
    pytest.mark.peer,
    pytest.mark.skipif(
        not os.environ.get("CI")
        and not (shutil.which("qemu-system-aarch64") and Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin").exists()),
        reason="qemu-system-aarch64 or U-Boot for it is not installed (apt-get install qemu-system-arm u-boot-qemu)",
    ),
]


@asynccontextmanager
async def program(tmp_path: Path, *command: str) -> AsyncIterator[Console]:
    """A console with this program on its other side, on a terminal of its own."""
    if shutil.which(command[0]) is None and not os.environ.get("CI"):
        pytest.skip(f"{command[0]} is not installed")
    loop = asyncio.get_running_loop()
    process, terminal = os.forkpty()
    if not process:
        os.environ.update(TERM="xterm", PS1="\\033[1mboard:\\w\\033[0m# ", HISTFILE="/dev/null")
        os.execvp(command[0], command)

    def typed(data: bytes) -> None:
        os.write(terminal, data)

    line = PtyLine(tmp_path / "console", typed)

    def said() -> None:
        try:
            line.say(os.read(terminal, 65_536))
        except OSError:
            loop.remove_reader(terminal)

    port = await open_port(str(line.link), clock=WallClock())
    loop.add_reader(terminal, said)  # not before: opening a port throws away what has come
    try:
        console = Console(port, LINUX, "k3f9")
        await console.wait_for(UP, 30.0)  # one that is just starting would be ended by Control-C
        yield console
    finally:
        await port.close()
        line.unplug()
        loop.remove_reader(terminal)
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        await asyncio.to_thread(os.waitpid, process, 0)
        os.close(terminal)


@asynccontextmanager
async def powered_off_uboot(tmp_path: Path) -> AsyncIterator[tuple[QemuBoard, Console]]:
    board = uboot_board(tmp_path)
    port = await open_port(board.port, clock=WallClock())
    try:
        yield board, Console(port, UBOOT, "k3f9", typing=Typing(16, 0.0))
    finally:
        await port.close()
        await board.close()
