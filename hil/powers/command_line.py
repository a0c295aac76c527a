"""Power by commands of the user's own: `uhubctl`, `pdu-tool`, a script. Called as programs, without a shell."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said
from fleetrig.simulator.contract.unreadable import why_no_words

WITHIN_S: Final = 30.0
SHOWN_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class CommandLinePower:
    """`on_command` and so on are command lines as one types them; without `reset_command`, off and on after a pause."""

    on_command: str
    off_command: str
    reset_command: str = ""
    off_s: float = 2.0
    """How long a board stays off in a reset: its capacitors have to run empty."""
    within_s: float = WITHIN_S
    title: str = "command line"

    async def on(self) -> None:
        await run_command(self.on_command, self.within_s)

    async def off(self) -> None:
        await run_command(self.off_command, self.within_s)

    async def reset(self) -> None:
        if self.reset_command:
            await run_command(self.reset_command, self.within_s)
            return
        await self.off()
        await asyncio.sleep(self.off_s)
        await self.on()


async def run_command(command: str, within_s: float) -> str:
    """What it printed. Raises BrokenBench when it fails or does not end in time; it is killed then, and when cancelled.

    Its arguments may hold secrets: only its first word is shown.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"a command line that cannot be read ({why_no_words(error)})") from None
    if not words:
        raise UsageError("an empty command line: expected a program and its arguments")
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise BrokenBench(f"{words[0]}: {system_said(error)}") from None
    try:
        async with asyncio.timeout(within_s):
            said = (await process.communicate())[0].decode(errors="replace").strip()
    except TimeoutError:
        raise BrokenBench(f"{words[0]} did not end in {within_s:g} s: the board's power is not known now") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise BrokenBench(f"{words[0]} failed ({process.returncode}): {said[-SHOWN_CHARS:] or 'it said nothing'}")
    return said
