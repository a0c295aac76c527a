"""A board's console as text: bytes in, whole lines out, however they were cut on their way. No I/O.

Escape sequences are taken out (colours, cursor, bracketed paste; ECMA-48); bytes that are no UTF-8 become U+FFFD. CR
LF, LF, LF CR, and a CR that a progress display repeats all end a line.
"""

from __future__ import annotations

import re
from typing import Final

ESCAPES: Final = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-OQ-WYZ\\`-~])"
    rb"|[\x00\x07\x0e\x0f]"
)
UNFINISHED_ESCAPE: Final = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)?$")
UNSEEN: Final = (b"\x1b", b"\x07", b"\x00", b"\x0e", b"\x0f")
ENDS: Final = re.compile(rb"(\r*\n|\r+)")
LINE_LIMIT_BYTES: Final = 65_536
"""A line without an end is cut there: noise at a wrong speed has none."""


class LineSplitter:
    """Splits a stream into lines. What has no end yet is `rest`: a prompt, or the first part of a line."""

    def __init__(self) -> None:
        self._held = b""
        self._ends_in_cr = False
        """A CR may be the first half of CR LF: it waits for what follows, and any number of them is like one."""

    @property
    def rest(self) -> str:
        """The last line so far, as text."""
        return as_text(self._held)

    def take_rest(self) -> bytes:
        """The unfinished line as bytes, for another reader of the port; it is no longer held here."""
        held, self._held, self._ends_in_cr = self._held + b"\r" * self._ends_in_cr, b"", False
        return held

    def feed(self, data: bytes) -> list[str]:
        """The lines that are whole now."""
        if not data:
            return []
        joined = self._held + b"\r" * self._ends_in_cr + data
        stripped = joined.rstrip(b"\r")
        self._ends_in_cr = len(stripped) < len(joined)
        plain = stripped.replace(b"\r\n", b"\n")
        if b"\r" in plain:
            *parts, rest = ENDS.split(stripped)
            # A CR where a line begins ends none: LF CR, or the cursor that is put back before the next text.
            whole = [line for line, end in zip(parts[::2], parts[1::2], strict=True) if line or b"\n" in end]
        else:
            *whole, rest = plain.split(b"\n")
        if len(joined) > LINE_LIMIT_BYTES:
            whole = [piece for line in whole for piece in _pieces(line)]
            *cut, rest = _pieces(rest)
            whole += cut
        self._held = rest
        if not whole:
            return []
        if _has_unseen(stripped):
            return [as_text(line) for line in whole]
        return b"\n".join(whole).decode("utf-8", "replace").split("\n")  # an end of line ends what is no UTF-8


def _pieces(line: bytes) -> list[bytes]:
    return [line[at : at + LINE_LIMIT_BYTES] for at in range(0, len(line), LINE_LIMIT_BYTES)] or [b""]


def _has_unseen(data: bytes) -> bool:
    return any(byte in data for byte in UNSEEN)


def as_text(line: bytes) -> str:
    """A line as people read it."""
    if _has_unseen(line):
        line = UNFINISHED_ESCAPE.sub(b"", ESCAPES.sub(b"", line))
    return line.decode("utf-8", "replace")
