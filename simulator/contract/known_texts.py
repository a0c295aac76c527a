"""Finds any of many known texts, such as the secrets of a fleet, in a text: in a few nanoseconds for each byte of it.

The text is read as blocks of eight bytes, by one call that costs less than eight characters of a loop. A known text
that stands in it lies over these blocks in one of eight ways, and in each way at least one block lies wholly within it
if it has fifteen bytes or more. So it is noted eight times, with a block for each way. A text none of whose blocks is
noted holds nothing that is known. Where one is, the note says where the known text would begin and how long it is,
and one look into a dictionary decides; thus ten thousand that begin or end alike cost no more than one.

Shorter ones are noted with shorter blocks.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Mapping
from typing import Final, Literal, NamedTuple

FORMATS: Final[Mapping[int, Literal["Q", "I", "H", "B"]]] = {8: "Q", 4: "I", 2: "H", 1: "B"}
"""How `memoryview` calls numbers of so many bytes."""

FEW: Final = 16
"""So many are tried one by one: for them that is cheaper than to look at all blocks."""


class Note(NamedTuple):
    """A block begins so many bytes after the beginning of a known text, which has so many bytes."""

    after_bytes: int
    length_bytes: int


class Match(NamedTuple):
    """Where a known text stands, in bytes. Sorted: from left to right, of two at one place the longer first."""

    begin: int
    minus_length: int
    text: str


class KnownTexts:
    """Known texts, and how to find them."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._sizes: dict[int, BlockNotes] = {}

    def add(self, text: str) -> None:
        """From now on `text`, which is not empty, is found."""
        self._known.add(text)
        data = _bytes_of(text)
        width = next(width for width in FORMATS if len(data) >= 2 * width - 1)
        self._sizes.setdefault(width, BlockNotes(width)).add(data)

    def replaced(self, text: str, masks: Mapping[str, str]) -> str:
        """`text` with each that stands in it replaced. From left to right, the longest first; `masks` has them all."""
        if not self._sizes:
            return text
        data = _bytes_of(text)
        sizes = [notes for notes in self._sizes.values() if notes.may_be_in(data)]
        found = sorted(match for notes in sizes for match in notes.find(data, self._known)) if sizes else []
        return _replaced(data, found, masks) if found else text


class BlockNotes:
    """Known texts of about the same length, by blocks of `width` bytes."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._notes: dict[int, tuple[Note, ...]] = {}
        self._few: set[bytes] = set()
        """All of them, or one more than `FEW`."""
        self._same: dict[tuple[Note, ...], tuple[Note, ...]] = {}
        """Most blocks have the same notes; each is kept once."""

    def add(self, known: bytes) -> None:
        if len(self._few) <= FEW:
            self._few.add(known)
        width = self._width
        for way in range(width):
            # The last block of this way: texts that count devices differ at their end.
            after = way + (len(known) - way) // width * width - width
            block = int.from_bytes(known[after : after + width], sys.byteorder)
            notes = self._notes.get(block, ())
            if (note := Note(after, len(known))) not in notes:
                notes = (*notes, note)
                self._notes[block] = self._same.setdefault(notes, notes)

    def may_be_in(self, data: bytes) -> bool:
        """False when none of them stands there."""
        if len(self._few) <= FEW:
            return any(map(data.__contains__, self._few))
        return not self._notes.keys().isdisjoint(self._blocks(data))

    def find(self, data: bytes, known: Container[str]) -> Iterator[Match]:
        """All places, in no order; those that overlap too."""
        for position, block in enumerate(self._blocks(data)):
            for after, length in self._notes.get(block, ()):
                begin = position * self._width - after
                text = _text_of(data[begin : begin + length]) if begin >= 0 else ""
                if text in known:
                    yield Match(begin, -length, text)

    def _blocks(self, data: bytes) -> list[int]:
        whole = len(data) // self._width * self._width
        return memoryview(data)[:whole].cast(FORMATS[self._width]).tolist()


def _replaced(data: bytes, found: list[Match], masks: Mapping[str, str]) -> str:
    parts, copied = [], 0
    for begin, minus_length, text in found:
        if begin >= copied:
            parts += [data[copied:begin], _bytes_of(masks[text])]
            copied = begin - minus_length
    return _text_of(b"".join([*parts, data[copied:]]))


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text_of(data: bytes) -> str:
    """Empty when it begins or ends within a character."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return ""
