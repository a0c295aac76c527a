"""A name as text, read as Java's `X500Principal(String)` reads it: RFC 1779, 2253 and 4514 mixed, and more keywords.

Java looks for commas, semicolons and plus signs first and for their escapes by looking back, in its own way; this does
the same, so that it also refuses what Java refuses.
"""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.hono.names.assertions import (
    ALL_PRINTABLE,
    OID_TEXT,
    UNDERSTOOD,
    Assertion,
    string_value,
)
from fleetrig.reference_server.platforms.hono.names.der import elements

ESCAPABLE: Final = ',=\n+<>#;\\" '
ESCAPABLE_QUOTED: Final = ',=\n+<>#;\\"'
UNESCAPED_NEVER: Final = ',+<>;"'
TERMINATOR: Final = re.compile(r"[,;+]")
HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")
JAVA_BLANKS: Final = "".join(map(chr, range(0x21)))
"""What Java's `trim` takes away."""


class NoName(ValueError):
    """The text is no name."""


def parse_name(text: str) -> list[list[Assertion]]:
    """RDNs in the order in which a certificate would have them. Raises NoName."""
    if not text:
        return []
    return [_rdn(part) for part in reversed(_split_rdns(text))]


def _split_rdns(text: str) -> list[str]:
    parts, begins, searched, quotes = list[str](), 0, 0, 0
    for at in (at for at, letter in enumerate(text) if letter in ",;"):
        quotes += _quotes(text, searched, at)
        if quotes != 1 and not _is_escaped(text, at, searched):
            parts.append(text[begins:at])
            begins, quotes = at + 1, 0
        searched = at + 1
    return [*parts, text[begins:]]


def _rdn(text: str) -> list[Assertion]:
    parts, begins, searched, quotes = list[str](), 0, 0, 0
    for at in (at for at, letter in enumerate(text) if letter == "+"):
        quotes += _quotes(text, searched, at)
        if at > 0 and text[at - 1] != "\\" and quotes != 1:
            parts.append(text[begins:at])
            begins, quotes = at + 1, 0
        searched = at + 1
    return [_assertion(part) for part in (*parts, text[begins:])]


def _quotes(text: str, begins: int, ends: int) -> int:
    """Quotation marks that are not behind a backslash; one at the very beginning counts whatever is before it."""
    return sum(text[at] == '"' and (at == begins or text[at - 1] != "\\") for at in range(begins, ends))


def _is_escaped(text: str, at: int, searched: int) -> bool:
    if at < 1 or text[at - 1] != "\\":
        return False
    if at == 1 or text[at - 2] != "\\":
        return True
    return text.count("\\", searched, at) % 2 == 1


def _assertion(text: str) -> Assertion:
    keyword, equals, rest = text.partition("=")
    if not equals:
        raise NoName(f"{text!r}: expected KEYWORD=VALUE")
    oid = _oid(keyword)
    rest = rest.lstrip(" \n")
    if rest.startswith("#"):
        return Assertion(oid, _hex_value(rest[1:]))
    if rest.startswith('"'):
        return Assertion(oid, _quoted_value(oid, rest[1:]))
    return Assertion(oid, _plain_value(oid, rest))


def _oid(keyword: str) -> str:
    word = keyword.upper().strip(JAVA_BLANKS)
    if word in UNDERSTOOD:
        return UNDERSTOOD[word]
    word = word.removeprefix("OID.")
    arcs = list(map(int, word.split("."))) if OID_TEXT.fullmatch(word) else [3, 0]
    if arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise NoName(f"there is no keyword {keyword!r}")
    return ".".join(map(str, arcs))


def _hex_value(text: str) -> bytes:
    digits = TERMINATOR.split(text, maxsplit=1)[0]
    if HEX.fullmatch(digits) is None:
        raise NoName("a value in hex has pairs of digits only")
    der = bytes.fromhex(digits)
    try:
        found = list(elements(der))
    except ValueError as error:
        raise NoName(f"a value in hex is no DER: {error}") from None
    if len(found) != 1:
        raise NoName("a value in hex is one element")
    return der


def _quoted_value(oid: str, text: str) -> bytes:
    value = _Value()
    at = 0
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 1
            if at < len(text) and text[at] in HEX_DIGITS:
                at = value.add_hex(text, at)
                continue
            if at == len(text) or text[at] not in ESCAPABLE_QUOTED:
                raise NoName("a backslash before a letter that needs none")
        value.add(text[at])
        at += 1
    if at == len(text) or text[at + 1 :].strip(" \n"):
        raise NoName("a quoted value that does not end with its quotation mark")
    return string_value(oid, value.text().strip(JAVA_BLANKS), is_utf8=value.is_utf8)


def _plain_value(oid: str, text: str) -> bytes:
    """What stands behind a separator that was taken for an escaped one is lost, as it is in Java."""
    value = _Value()
    at = 0
    while at < len(text) and not (at and TERMINATOR.match(text, at)):
        letter, is_escaped = text[at], text[at] == "\\"
        if is_escaped:
            at += 1
            if at < len(text) and text[at] in HEX_DIGITS:
                at = value.add_hex(text, at)
                continue
            if at == len(text) or text[at] not in ESCAPABLE:
                raise NoName("a backslash before a letter that needs none")
            letter = text[at]
        elif letter in UNESCAPED_NEVER:
            raise NoName(f"{letter} without a backslash")
        value.add(letter, is_escaped=is_escaped)
        at += 1
    return string_value(oid, value.text(), is_utf8=value.is_utf8)


class _Value:
    """A value as it is put together: pairs of hex digits become UTF-8, blanks at the end wait for what follows."""

    def __init__(self) -> None:
        self.is_utf8 = False
        self._parts: list[str] = []
        self._raw = bytearray()
        self._blanks = 0

    def add(self, letter: str, *, is_escaped: bool = True) -> None:
        """A blank that is not escaped counts only if something follows."""
        if self._raw:
            self._flush_blanks()
            self._flush_raw()
        self.is_utf8 = self.is_utf8 or ALL_PRINTABLE.fullmatch(letter) is None
        if letter == " " and not is_escaped:
            self._blanks += 1
        else:
            self._flush_blanks()
            self._parts.append(letter)

    def add_hex(self, text: str, at: int) -> int:
        """A pair of digits; where it ends. Raises NoName."""
        pair = text[at : at + 2]
        if len(pair) < 2 or pair[1] not in HEX_DIGITS:
            raise NoName("a backslash and one hex digit: there have to be two")
        self.is_utf8 = True
        self._raw += bytes.fromhex(pair)
        return at + 2

    def text(self) -> str:
        """Blanks that wait come to nothing, also before pairs at the end."""
        self._flush_raw()
        return "".join(self._parts)

    def _flush_blanks(self) -> None:
        self._parts.append(" " * self._blanks)
        self._blanks = 0

    def _flush_raw(self) -> None:
        self._parts.append(self._raw.decode("utf-8", "replace"))
        self._raw.clear()
