"""A bench whose devices are programs: power is a process group that is started and killed.

Time, waiting and queries to the server are those of the real bench. The inner state of such a device is invisible: its
device lane shows only power and exit, and the server lane of the trace shows what arrived.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from fleetrig.harness.external.command import DeviceCommand, environment, folder_name
from fleetrig.harness.external.warden import Warden
from fleetrig.harness.run.private_files import make_private_folder, open_private
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench

LOG: Final = "output.log"
LAST_WORDS_CHARACTERS: Final = 300

Describe = Callable[[Agent, Path], Mapping[str, str]]
"""(device, its folder) -> what its program is given, at the moment when it is switched on."""


class ProgramBench:
    """Use as `async with` inside the real bench's. Leaving ends every program and keeps what they wrote in `results`.

    A device's agent only stands for it: it is on while the program is to run, and performs nothing.
    """

    def __init__(
        self, real: RealBench, command: DeviceCommand, describe: Describe, results: Path, secrets: Secrets
    ) -> None:
        self.trace: Trace = real.trace
        self._real = real
        self._command = command
        self._describe = describe
        self._results = results
        self._secrets = secrets
        self._lives: dict[Agent, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._processes: dict[Agent, asyncio.subprocess.Process] = {}
        self._serials: set[str] = set()
        self._last: dict[Agent, asyncio.subprocess.Process] = {}
        """The latest program of each device, which may still be ending."""
        self._warden = Warden()
        self._forgetting: set[Agent] = set()
        """Devices whose folders are emptied before they are started again."""
        self.kept: list[tuple[Path, str]] = []
        """Files with what the programs have printed, and their last lines; there are some when this is left."""

    @property
    def image(self) -> Path | None:
        """What the programs can install."""
        return self._command.image

    async def __aenter__(self) -> Self:
        # Short, since programs may keep sockets there, and a socket's path has 108 characters at most.
        self._folder = tempfile.TemporaryDirectory(prefix="fleetrig-", ignore_cleanup_errors=True)
        await self._warden.watch()
        return self

    async def __aexit__(self, *_: object) -> None:
        for agent in list(self._lives):
            self.power_cut(agent)
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self._warden.rest()
        self._keep_output()
        self._folder.cleanup()

    def now_us(self) -> int:
        return self._real.now_us()

    def power_on(self, agent: Agent, *, after_s: float = 0.0, trigger: PowerCutTrigger | None = None) -> None:
        """Starts the program, now or later."""
        if trigger is not None:
            raise BrokenBench("nobody can look into a program, so its power cannot be cut at a point of its life")
        if agent not in self._lives:
            agent.power_on()
            life = asyncio.create_task(self._live(agent, after_s))
            self._lives[agent] = life
            self._ending.add(life)
            life.add_done_callback(self._noticed)

    def power_cut(self, agent: Agent) -> None:
        """Kills the program's whole process group."""
        life = self._lives.pop(agent, None)
        if life is None:
            return
        life.cancel()
        agent.power_cut()
        if (process := self._processes.pop(agent, None)) is not None:
            kill_group(process)
            self._tell(agent, "power_cut")

    def forget(self, agent: Agent) -> None:
        """Has the device, which is off, find an empty folder at its next start; what it has printed is kept."""
        agent.forget()
        self._forgetting.add(agent)

    def output_of(self, serial: str) -> str:
        """What a device's program has written so far, through all its power cycles. Not masked."""
        try:
            return (self._folder_of(serial) / LOG).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    async def _live(self, agent: Agent, after_s: float) -> None:
        """From power-on to the program's own end."""
        await asyncio.sleep(after_s)
        process = await self._start(agent)
        self._processes[agent] = self._last[agent] = process
        self._tell(agent, "power_on")
        try:
            code = await process.wait()
        finally:
            kill_group(process)
            await process.wait()
            self._warden.ended(process.pid)
        del self._lives[agent], self._processes[agent]
        agent.power_cut()
        said = " ".join(self.output_of(agent.identity.serial)[-LAST_WORDS_CHARACTERS:].split())
        self._tell(agent, "ended", f"exit code {code}" + (f", last words: {said}" if said else ""))

    async def _start(self, agent: Agent) -> asyncio.subprocess.Process:
        """Raises BrokenBench when there is nothing to start."""
        folder = self._folder_of(agent.identity.serial)
        folder.mkdir(exist_ok=True)
        if agent in self._forgetting:
            await self._empty(agent, folder)
        self._serials.add(agent.identity.serial)
        values = self._describe(agent, folder)
        words = self._command.for_device(values)
        with (folder / LOG).open("ab") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                    env=environment(values), start_new_session=True,
                )  # fmt: skip
            except OSError as wrong:
                raise BrokenBench(f"{words[0]} cannot be started: {system_said(wrong)}") from None
        self._warden.started(process.pid)
        return process

    async def _empty(self, agent: Agent, folder: Path) -> None:
        """Once nobody writes there any more."""
        if (last := self._last.get(agent)) is not None:
            await last.wait()
        self._forgetting.discard(agent)
        empty(folder)

    def _noticed(self, life: asyncio.Task[None]) -> None:
        self._ending.discard(life)
        if not life.cancelled() and (error := life.exception()) is not None:
            self._real.fail(error)

    def _folder_of(self, serial: str) -> Path:
        return Path(self._folder.name) / folder_name(serial)

    def _keep_output(self) -> None:
        """Masked: `keeps_secrets` judges whether a program leaks its tokens; the files must not repeat them."""
        for serial in sorted(self._serials):
            if text := self.output_of(serial):
                make_private_folder(self._results)
                masked = self._secrets.hide(text)
                with open_private(path := self._results / f"{folder_name(serial)}.log") as log:
                    log.write(masked)
                self.kept.append((path, last_line(masked)))

    def _tell(self, agent: Agent, kind: str, reason: str = "") -> None:
        self.trace.emit(self.now_us(), Lane.DEVICE, kind, agent.identity.serial, reason=self._secrets.hide(reason))


def last_line(text: str) -> str:
    """What was printed last, without what controls a terminal."""
    lines = ("".join(char for char in line if char.isprintable()).strip() for line in reversed(text.splitlines()))
    return next(filter(None, lines), "")[-LAST_WORDS_CHARACTERS:]


def empty(folder: Path) -> None:
    """All but what the device has printed."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOG:
            path.unlink()


def kill_group(process: asyncio.subprocess.Process) -> None:
    """Everything that the program has started and that still belongs to it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
