"""A CSV text as the records of commons-csv's default format, and the value that stands in a cell.

Quotes may enclose a cell and are doubled inside it; behind the closing one only blanks may follow. Empty lines are no
records; one with a blank is (section 4, "Bulk").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

QUOTE: Final = '"'
QUOTED: Final = re.compile(r'"((?:[^"]|"")*+)"')
EMPTY_LINES: Final = re.compile(r"[\r\n]*")
LINE_END: Final = re.compile(r"\r\n|\r|\n")
HARD_BLANKS: Final = "\u00a0\u2007\u202f\u0085"
"""Python's blanks that are none to Java."""

MOST_PLACES: Final = 16
"""More than these behind the point, and a number stays text."""
NUMBER: Final = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
LONG_MAX: Final = 2**63 - 1


def records(text: str, delimiter: str) -> list[list[str]]:
    """The cells of each line that is not empty. Raises BadDelimiter, BadCsv."""
    if delimiter in "\r\n":
        raise BadDelimiter("The delimiter cannot be a line break")
    if delimiter == QUOTE:
        raise BadDelimiter(f"The quoteChar character and the delimiter cannot be the same ('{QUOTE}')")
    return list(_Reader(text, delimiter).records())


class BadDelimiter(Exception):
    """A character that cannot stand between cells."""


class BadCsv(Exception):
    """A quoted cell that is none."""


class _Reader:
    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        self._bare = re.compile(rf"[^\r\n{re.escape(delimiter)}]*")
        self._at = 0

    def records(self) -> Iterator[list[str]]:
        while True:
            self._at = EMPTY_LINES.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at == len(self._text):
                return
            yield self._record()

    def _record(self) -> list[str]:
        cells = [self._cell()]
        while self._text.startswith(self._delimiter, self._at):
            self._at += 1
            cells.append(self._cell())
        return cells

    def _cell(self) -> str:
        """What follows it is a delimiter or the end of the line."""
        if self._text.startswith(QUOTE, self._at):
            return self._quoted_cell()
        found = self._bare.match(self._text, self._at)
        assert found is not None, "it takes nothing, too"
        self._at = found.end()
        return found.group()

    def _quoted_cell(self) -> str:
        found = QUOTED.match(self._text, self._at)
        if found is None:
            raise BadCsv(f"(startline {self._line()}) EOF reached before encapsulated token finished")
        self._at = found.end()
        while self._at < len(self._text) and self._text[self._at] not in f"\r\n{self._delimiter}":
            if not self._text[self._at].isspace() or self._text[self._at] in HARD_BLANKS:
                raise BadCsv(f"(line {self._line()}) invalid char between encapsulated token and delimiter")
            self._at += 1
        return found[1].replace(QUOTE * 2, QUOTE)

    def _line(self) -> int:
        return len(LINE_END.findall(self._text, 0, self._at)) + 1


def cell_value(text: str) -> Any:
    """What a cell means as an attribute or a measurement: a number (a comma will do), true, false, JSON, else text."""
    number = _number(text.replace(",", "."))
    if number is not None:
        return number
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    bare = text.strip()
    if (bare[:1], bare[-1:]) in {("{", "}"), ("[", "]")}:
        try:
            return json.loads(bare)
        except (ValueError, RecursionError):
            return text
    return text


def _number(text: str) -> int | float | None:
    if not NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    if value != value.to_integral_value() or ("." in text and "e" not in text.lower()):
        places = -int(value.as_tuple().exponent)
        return float(value) if places <= MOST_PLACES else None
    return int(value) if -LONG_MAX - 1 <= value <= LONG_MAX else None
