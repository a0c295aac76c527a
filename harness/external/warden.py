"""Sees to it that no device program outlives us, whatever ends us, `kill -9` included.

A shell reads from us which process groups run. When we are gone its input ends, and it kills what still runs. It is in
a session of its own, so a terminal's Ctrl-C does not reach it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

WATCH: Final = """
running=' '
while read -r what group; do
    case $what in
        started) running="$running$group " ;;
        ended) running="${running%% $group *} ${running#* $group }" ;;
        rest) exit 0 ;;
    esac
done
for group in $running; do kill -s KILL -- "-$group"; done
"""


class Warden:
    """One shell for all programs of a bench."""

    def __init__(self) -> None:
        self._shell: asyncio.subprocess.Process | None = None

    async def watch(self) -> None:
        """Before the first program is started."""
        self._shell = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", WATCH, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def started(self, group: int) -> None:
        self._tell(f"started {group}")

    def ended(self, group: int) -> None:
        """Its number may be somebody else's from now on."""
        self._tell(f"ended {group}")

    async def rest(self) -> None:
        """No program runs any more."""
        self._tell("rest")
        if self._shell is not None:
            await self._shell.wait()

    def _tell(self, line: str) -> None:
        if self._shell is not None and self._shell.stdin is not None:
            with suppress(ConnectionError):
                self._shell.stdin.write(f"{line}\n".encode())
