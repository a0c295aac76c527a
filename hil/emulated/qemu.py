"""One QEMU process as a board with a power plug: its serial line hangs on a `PtyLine`, which stays when it is off.

No emulator outlives us: the kernel kills it with the thread that started it (`setpriv --pdeathsig`). It talks over
socket pairs, so nothing lies in the file system, and it starts stopped: what it says first waits until we listen.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.hil.emulated.qmp import Qmp
from fleetrig.hil.ports.pty_line import READ_BYTES, PtyLine
from fleetrig.simulator.contract.errors import BrokenBench

START_WITHIN_S: Final = 60.0
COMMON: Final = ("-accel", "tcg", "-display", "none", "-monitor", "none", "-S")
DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')
"""Followed by our process id and the command. The question is for a starter that died before the signal was set."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What is emulated: the program (`qemu-system-aarch64`), its Debian package, and the machine's own arguments."""

    program: str
    package: str
    arguments: tuple[str, ...]


class QemuBoard:
    """A board that is off at first. `folder` is its own: `console` in it is the link to its port."""

    title = "QEMU"

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._process: asyncio.subprocess.Process | None = None
        self._qmp: Qmp | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self.line = PtyLine(folder / "console", self._typed)

    @property
    def port(self) -> str:
        """The stable name of its port."""
        return str(self.line.link)

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def on(self) -> None:
        """Starts it; nothing of what it says first is lost. Raises BrokenBench."""
        if self._process is not None and self._process.returncode is None:
            return
        await self.off()  # of an emulator that ended by itself
        for program, package in ((self._machine.program, self._machine.package), ("setpriv", "util-linux")):
            if shutil.which(program) is None:
                raise BrokenBench(f"{program} is not there: apt-get install {package}")
        try:
            async with asyncio.timeout(START_WITHIN_S):
                await self._start()
        except (TimeoutError, BrokenBench) as error:
            said = await self._last_words() or str(error) or f"no answer in {START_WITHIN_S:g} s"
            raise BrokenBench(f"QEMU did not start: {said}") from None
        except BaseException:  # also when the run is cancelled meanwhile
            await self.off()
            raise

    async def _start(self) -> None:
        (serial, its_serial), (control, its_control) = socket.socketpair(), socket.socketpair()
        with its_serial, its_control:
            reader, self._writer = await asyncio.open_unix_connection(sock=serial)
            ends = (its_serial.fileno(), its_control.fileno())
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *DIES_WITH_US, str(os.getpid()), self._machine.program, *self._machine.arguments, *COMMON,
                    "-chardev", f"socket,id=serial0,fd={ends[0]}", "-serial", "chardev:serial0",
                    "-chardev", f"socket,id=control,fd={ends[1]}", "-mon", "chardev=control,mode=control",
                    stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                    pass_fds=ends, process_group=0,  # a terminal's Ctrl-C is for us, the board goes on
                )  # fmt: skip
            except BaseException:
                control.close()
                raise
        self._listening = asyncio.create_task(self._listen(reader))
        self._qmp = await Qmp.connect(control)
        await self._qmp.execute("cont")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(READ_BYTES):
                self.line.say(data)

    def _typed(self, data: bytes) -> None:
        if self._writer is not None:  # bytes to a board that is off go nowhere
            self._writer.write(data)

    async def _last_words(self) -> str:
        process = self._process
        await self.off()
        if process is None or process.stdout is None:
            return ""
        return (await process.stdout.read(2_000)).decode(errors="replace").strip()

    async def off(self) -> None:
        """Cuts its power: the process is killed, whatever it is doing. Its port stays."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._writer is not None:
            self._writer.close()
        if self._listening is not None:
            await self._listening
        if self._qmp is not None:
            await self._qmp.close()
        self._writer = self._listening = self._qmp = None

    async def reset(self) -> None:
        await self.execute("system_reset")

    async def hang(self) -> None:
        """Stops the processor: the board falls silent, its power is on."""
        await self.execute("stop")

    async def execute(self, command: str, **arguments: object) -> None:
        """A command of QEMU's control interface. Raises BrokenBench when it is off."""
        if self._qmp is None:
            raise BrokenBench(f"the board is off: {command} needs it on")
        await self._qmp.execute(command, **arguments)

    async def close(self) -> None:
        await self.off()
        self.line.unplug()
