"""A board's console over its port: commands with output and exit status, prompts, and what it says by itself.

One reader: whoever uses the console owns the port meanwhile. Every line goes to `on_line` as soon as it is whole.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.boot_watch import BootWatch, Notice
from fleetrig.hil.command_reading import CommandReading, CommandResult
from fleetrig.hil.console_text import LineSplitter
from fleetrig.hil.port import BoardPort
from fleetrig.hil.shell_dialect import CommandMark, ShellDialect
from fleetrig.simulator.contract.errors import UsageError

LOOK_S: Final = 1.0
PROMPT_WITHIN_S: Final = 2.0
"""How long a prompt may take after a command's end; one that does not come is not missed before the next command."""
END_MARK_WITHIN_S: Final = 2.0
"""How long a command's end may still take after what looks like a restart or a panic (`version`, `dmesg`)."""
SHOWN_CHARS: Final = 400
"""How much of what a board said stands in a sentence about it."""


def _nothing(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Typing:
    """How fast a board can be typed at: pieces of `chunk_bytes`, then a pause."""

    chunk_bytes: int = 64
    pause_s: float = 0.0


@dataclass
class Console:
    """Make one for each port. `token` makes its marks its own: letters and digits, new for each console."""

    port: BoardPort
    dialect: ShellDialect
    token: str
    on_line: Callable[[str], None] = _nothing
    on_notice: Callable[[Notice], None] = _nothing
    typing: Typing = field(default_factory=Typing)
    watch: BootWatch = field(default_factory=BootWatch)

    def __post_init__(self) -> None:
        self._splitter = LineSplitter()
        self._number = 0

    async def run(self, command: str, within_s: float = 10.0) -> CommandResult:
        """Types a command and waits for its end. Raises ConsoleFailed, PortLost, UsageError (it fits no line)."""
        if "\n" in command or "\r" in command:
            raise UsageError(f"a console command is one line, got {command!r}")
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        reading = CommandReading(self._next_mark())
        typed = self.dialect.wrapped(command, reading.mark)
        if len(typed.encode()) > self.dialect.command_limit_bytes:
            limit = self.dialect.command_limit_bytes
            raise UsageError(
                f"{len(typed)} bytes are too long for one line of {self.dialect.name} ({limit}): {command}"
            )
        await self.type(typed)
        await self._until(lambda line: reading.hear(line) and reading.status is not None, within_s, command, reading)
        assert reading.status is not None
        await self._prompt()
        return CommandResult(command, reading.output, reading.status, loop.time() - began_s)

    async def wait_for(self, pattern: re.Pattern[str], within_s: float) -> str:
        """The first line, or the unfinished last one, in which the pattern is found. Raises ConsoleFailed, PortLost."""
        found: list[str] = []

        def fits(line: str) -> bool:
            if pattern.search(line):
                found.append(line)
            return bool(found)

        if not fits(self._splitter.rest):
            await self._until(fits, within_s, pattern.pattern)
        return found[0]

    async def type(self, text: str) -> None:
        """Sends it as the board can take it. Raises PortLost."""
        data = text.encode()
        for at in range(0, len(data), self.typing.chunk_bytes):
            await self.port.write(data[at : at + self.typing.chunk_bytes])
            if self.typing.pause_s:
                await asyncio.sleep(self.typing.pause_s)

    def take_rest(self) -> bytes:
        """What has been read of the line that has no end yet: whoever reads the port next needs it."""
        return self._splitter.take_rest()

    async def listen(self, for_s: float) -> None:
        """Takes in what comes by itself."""
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                while True:
                    for line in await self._hear(for_s):
                        if (notice := self.watch.hear(line)) is not None:
                            self.on_notice(notice)

    def _next_mark(self) -> CommandMark:
        self._number += 1
        return CommandMark(self.token, self._number)

    async def _until(
        self, is_it: Callable[[str], bool], within_s: float, awaited: str, reading: CommandReading | None = None
    ) -> None:
        """Reads until a whole line fits. What a command prints may look like a restart: then its end has some time."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + within_s
        suspected: Notice | None = None
        while (left_s := deadline_s - loop.time()) > 0:
            lines = await self._hear(min(left_s, LOOK_S))
            # All of them: what follows in the same piece has to be heard as well.
            if True in [is_it(line) for line in lines] or (reading is None and is_it(self._splitter.rest)):
                return self._was_output(suspected)
            for line in lines:
                notice = self.watch.hear(line)
                if notice is not None and notice.what == "started":
                    self.on_notice(notice)
                elif notice is not None and suspected is None:
                    suspected = notice
                    deadline_s = min(deadline_s, loop.time() + (END_MARK_WITHIN_S if reading is not None else 0))
        if suspected is not None:
            self.on_notice(suspected)
            raise ConsoleFailed(
                f"the board {suspected.what} while {awaited} was awaited: {suspected.line}", _said(reading)
            )
        raise self._silent(awaited, within_s, reading)

    def _was_output(self, suspected: Notice | None) -> None:
        if suspected is not None:
            self.watch.take_back(suspected)

    async def _hear(self, within_s: float) -> list[str]:
        """Takes in one piece, and returns the lines that are whole now."""
        lines = self._splitter.feed(await self.port.read(within_s))
        for line in lines:
            self.on_line(line)
        return lines

    async def _prompt(self) -> None:
        """Waits for it, so that nothing is typed into a board that does not listen yet; its absence is no fault."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PROMPT_WITHIN_S):
                while not self.dialect.prompt.search(self._splitter.rest):
                    await self._hear(PROMPT_WITHIN_S)

    def _silent(self, awaited: str, within_s: float, reading: CommandReading | None) -> ConsoleFailed:
        said = _said(reading) or self._splitter.rest
        shown = f"the last it said: {said[-SHOWN_CHARS:]!r}" if said.strip() else "it said nothing at all"
        what = "did not end" if reading is not None and reading.has_begun else "did not come"
        return ConsoleFailed(f"{awaited} {what} within {within_s:g} s; {shown}", said)


def _said(reading: CommandReading | None) -> str:
    return reading.output if reading is not None else ""
