"""Reading what a console says while a command runs: lines in, the command's own output and status out. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from fleetrig.hil.shell_dialect import CommandMark

OUTPUT_LIMIT_LINES: Final = 100_000
"""Of a command that never ends; the line log keeps everything."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command printed, without the prompt, its echo and the marks, and how it ended."""

    command: str
    output: str
    status: int
    took_s: float


@dataclass(slots=True)
class CommandReading:
    """The state of one wrapped command. `status` is None until its end mark has come."""

    mark: CommandMark
    lines: list[str] = field(default_factory=list)
    has_begun: bool = False
    status: int | None = None
    left_out: int = 0
    """Lines above the limit."""

    def hear(self, line: str) -> bool:
        """Takes one whole line; returns whether it belongs to this command (or is one of its marks)."""
        if self.status is not None:
            return False
        if not self.has_begun:
            # The mark may stand behind a prompt, or behind a kernel message without an end.
            self.has_begun = line.endswith(self.mark.printed("B"))
            return self.has_begun
        before, found, after = line.rpartition(self.mark.printed("E"))
        digits = re.match(r"\d+", after) if found else None
        if digits is None:
            self._keep(line)
            return True
        if before:  # output without an end of line, as of `printf`
            self._keep(before)
        self.status = int(digits.group())
        return True

    def _keep(self, line: str) -> None:
        if len(self.lines) < OUTPUT_LIMIT_LINES:
            self.lines.append(line)
        else:
            self.left_out += 1

    @property
    def output(self) -> str:
        return "\n".join(self.lines)
