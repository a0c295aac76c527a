"""JSON as the server's library reads it, which takes far more than JSON (spec 1.1), and as it writes it.

Values are None, bool, str, `JsonNumber`, list and dict: a number keeps its digits, since it may be asked for as text.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, Final

MOST_NESTED: Final = 255
LONGEST_NUMBER: Final = 1_023
"""Characters: a longer one counts as a word."""
NO_LITERAL: Final = frozenset("/\\;#={}[]:, \t\f\r\n")
"""What ends a word without quotes, and cannot begin one."""
WORD: Final = re.compile(r"[^/\\;#={}\[\]:, \t\f\r\n]*")
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
KEYWORDS: Final = {"true": True, "false": False, "null": None}
COMMENT: Final = re.compile(r"#[^\r\n]*|//[^\r\n]*|/\*.*?\*/", re.DOTALL)
NON_EXECUTE_PREFIX: Final = ")]}'\n"
ESCAPES: Final = {
    "t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", "\n": "\n", "'": "'", '"': '"', "\\": "\\", "/": "/",
}  # fmt: skip
UP_TO: Final = {quote: re.compile(rf"[^\\{quote}]*") for quote in "\"'"}
"""What a quoted text goes on with, up to its end or an escape."""
HEX4: Final = re.compile(r"[0-9A-Fa-f]{4}")
HALF_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")
HALF: Final = re.compile("[\ud800-\udfff]")
PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
MALFORMED: Final = "com.google.gson.stream.MalformedJsonException"
END: Final = "java.io.EOFException"


class JsonNumber(str):
    """A number as it was written: `1.0` is not `1`."""

    __slots__ = ()


class NotJson(Exception):
    """Not even to this reader. The text is what the server says."""


def parse(text: str) -> Any:
    """One value. Raises NotJson; nothing at all is null, and what follows a null is not looked at."""
    value = _read(text)
    return _as_sent(value) if "\\u" in text and HALF_ESCAPE.search(text) else value


def _read(text: str) -> Any:
    if text.count("{") + text.count("[") <= MOST_NESTED:
        with suppress(ValueError):  # most of what comes is plain JSON, which Python reads faster
            return PLAIN.decode(text)
    return _Reader(text).document()


def _as_sent(value: Any) -> Any:
    """Half a character beyond the first 65,536 becomes a question mark on its way through the server; a pair one."""
    if isinstance(value, dict):
        return {_as_sent(name): _as_sent(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_as_sent(inner) for inner in value]
    if not isinstance(value, str) or not HALF.search(value):
        return value
    whole = PAIR.sub(lambda pair: pair.group().encode("utf-16", "surrogatepass").decode("utf-16"), value)
    return HALF.sub("?", whole)


def _number(word: str) -> str:
    return JsonNumber(word) if len(word) <= LONGEST_NUMBER else word


def as_text(value: Any) -> str:
    """How the server writes a value that it has read."""
    if isinstance(value, JsonNumber):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(name)}:{as_text(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_text, value)) + "]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


PLAIN: Final = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=str)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text: Final = text
        self._at = 1 if text.startswith("\ufeff") else 0
        self._depth = 0

    def document(self) -> Any:
        self._blanks()
        if self._text.startswith(NON_EXECUTE_PREFIX, self._at):
            self._at += len(NON_EXECUTE_PREFIX)
        if not self._blanks():
            return None
        value = self._value()
        if value is not None and self._blanks():
            raise NotJson("Did not consume the entire document.")
        return value

    def _value(self) -> Any:
        """At something that is no blank."""
        char = self._need()
        if char in "{[":
            return self._nested(char)
        if char in "\"'":
            self._at += 1
            return self._quoted_text(char)
        return self._literal()

    def _nested(self, char: str) -> Any:
        if self._depth >= MOST_NESTED:
            raise self._error(f"Nesting limit {MOST_NESTED} reached")
        self._depth += 1
        self._at += 1
        value: Any = self._members() if char == "{" else self._items()
        self._depth -= 1
        return value

    def _members(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        if self._need() == "}":
            self._at += 1
            return members
        while True:
            name = self._name()
            self._separator()
            members[name] = self._value()
            if self._next_item("}", "Unterminated object"):
                return members

    def _name(self) -> str:
        char = self._need()
        if char in "\"'":
            self._at += 1
            return self._quoted_text(char)
        if char in NO_LITERAL:
            raise self._error("Expected name")
        return self._word()

    def _separator(self) -> None:
        """`:`, `=` or `=>`."""
        char = self._need()
        if char not in ":=":
            raise self._error("Expected ':'", past=1)
        self._at += 2 if char == "=" and self._text.startswith("=>", self._at) else 1

    def _items(self) -> list[Any]:
        """A value that is left out is null; nothing after the last comma is left out, too."""
        items: list[Any] = []
        if self._need() == "]":
            self._at += 1
            return items
        while True:
            items.append(None if self._need() in ",;]" else self._value())
            if self._next_item("]", "Unterminated array"):
                return items

    def _next_item(self, end: str, unterminated: str) -> bool:
        """Past a comma; True past the end."""
        char = self._need()
        if char != end and char not in ",;":
            raise self._error(unterminated, past=1)
        self._at += 1
        return char == end

    def _literal(self) -> Any:
        if self._text[self._at] in NO_LITERAL:
            raise self._error("Expected value")
        word = self._word()
        if word.lower() in KEYWORDS and word.isascii():
            return KEYWORDS[word.lower()]
        return _number(word) if NUMBER.fullmatch(word) else word

    def _word(self) -> str:
        found = WORD.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return found.group()

    def _quoted_text(self, quote: str) -> str:
        pieces = []
        while True:
            found = UP_TO[quote].match(self._text, self._at)
            assert found is not None
            pieces.append(found.group())
            self._at = found.end() + 1
            if found.end() == len(self._text):
                raise self._error("Unterminated string")
            if self._text[found.end()] == quote:
                return "".join(pieces)
            pieces.append(self._escaped())

    def _escaped(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if char in ESCAPES:
            return ESCAPES[char]
        if char != "u":
            raise self._error("Invalid escape sequence" if char else "Unterminated escape sequence")
        digits = HEX4.match(self._text, self._at)
        if digits is None:
            raise self._error("Malformed Unicode escape")
        self._at += len(digits.group())
        return chr(int(digits.group(), 16))

    def _need(self) -> str:
        """The next character that is no blank, not yet passed."""
        if not self._blanks():
            raise self._error("End of input", END)
        return self._text[self._at]

    def _blanks(self) -> bool:
        """Skips blanks and comments; False at the end."""
        while self._at < len(self._text):
            if self._text[self._at] in " \t\r\n":
                self._at += 1
            elif (comment := COMMENT.match(self._text, self._at)) is not None:
                self._at = comment.end()
            elif self._text.startswith("/*", self._at):
                raise self._error("Unterminated comment")
            else:
                return True
        return False

    def _error(self, what: str, thrown: str = MALFORMED, past: int = 0) -> NotJson:
        """`past`: how many characters the server has taken in already, for the place that it names."""
        before = self._text[: self._at + past]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return NotJson(f"{thrown}: {what} at line {line} column {column}")
