"""A board's console as text: bytes in, whole lines out, however they were cut on their way. No I/O.

Escape sequences are taken out (colours, cursor, bracketed paste); bytes that are no UTF-8 become U+FFFD; CR LF, LF and
a CR that a progress display repeats all end a line.
"""

from __future__ import annotations

import re
from typing import Final

ESCAPES: Final = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_=>78])|[\x00\x07\x0e\x0f]"
)
UNFINISHED_ESCAPE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*)?$")
ENDS: Final = re.compile(rb"\r*\n|\r+")
LINE_LIMIT_BYTES: Final = 65_536
"""A line without an end is cut there: noise at a wrong speed has none."""


class LineSplitter:
    """Splits a stream into lines. What has no end yet is `rest`: a prompt, or the first part of a line."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def rest(self) -> str:
        """The last line so far, as text."""
        return as_text(self._held.rstrip(b"\r"))

    def take_rest(self) -> bytes:
        """The unfinished line as bytes, for another reader of the port; it is no longer held here."""
        held, self._held = self._held, b""
        return held

    def feed(self, data: bytes) -> list[str]:
        """The lines that are whole now."""
        held = self._held + data
        # A CR at the very end may be the first half of CR LF, an escape may go on: both wait for the next piece.
        tail = b""
        if held.endswith(b"\r"):
            held, tail = held[:-1], b"\r"
        *whole, rest = ENDS.split(held) if (b"\n" in held or b"\r" in held) else [held]
        if len(rest) > LINE_LIMIT_BYTES:
            whole.append(rest)
            rest = b""
        self._held = rest + tail
        return [as_text(line) for line in whole]


def as_text(line: bytes) -> str:
    """A line as people read it."""
    if b"\x1b" in line or b"\x07" in line or b"\x00" in line:
        line = UNFINISHED_ESCAPE.sub(b"", ESCAPES.sub(b"", line))
    return line.decode("utf-8", "replace")
