"""Flashing by a program: fastboot, dfu-util, esptool, avrdude, or any other. Its exit status is what counts.

The port is closed while the program has it. Who the board is, a program says as well: before it writes, another call
(`esptool … read_mac`) is asked, and what it prints must have what is expected.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fleetrig.hil.consoles.console_text import LineSplitter
from fleetrig.hil.flasher import BoardState, Flashed, FlashFailed, FlashProgress, Image, OnProgress, WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.tool_command import ToolCommand, Values, check_places, filled_in, how_to_install, percent_of
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

READ_BYTES: Final = 65_536
STOPS_WITHIN_S: Final = 5.0
ENDS_WITHIN_S: Final = 600.0
KEPT_LINES: Final = 50
"""Of what a tool prints, for a sentence about it; `on_line` hears all."""

PortAction = Callable[[], Awaitable[None]]


def _nothing(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class PortHandover:
    """`give` closes the board's port so that a program can open it; `take_back` opens it anew, by its stable name."""

    give: PortAction
    take_back: PortAction


@dataclass(frozen=True, slots=True)
class ToolFlashing:
    """`write` writes. `ask` prints who the board is; `identity` is what must stand in it (`MAC: ` -> `24:0a:…`).

    `verify` ends with 0 when what was written is there; empty where `write` does so itself, as `verified_by` says.
    """

    write: ToolCommand
    ask: tuple[str, ...]
    identity: Mapping[str, str]
    verified_by: str
    verify: ToolCommand | None = None
    within_s: float = ENDS_WITHIN_S


@dataclass(frozen=True, slots=True)
class _ToolEnded:
    status: int
    lines: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return " / ".join(line for line in self.lines if line.strip())[-400:] or "it printed nothing"


class CommandLineFlasher:
    """The flasher `command_line`. `on_line` hears what the programs print."""

    def __init__(
        self,
        flashing: ToolFlashing,
        values: Callable[[Image], Values],
        handover: PortHandover,
        on_line: Callable[[str], None] = _nothing,
    ) -> None:
        if not flashing.identity or not flashing.ask:
            raise UsageError(
                "no board is written to without being asked who it is: give a command that prints it (`ask`) "
                "and what must stand there (`identity`)"
            )
        check_places(flashing.ask)
        if not flashing.write.selects_a_board:
            raise UsageError(f"{flashing.write.program}: neither {{port}} nor {{serial}} says which board is meant")
        self._flashing = flashing
        self._values = values
        self._handover = handover
        self._on_line = on_line
        self.left_in = BoardState.UNTOUCHED

    @property
    def title(self) -> str:
        return self._flashing.write.program

    async def flash(self, image: Image, on_progress: OnProgress) -> Flashed:
        """See `Flasher`. A program that is cancelled is ended, and the port is taken back."""
        began_s = asyncio.get_running_loop().time()
        self.left_in = BoardState.UNTOUCHED
        for program in {self._flashing.write.program, self._flashing.ask[0]}:
            if shutil.which(program) is None:
                raise BrokenBench(f"{program} is not there: {how_to_install(program)}")
        await asyncio.to_thread(read_image, image.path, image.sha256)
        await self._handover.give()
        try:
            await self._with_port(image, on_progress)
        finally:
            await self._handover.take_back()
        self.left_in = BoardState.VERIFIED
        took_s = asyncio.get_running_loop().time() - began_s
        return Flashed(image.size_bytes, 0, took_s, self._flashing.verified_by)

    async def _with_port(self, image: Image, on_progress: OnProgress) -> None:
        values = self._values(image)
        arguments = self._flashing.write.filled(values)
        await self._check_identity(values)

        def hear(line: str) -> None:
            self._on_line(line)
            if (percent := percent_of(line)) is not None:
                on_progress(FlashProgress("written", image.size_bytes * percent // 100, image.size_bytes))

        self.left_in = BoardState.PARTLY_WRITTEN
        await self._must(arguments, hear)
        self.left_in = BoardState.WRITTEN_UNVERIFIED
        if self._flashing.verify is not None:
            await self._must(self._flashing.verify.filled(values), self._on_line)
        on_progress(FlashProgress("written", image.size_bytes, image.size_bytes))

    async def _check_identity(self, values: Values) -> None:
        answer = await self._must(filled_in(self._flashing.ask, values), self._on_line)
        names_port = "{port}" in "".join(self._flashing.ask)
        for question, expected in self._flashing.identity.items():
            found = answers_to(question, answer.lines)
            # Behind a port there is one board; a tool that looks for a serial number lists all that are there.
            if not found or (found[0] != expected if names_port else expected not in found):
                got = f"{question} {', '.join(found)}" if found else answer.said
                raise WrongBoard(f"{question} {expected}", got)

    async def _must(self, arguments: Sequence[str], hear: Callable[[str], None]) -> _ToolEnded:
        try:
            async with asyncio.timeout(self._flashing.within_s):
                ended = await run_tool(arguments, hear)
        except TimeoutError:
            raise FlashFailed(
                f"{arguments[0]} did not end in {self._flashing.within_s:g} s and was stopped",
                self.left_in,
                "switch the board off and on, then flash it again",
            ) from None
        if ended.status:
            how = f"ended with {ended.status}" if ended.status > 0 else f"was killed by signal {-ended.status}"
            raise FlashFailed(f"{arguments[0]} {how}: {ended.said}", self.left_in, "see what it says, then flash again")
        return ended


def answers_to(question: str, lines: Sequence[str]) -> list[str]:
    """What follows it each time, without the quotes and commas around: `MAC: 24:0a` and `serial="24:0a"` -> `24:0a`."""
    pattern = re.compile(re.escape(question) + r"\W*([^\s\"',;]+)")
    return [found for line in lines for found in pattern.findall(line)]


async def run_tool(arguments: Sequence[str], hear: Callable[[str], None]) -> _ToolEnded:
    """Runs a program to its end; both of its outputs are heard line by line, also those that a CR repeats.

    When it is cancelled, the program and what it started are ended first.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise BrokenBench(f"{arguments[0]} does not start: {system_said(error)}") from None
    assert process.stdout is not None
    splitter = LineSplitter()
    last: list[str] = []
    try:
        while data := await process.stdout.read(READ_BYTES):
            for line in splitter.feed(data):
                hear(line)
                last = [*last, line][-KEPT_LINES:]
        if splitter.rest:
            hear(splitter.rest)
            last.append(splitter.rest)
        return _ToolEnded(await process.wait(), last)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    for how in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOPS_WITHIN_S):
                await process.wait()
