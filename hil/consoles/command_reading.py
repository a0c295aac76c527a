"""Reading what a console says while a command runs: lines in, the command's own output and status out. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from fleetrig.hil.consoles.shell_dialect import CommandMark

OUTPUT_LIMIT_CHARS: Final = 16 * 1024 * 1024
"""Of a command that never ends; the line log keeps everything."""
STATUS: Final = re.compile(r"(\d{1,3})\.")
TRACED: Final = re.compile(r"\++ echo ")
"""What `set -x` shows before a command."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command printed, without the prompt, its echo and the marks, and how it ended."""

    command: str
    output: str
    status: int
    took_s: float
    left_out_chars: int = 0
    """Of the output, above OUTPUT_LIMIT_CHARS."""
    is_bounded: bool = True
    """False: its first mark was torn by another message, so that its echo and more may stand before the output."""
    looked_like: str = ""
    """A line in it that looks like a restart or a panic, although the shell went on: `dmesg`, or a kernel's oops."""


@dataclass(slots=True)
class CommandReading:
    """The state of one wrapped command. `status` is None until its end mark has come."""

    mark: CommandMark
    lines: list[str] = field(default_factory=list)
    has_begun: bool = False
    is_torn: bool = False
    """Part of an end mark was seen, not all of it."""
    status: int | None = None
    left_out_chars: int = 0
    _kept_chars: int = 0

    def hear(self, line: str) -> bool:
        """Takes one whole line; returns whether it belongs to this command (or is one of its marks)."""
        if self.status is not None:
            return False
        if self.mark.token in line and self._is_mark(line):
            return True
        self._keep(line)
        return self.has_begun

    def _is_mark(self, line: str) -> bool:
        before, found, after = line.rpartition(self.mark.printed("E"))
        if found and (digits := STATUS.match(after)):
            if before and not TRACED.fullmatch(before):  # output without an end of line, as of `printf`
                self._keep(before)
            self.status = int(digits.group(1))
            return True
        before, found, after = line.partition(self.mark.printed("B"))
        if found:  # behind a prompt, or behind a kernel message without an end; `set -x` shows it twice
            self.has_begun = True
            self._forget()
            if after:
                self._keep(after)
            return True
        self.is_torn |= self.has_begun and self.mark.token + "'" not in line
        return False

    def keep_all(self, lines: list[str], size_chars: int) -> bool:
        """Takes lines without marks, if all of them fit."""
        if self._kept_chars + size_chars > OUTPUT_LIMIT_CHARS:
            return False
        self._kept_chars += size_chars
        self.lines += lines
        return True

    def _keep(self, line: str) -> None:
        size = len(line) + 1
        if self._kept_chars + size <= OUTPUT_LIMIT_CHARS:
            self._kept_chars += size
            self.lines.append(line)
        else:
            self.left_out_chars += size

    def _forget(self) -> None:
        self.lines.clear()
        self._kept_chars = self.left_out_chars = 0

    @property
    def output(self) -> str:
        """What has come so far; before it has begun, all that was said since it was typed."""
        return "\n".join(self.lines)
