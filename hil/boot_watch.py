"""What a board says of itself without being asked: that it started, restarted, panicked, or goes round in circles.

Lines in, notices out. No I/O. The patterns are those of U-Boot, Linux and their watchdogs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

BANNERS: Final = re.compile(
    r"^(U-Boot (?:SPL )?\d{4}\.\d\d|Linux version \d|\[ +0\.0+\] Booting Linux|Booting Linux on)"
)
PANICS: Final = re.compile(
    r"(Kernel panic - not syncing|Unable to handle kernel|Internal error: Oops|\bBUG: |watchdog: BUG: soft lockup"
    r"|^### ERROR ### Please RESET|\"Synchronous Abort\" handler|^data abort|Attempted to kill init)"
)
LOOPS_AFTER: Final = 3
"""As many starts without anything in between that was asked for: a boot loop."""

What = Literal["started", "restarted", "panicked", "loops"]


class Notice(NamedTuple):
    """`line` is the evidence."""

    what: What
    line: str


@dataclass(slots=True)
class BootWatch:
    """Counts the first banner of a start: U-Boot's, or the kernel's on boards that show no U-Boot."""

    banner: str = ""
    starts: int = 0
    is_expected: bool = True
    """Whether the next start is wanted: after power-on and reset. Everything else is a restart by itself."""

    def expect_start(self) -> None:
        self.is_expected, self.starts = True, 0

    def hear(self, line: str) -> Notice | None:
        """What a line says of the board, if anything."""
        if PANICS.search(line):
            return Notice("panicked", line)
        found = BANNERS.search(line)
        if found is None or (self.banner and not found.group(1).startswith(self.banner)):
            return None
        self.banner = self.banner or found.group(1).split(" ")[0]
        self.starts += 1
        if self.starts >= LOOPS_AFTER:
            return Notice("loops", line)
        if self.is_expected:
            self.is_expected = False
            return Notice("started", line)
        return Notice("restarted", line)

    def take_back(self, notice: Notice) -> None:
        """It was the output of a command that looks like one (`version`)."""
        if notice.what in ("restarted", "loops"):
            self.starts -= 1
