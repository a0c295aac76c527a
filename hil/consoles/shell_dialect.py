"""How commands are wrapped so that their output and exit status can be told from everything else on a console.

A prompt may stand inside output (U-Boot's `crc32` prints `==> `) and a shell echoes what is typed. So a command stands
between two marks whose quotes are split: the echo shows `'k3f''B7.'`, only the shell itself prints `k3fB7.`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.contract.errors import UsageError

COMMENT: Final = re.compile(r"(?:^|[ ;])#")


@dataclass(frozen=True, slots=True)
class ShellDialect:
    """A kind of shell. `prompt` is searched in the last line, which has no end."""

    name: str
    prompt: re.Pattern[str]
    line_end: str
    """Never CR LF: U-Boot takes that for two lines, and an empty one repeats the last command."""
    command_limit_bytes: int
    keeps_status: bool
    """Whether the status can be asked for again (`$fleetrig`), when a kernel message tore the first answer apart."""

    def wrapped(self, command: str, mark: CommandMark, is_fed: bool = False) -> str:
        """The line to type for a command. `is_fed`: what is typed into it is not echoed. Raises UsageError."""
        begin, end = mark.typed("B"), mark.typed("E")
        if self.keeps_status:
            # `eval` ends whatever it is given: a comment, a `&`, a syntax error.
            quoted = "'" + command.replace("'", "'\\''") + "'"
            silent, again = ("stty -echo; ", "stty echo; ") if is_fed else ("", "")
            line = f"fleetrig=; {silent}echo {begin}; eval {quoted}; fleetrig=$?; {again}echo {end}$fleetrig'.'"
        elif COMMENT.search(command):
            raise UsageError(f"{self.name} would take the rest of the line for a comment: {command}")
        else:
            line = f"echo {begin}; {command}; echo {end}$?'.'"
        if len(line.encode()) > self.command_limit_bytes:
            raise UsageError(
                f"{len(line.encode())} bytes are too long for one line of {self.name} ({self.command_limit_bytes}): "
                f"{command[:100]}"
            )
        return line + self.line_end

    def asks_status(self, mark: CommandMark) -> str:
        """Prints the end mark again, without a number if the command has not ended. Only if `keeps_status`."""
        return f"echo {mark.typed('E')}$fleetrig'.'{self.line_end}"


@dataclass(frozen=True, slots=True)
class CommandMark:
    """One command's mark: `token` is new for each console, `number` for each command."""

    token: str
    number: int

    def typed(self, which: str) -> str:
        """Split by quotes, so that its echo does not look like it."""
        return f"'{self.token}''{which}{self.number}.'"

    def printed(self, which: str) -> str:
        """What the shell makes of it; an end mark is followed by the exit status and a full stop."""
        return f"{self.token}{which}{self.number}."


UBOOT: Final = ShellDialect("U-Boot", re.compile(r"(?:=>|U-Boot>|# ?) ?$"), "\n", 250, keeps_status=False)
LINUX: Final = ShellDialect("Linux shell", re.compile(r"[#$>] ?$"), "\n", 1_000, keeps_status=True)
"""busybox's line editor loses what is beyond 1,023 bytes, without a word (Debian 12's was asked)."""
