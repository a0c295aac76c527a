"""A board's console over its port: commands with output and exit status, prompts, and what it says by itself.

One reader: whoever uses the console owns the port meanwhile. Every line goes to `on_line` as soon as it is whole. What
the bytes mean is decided without I/O in `console_text.py`, `awaiting.py`, `command_reading.py` and `boot_watch.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.awaiting import Awaiting
from fleetrig.hil.consoles.boot_watch import BootWatch, Notice
from fleetrig.hil.consoles.command_reading import CommandReading, CommandResult
from fleetrig.hil.consoles.console_text import LineSplitter
from fleetrig.hil.consoles.shell_dialect import CommandMark, ShellDialect
from fleetrig.hil.port import BoardPort
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.masking import Secrets

LOOK_S: Final = 1.0
PROMPT_WITHIN_S: Final = 2.0
"""How long a prompt may take after a command's end; one that does not come is not missed before the next command."""
END_MARK_WITHIN_S: Final = 2.0
"""How long a command's end may still take after what looks like a restart or a panic (`version`, `dmesg`)."""
SHOWN_CHARS: Final = 400
"""How much of what a board said stands in a sentence about it."""
INTERRUPT: Final = "\x03"
"""Control-C: ends what runs, and empties the line."""


def _nothing(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Typing:
    """How fast a board can be typed at: pieces of `chunk_bytes`, then a pause."""

    chunk_bytes: int = 64
    pause_s: float = 0.0


@dataclass
class Console:
    """Make one for each port. `token` makes its marks its own: letters and digits, new for each console.

    What `secrets` has learnt is masked in sentences. Lines and output are as the board gave them: whoever writes them
    masks them, as the trace's writer does.
    """

    port: BoardPort
    dialect: ShellDialect
    token: str
    on_line: Callable[[str], None] = _nothing
    on_notice: Callable[[Notice], None] = _nothing
    on_ran: Callable[[CommandResult], None] = _nothing
    typing: Typing = field(default_factory=Typing)
    watch: BootWatch = field(default_factory=BootWatch)
    secrets: Secrets = field(default_factory=Secrets)

    def __post_init__(self) -> None:
        self._splitter = LineSplitter()
        self._number = 0

    @property
    def rest(self) -> str:
        """The last line so far, which has no end yet: often a prompt."""
        return self._splitter.rest

    async def run(self, command: str, within_s: float = 10.0, feed: Sequence[str] = ()) -> CommandResult:
        """Types a command and waits for its end; `feed` are lines that it reads, which are not echoed (Linux only).

        Raises ConsoleFailed (with what came until then), PortLost, UsageError (it fits no line of this shell).
        """
        if "\n" in command or "\r" in command:
            raise UsageError(f"a console command is one line, got {command!r}")
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self._number += 1
        reading = CommandReading(CommandMark(self.token, self._number))
        shown = self.secrets.hide_known(command)
        awaiting = Awaiting(shown if len(shown) <= SHOWN_CHARS else f"{shown[:SHOWN_CHARS]}…", reading=reading)
        await self.type(self.dialect.wrapped(command, reading.mark, is_fed=bool(feed)))
        if feed:
            await self._until(awaiting, within_s, lambda: reading.has_begun)
            await self.type("".join(line + self.dialect.line_end for line in feed))
        await self._until(awaiting, within_s, lambda: awaiting.is_over)
        result = _result(command, awaiting, reading, loop.time() - began_s)
        await self._prompt()
        self.on_ran(result)
        return result

    async def wait_for(self, pattern: re.Pattern[str], within_s: float) -> str:
        """The first line, or the unfinished last one, in which the pattern is found. Raises ConsoleFailed, PortLost."""
        awaiting = Awaiting(pattern.pattern, pattern)

        def is_there() -> bool:
            if awaiting.found is None and awaiting.suspected is None and awaiting.fits(self.rest):
                awaiting.found = self.rest
            return awaiting.found is not None

        await self._until(awaiting, within_s, is_there)
        assert awaiting.found is not None
        return awaiting.found

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

    def begin_with(self, rest: bytes) -> None:
        """What another console read of a line that has no end yet."""
        self._splitter.feed(rest)

    async def listen(self, for_s: float) -> None:
        """Takes in what comes by itself."""
        with suppress(TimeoutError):
            async with asyncio.timeout(for_s):
                while True:
                    await self._hear(for_s)

    async def _until(self, awaiting: Awaiting, within_s: float, is_done: Callable[[], bool]) -> None:
        """Reads until it is done. What a command prints may look like a restart: then its end has some time."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + within_s
        was_asked = was_suspected = False
        while not is_done():
            left_s = deadline_s - loop.time()
            if not was_asked and self._asks_again(awaiting, left_s):
                assert awaiting.reading is not None
                await self.type(self.dialect.asks_status(awaiting.reading.mark))
                was_asked, deadline_s = True, max(deadline_s, loop.time() + END_MARK_WITHIN_S)
            elif left_s <= 0:
                raise self._failed(awaiting, within_s)
            await self._hear(max(0.0, min(left_s, LOOK_S)), awaiting)
            if awaiting.suspected is not None and not was_suspected:
                was_suspected = True
                deadline_s = min(deadline_s, loop.time() + (END_MARK_WITHIN_S if awaiting.reading else 0))

    def _asks_again(self, awaiting: Awaiting, left_s: float) -> bool:
        """The end mark was torn by another message; or time is up, and there is a prompt: perhaps it was."""
        if awaiting.reading is None or not self.dialect.keeps_status or awaiting.suspected is not None:
            return False
        return awaiting.reading.is_torn or (left_s <= 0 and self.dialect.prompt.search(self.rest) is not None)

    async def _hear(self, within_s: float, awaiting: Awaiting | None = None) -> None:
        """Takes in one piece."""
        lines = self._splitter.feed(await self.port.read(within_s))
        if awaiting is not None and lines and awaiting.takes_plain(lines):
            for line in lines:
                self.on_line(line)
            return
        for line in lines:
            self.on_line(line)
            notice = awaiting.hear(line, self.watch) if awaiting is not None else self.watch.hear(line)
            if notice is not None:
                self.on_notice(notice)

    async def _prompt(self) -> None:
        """Waits for it, so that nothing is typed into a board that does not listen yet; its absence is no fault."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PROMPT_WITHIN_S):
                while not self.dialect.prompt.search(self.rest):
                    await self._hear(PROMPT_WITHIN_S)

    def _failed(self, awaiting: Awaiting, within_s: float) -> ConsoleFailed:
        said = self.secrets.hide_known(awaiting.reading.output if awaiting.reading is not None else "")
        if awaiting.suspected is not None:
            self.on_notice(awaiting.suspected)
            what, line = awaiting.suspected
            return ConsoleFailed(f"the board {what} while {awaiting.what} was awaited: {line}", said)
        last = said or self.secrets.hide_known(self.rest)
        shown = f"the last it said: {last[-SHOWN_CHARS:]!r}" if last.strip() else "it said nothing at all"
        what_not = "did not end" if awaiting.reading is not None and awaiting.reading.has_begun else "did not come"
        return ConsoleFailed(f"{awaiting.what} {what_not} within {within_s:g} s; {shown}", said)


def _result(command: str, awaiting: Awaiting, reading: CommandReading, took_s: float) -> CommandResult:
    assert reading.status is not None
    looked_like = awaiting.suspected.line if awaiting.suspected is not None else ""
    return CommandResult(
        command, reading.output, reading.status, took_s, reading.left_out_chars, reading.has_begun, looked_like
    )
