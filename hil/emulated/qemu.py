"""One QEMU process as a board with a power plug: its serial line hangs on a `PtyLine`, which stays when it is off.

No emulator outlives us: the kernel kills it with the process that started it (`setpriv --pdeathsig`).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleetrig.hil.emulated.qmp import Qmp
from fleetrig.hil.pty_line import READ_BYTES, PtyLine
from fleetrig.simulator.contract.errors import BrokenBench

START_WITHIN_S: Final = 20.0
COMMON: Final = ("-accel", "tcg", "-display", "none", "-monitor", "none")


@dataclass(frozen=True, slots=True)
class Machine:
    """What is emulated: the program (`qemu-system-aarch64`), its Debian package, and the machine's own arguments."""

    program: str
    package: str
    arguments: tuple[str, ...]


class QemuBoard:
    """A board that is off at first. `folder` is its own: sockets, and `console`, the link to its port."""

    title = "QEMU"

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._folder = folder
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
        if self._process is not None:
            return
        program = shutil.which(self._machine.program)
        if program is None:
            raise BrokenBench(f"{self._machine.program} is not there: apt-get install {self._machine.package}")
        for name in ("serial", "qmp"):
            (self._folder / name).unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "KILL", program, *self._machine.arguments, *COMMON, *self._sockets(),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(START_WITHIN_S):
                await self._attach()
        except (TimeoutError, OSError) as error:
            raise BrokenBench(f"QEMU did not start: {await self._last_words() or error}") from None

    def _sockets(self) -> Sequence[str]:
        serial, control = self._folder / "serial", self._folder / "qmp"
        return (
            "-chardev", f"socket,id=serial0,path={serial},server=on,wait=on", "-serial", "chardev:serial0",
            "-qmp", f"unix:{control},server=on,wait=off", "-S",
        )  # fmt: skip

    async def _attach(self) -> None:
        reader, self._writer = await self._until_there(self._folder / "serial")
        self._listening = asyncio.create_task(self._listen(reader))
        while self._qmp is None:
            with suppress(FileNotFoundError, ConnectionRefusedError):
                self._qmp = await Qmp.connect(self._folder / "qmp")
            await asyncio.sleep(0.01)
        await self._qmp.execute("cont")

    async def _until_there(self, socket: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            if self._process is None or self._process.returncode is not None:
                raise OSError("it ended at once")
            with suppress(FileNotFoundError, ConnectionRefusedError):
                return await asyncio.open_unix_connection(socket)
            await asyncio.sleep(0.01)

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
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if self._listening is not None:
            await self._listening
        if self._writer is not None:
            self._writer.close()
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
