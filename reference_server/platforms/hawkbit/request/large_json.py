"""JSON read in small steps, for bodies that are not small: no step keeps the interpreter to itself for long.

The standard library reads a document in one step, during which no other thread runs. This reader takes the same
documents and gives the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any, Final

ReadNumber = Callable[[str], Any]

BLANKS: Final = re.compile(r"[ \t\n\r]*")
NUMBER: Final = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
WORDS: Final = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


class TooManyValues(Exception):
    """A document holds more values than this server is willing to keep others waiting for."""


def loads_large(text: str, parse_int: ReadNumber, parse_float: ReadNumber, most_levels: int, most_values: int) -> Any:
    """The document. Raises ValueError (no JSON, or nested deeper than `most_levels`), TooManyValues."""
    return _Reader(text, parse_int, parse_float, most_levels, most_values).read()


class _Reader:
    def __init__(
        self, text: str, parse_int: ReadNumber, parse_float: ReadNumber, most_levels: int, most_values: int
    ) -> None:
        self._text = text
        self._parse_int = parse_int
        self._parse_float = parse_float
        self._most_levels = most_levels
        self._left_values = most_values
        self._at = 0
        self._open: list[list[Any] | dict[str, Any]] = []
        self._names: list[str] = []
        """Of the fields that are being read, one for each object that is open."""

    def read(self) -> Any:
        while True:
            value, opens = self._value()
            if opens:
                self._begin(value)
                continue
            done, value = self._put(value)
            if done:
                if self._skip():
                    raise self._error("Extra data")
                return value

    def _begin(self, value: Any) -> None:
        self._open.append(value)
        if isinstance(value, dict):
            self._names.append(self._name())

    def _put(self, value: Any) -> tuple[bool, Any]:
        """Puts a value into what is open; closes what ends with it. (the document is whole, the document)."""
        while self._open:
            inner = self._open[-1]
            if isinstance(inner, dict):
                inner[self._names[-1]] = value
                if self._goes_on("}"):
                    self._names[-1] = self._name()
                    return False, None
                self._names.pop()
            else:
                inner.append(value)
                if self._goes_on("]"):
                    return False, None
            value = self._open.pop()
        return True, value

    def _skip(self) -> str:
        """The next character that is no blank, empty at the end."""
        found = BLANKS.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return self._text[self._at : self._at + 1]

    def _value(self) -> tuple[Any, bool]:
        """(a scalar or an empty container, False), (a container with more to come, True)."""
        self._left_values -= 1
        if self._left_values < 0:
            raise TooManyValues
        match self._skip():
            case '"':
                value, self._at = scanstring(self._text, self._at + 1, True)
                return value, False
            case "[" | "{" as bracket:
                if len(self._open) >= self._most_levels:
                    raise ValueError("nested too deeply")
                self._at += 1
                if self._skip() == ("]" if bracket == "[" else "}"):
                    self._at += 1
                    return ([] if bracket == "[" else {}), False
                return ([] if bracket == "[" else {}), True
            case "t" | "f" | "n" as first if self._text.startswith(WORDS[first][0], self._at):
                self._at += len(WORDS[first][0])
                return WORDS[first][1], False
            case _:
                return self._number(), False

    def _number(self) -> Any:
        found = NUMBER.match(self._text, self._at)
        if found is None:
            raise self._error("Expecting value")
        self._at = found.end()
        return self._parse_float(found[0]) if found[2] or found[3] else self._parse_int(found[0])

    def _name(self) -> str:
        if self._skip() != '"':
            raise self._error("Expecting property name enclosed in double quotes")
        name: str
        name, self._at = scanstring(self._text, self._at + 1, True)
        if self._skip() != ":":
            raise self._error("Expecting ':' delimiter")
        self._at += 1
        return name

    def _goes_on(self, end: str) -> bool:
        """True after a comma, False at the end of the container."""
        mark = self._skip()
        if mark not in (",", end) or not mark:
            raise self._error("Expecting ',' delimiter")
        self._at += 1
        return mark == ","

    def _error(self, message: str) -> JSONDecodeError:
        return JSONDecodeError(message, self._text, self._at)
