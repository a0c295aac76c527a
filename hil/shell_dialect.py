"""How commands are wrapped so that their output and exit status can be told from everything else on a console.

A prompt may stand inside output (U-Boot's `crc32` prints `==> `) and a shell echoes what is typed. So a command stands
between two marks whose quotes are split: the echo shows `'k3f''B7'`, only the shell itself prints `k3fB7`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ShellDialect:
    """A kind of shell. `prompt` is searched in the last line, which has no end."""

    name: str
    prompt: re.Pattern[str]
    line_end: str
    command_limit_bytes: int
    keeps_status: bool
    """Whether the status can be asked for again (`$fleetrig`), when a kernel message tore the first answer apart."""

    def wrapped(self, command: str, mark: CommandMark) -> str:
        """The line to type for a command."""
        begin, end = mark.typed("B"), mark.typed("E")
        if self.keeps_status:
            return f"echo {begin}; {command}; fleetrig=$?; echo {end}$fleetrig{self.line_end}"
        return f"echo {begin}; {command}; echo {end}$?{self.line_end}"

    def asks_status(self, mark: CommandMark) -> str:
        return f"echo {mark.typed('E')}$fleetrig{self.line_end}"


@dataclass(frozen=True, slots=True)
class CommandMark:
    """One command's mark: `token` is new for each console, `number` for each command."""

    token: str
    number: int

    def typed(self, which: str) -> str:
        """Split by quotes, so that its echo does not look like it."""
        return f"'{self.token}''{which}{self.number}.'"

    def printed(self, which: str) -> str:
        return f"{self.token}{which}{self.number}."


UBOOT: Final = ShellDialect("U-Boot", re.compile(r"(?:=>|U-Boot>|# ?) ?$"), "\n", 250, keeps_status=False)
LINUX: Final = ShellDialect("Linux shell", re.compile(r"[#$>] ?$"), "\n", 4_000, keeps_status=True)
