"""What somebody waits for on a console: a line, or the end of a command. Lines in, notices out. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fleetrig.hil.consoles.boot_watch import BootWatch, Notice, may_matter
from fleetrig.hil.consoles.command_reading import CommandReading


@dataclass(slots=True)
class Awaiting:
    """The first line in which `pattern` is found, or the end of what `reading` reads: one of the two is given."""

    what: str
    """For sentences: the command, or what the pattern is to people."""
    pattern: re.Pattern[str] | None = None
    reading: CommandReading | None = None
    found: str | None = None
    suspected: Notice | None = None
    """The board seems to have restarted or panicked; what a command prints may only look like it."""

    @property
    def is_over(self) -> bool:
        return self.found is not None or (self.reading is not None and self.reading.status is not None)

    def hear(self, line: str, watch: BootWatch) -> Notice | None:
        """Takes a whole line; returns what has to be told at once. What comes after the end is told as it is."""
        if self.is_over:
            return watch.hear(line)
        if self.fits(line):
            self.found = line
            return None
        if self.reading is not None:
            return self._hear_command(self.reading, line, watch)
        return self._judge(watch.hear(line))

    def takes_plain(self, lines: list[str]) -> bool:
        """Takes lines in the midst of a command's output at once, if nothing in them asks for a closer look."""
        reading = self.reading
        if reading is None or not reading.has_begun or self.is_over:
            return False
        text = "\n".join(lines)
        return reading.mark.token not in text and not may_matter(text) and reading.keep_all(lines, len(text) + 1)

    def fits(self, line: str) -> bool:
        return self.pattern is not None and self.pattern.search(line) is not None

    def _hear_command(self, reading: CommandReading, line: str, watch: BootWatch) -> Notice | None:
        had_begun = reading.has_begun
        reading.hear(line)
        if reading.has_begun and not had_begun:
            watch.is_up()
        if not self.is_over:
            return self._judge(watch.hear(line))
        if self.suspected is not None:
            watch.take_back(self.suspected)
        return None

    def _judge(self, notice: Notice | None) -> Notice | None:
        if notice is None or notice.what == "started":
            return notice
        self.suspected = self.suspected or notice
        return None
