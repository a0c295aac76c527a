"""What a board says of itself without being asked: that it started, restarted, panicked, or goes round in circles.

Lines in, notices out. No I/O. The patterns are those of U-Boot, Linux and their watchdogs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

STAMP: Final = r"(?:\[ *\d+\.\d+\] )?"
BANNERS: Final = re.compile(
    r"(?:(?P<spl>U-Boot [ST]PL \d{4}\.\d\d)|(?P<uboot>U-Boot \d{4}\.\d\d)"
    rf"|(?P<booting>{STAMP}Booting Linux on)|(?P<linux>{STAMP}Linux version \d))"
)
A_START: Final = "a first line of U-Boot or Linux"
"""What `BANNERS` are, in sentences."""
WORDS: Final = tuple(
    (word[0], word)
    for word in (
        "U-Boot ", "Linux ", "Kernel panic", "Unable to", "Oops", "BUG: ", "### ERROR", "Synchronous Abort",
        "Attempted", "data abort", "undefined ins",
    )
)  # fmt: skip
"""One of them is in each line that matters. Their first letters are rare: looking for those is the fastest of all."""
PANICS: Final = re.compile(
    r"(Kernel panic - not syncing|Unable to handle kernel|Internal error: Oops|\bBUG: |watchdog: BUG: soft lockup"
    r"|^### ERROR ### Please RESET|\"Synchronous Abort\" handler|^data abort|^undefined instruction$"
    r"|Attempted to kill init)"
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
    """Counts one banner of each start, the first: SPL's, U-Boot's, or the kernel's on boards that show no more."""

    banner: str = ""
    starts: int = 0
    is_expected: bool = True
    """Whether the next start is wanted: after power-on and reset. Everything else is a restart by itself."""

    def expect_start(self) -> None:
        """It is switched on, or reset on purpose: its first banner may be another than before."""
        self.is_expected, self.starts, self.banner = True, 0, ""

    def is_up(self) -> None:
        """It answers: whatever starts from now on does so by itself, and it does not go round in circles."""
        self.is_expected, self.starts = False, 0

    def hear(self, line: str) -> Notice | None:
        """What a line says of the board, if anything."""
        if not may_matter(line):
            return None
        if PANICS.search(line):
            return Notice("panicked", line)
        found = BANNERS.match(line)
        if found is None or found.lastgroup is None or not self._begins(found.lastgroup):
            return None
        self.starts += 1
        if self.starts >= LOOPS_AFTER:
            return Notice("loops", line)
        if self.is_expected:
            self.is_expected = False
            return Notice("started", line)
        return Notice("restarted", line)

    def _begins(self, banner: str) -> bool:
        """Whether this banner begins a start: an earlier stage than those seen does, a later one does not."""
        if self.banner and ORDER.index(banner) > ORDER.index(self.banner):
            return False
        self.banner = banner
        return True

    def take_back(self, notice: Notice) -> None:
        """It was the output of a command that looks like one (`version`)."""
        if notice.what in ("restarted", "loops"):
            self.starts -= 1


def may_matter(text: str) -> bool:
    """Whether a line, or any of many, may be one that is told. Not by `any`, which costs more than the search."""
    for first, word in WORDS:  # noqa: SIM110
        if first in text and word in text:
            return True
    return False


ORDER: Final = ("spl", "uboot", "booting", "linux")
"""In which they come in one start."""
