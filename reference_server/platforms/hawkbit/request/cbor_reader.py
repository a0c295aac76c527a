"""CBOR (RFC 8949) as the real server's reader takes it: reduced to what JSON can say, in small steps.

A general library makes objects of tags (dates, patterns, messages, references), some of which grow without bound. The
real server does not look at them: a tagged value is its content, big numbers and decimal fractions aside.
"""

from __future__ import annotations

import base64
import struct
from decimal import Decimal
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.large_json import TooManyValues

BIG, NEGATIVE_BIG, DECIMAL_FRACTION, BIG_FLOAT = 2, 3, 4, 5
BREAK: Final = object()
INDEFINITE: Final = -1
MOST_DIGITS: Final = 1000
"""Of a number."""
BIG_BYTES: Final = 415
"""What a number of so many digits takes."""
FLOATS: Final = {25: ("!e", 2), 26: ("!f", 4), 27: ("!d", 8)}
NOT_NUMBERS: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
SIMPLE: Final = {20: False, 21: True, 22: None, 23: None}


def read_cbor(data: bytes, most_levels: int, most_values: int) -> Any:
    """The one document that `data` holds. Raises ValueError, TooManyValues."""
    return _Reader(data, most_levels, most_values).read()


class _Open:
    """An array, object or text in pieces that is being read. `left`: how many items are to come, or INDEFINITE."""

    __slots__ = ("items", "kind", "left", "name", "tag")

    def __init__(self, kind: int, left: int, tag: int | None) -> None:
        self.kind = kind
        self.left = left
        self.tag = tag
        self.items: Any = {} if kind == OBJECT else []
        self.name: str | None = None


BYTES, TEXT, ARRAY, OBJECT, TAG, OTHER = 2, 3, 4, 5, 6, 7


class _Reader:
    def __init__(self, data: bytes, most_levels: int, most_values: int) -> None:
        self._data = data
        self._most_levels = most_levels
        self._left_values = most_values
        self._at = 0
        self._open: list[_Open] = []

    def read(self) -> Any:
        while True:
            value = self._item()
            if isinstance(value, _Open):
                self._open.append(value)
                if len(self._open) > self._most_levels:
                    raise ValueError("nested too deeply")
                if value.left:
                    continue
                value = BREAK
            done, value = self._put(value)
            if done:
                if self._at < len(self._data):
                    raise ValueError("more than one document")
                return value

    def _put(self, value: Any) -> tuple[bool, Any]:
        """Puts a value into what is open; closes what is full with it. (the document is whole, the document)."""
        while self._open:
            inner = self._open[-1]
            if value is not BREAK:
                self._add(inner, value)
                inner.left -= inner.left > 0
                if inner.left:
                    return False, None
            elif inner.name is not None or inner.left > 0:
                raise ValueError("an object ends after a name")
            value = _closed(self._open.pop())
        if value is BREAK:
            raise ValueError("nothing is open that could end")
        return True, value

    def _add(self, inner: _Open, value: Any) -> None:
        if inner.kind != OBJECT:
            inner.items.append(value)
        elif inner.name is None:
            inner.name = _name(value)
        else:
            inner.items[inner.name] = value
            inner.name = None

    def _item(self) -> Any:
        """A scalar, an `_Open` or BREAK."""
        tag: int | None = None
        kind, argument, info = self._counted_head()
        while kind == TAG:
            tag = argument if tag is None else tag
            kind, argument, info = self._head()
        if self._open and self._open[-1].kind in (BYTES, TEXT) and (kind, argument) != (OTHER, None):
            if kind != self._open[-1].kind or argument == INDEFINITE:
                raise ValueError("a text in pieces holds something else")
            return self._take(argument)
        match kind:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2 | 3 if argument != INDEFINITE:
                piece = self._take(argument)
                return piece.decode() if self._names_next() else _text(kind, piece, tag)
            case 2 | 3 | 4 | 5:
                many = argument * 2 if kind == OBJECT and argument > 0 else argument
                if many > len(self._data) - self._at:
                    raise ValueError("the body ends before what it holds")
                return _Open(kind, many, tag)
            case _:
                return self._other(info, argument)

    def _names_next(self) -> bool:
        """What comes next is the name of a field, for which bytes are as good as text."""
        return bool(self._open) and self._open[-1].kind == OBJECT and self._open[-1].name is None

    def _counted_head(self) -> tuple[int, Any, int]:
        self._left_values -= 1
        if self._left_values < 0:
            raise TooManyValues
        return self._head()

    def _head(self) -> tuple[int, Any, int]:
        (first,) = self._take(1)
        kind, info = first >> 5, first & 31
        if info < 24:
            return kind, info, info
        if kind == OTHER and info in FLOATS:
            return kind, info, info
        if info <= 27:
            return kind, int.from_bytes(self._take(1 << (info - 24)), "big"), info
        if info == 31 and kind in (BYTES, TEXT, ARRAY, OBJECT):
            return kind, INDEFINITE, info
        if info == 31 and kind == OTHER:
            return kind, None, info
        raise ValueError(f"no item begins with {first:#04x}")

    def _other(self, info: int, argument: Any) -> Any:
        if argument is None:
            return BREAK
        if info in FLOATS:
            form, length = FLOATS[info]
            number = struct.unpack(form, self._take(length))[0]
            return NOT_NUMBERS.get(str(number), number)
        return SIMPLE.get(argument, argument)

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise ValueError("the body ends before what it holds")
        piece = self._data[self._at : end]
        self._at = end
        return piece


def _name(value: Any) -> str:
    match value:
        case str():
            return value
        case bool() | None:
            raise ValueError("the name of a field is no text")
        case int():
            return str(value)
        case _:
            raise ValueError("the name of a field is no text")


def _text(kind: int, piece: bytes, tag: int | None) -> Any:
    if kind == TEXT:
        return piece.decode()
    if tag in (BIG, NEGATIVE_BIG):
        if len(piece) > BIG_BYTES:
            raise ValueError(f"a number of more than {MOST_DIGITS} digits")
        number = int.from_bytes(piece, "big")
        return number if tag == BIG else -1 - number
    return base64.b64encode(piece).decode()


def _closed(one: _Open) -> Any:
    if one.kind in (BYTES, TEXT):
        return _text(one.kind, b"".join(one.items), one.tag)
    if one.tag == BIG_FLOAT:
        raise ValueError("a big float")
    if one.tag == DECIMAL_FRACTION:
        return _decimal(one.items)
    return one.items


def _decimal(items: Any) -> str:
    """A decimal fraction as text, the form in which it ends up."""
    if not isinstance(items, list) or len(items) != 2 or not all(type(item) is int for item in items):
        raise ValueError("no decimal fraction")
    exponent, mantissa = items
    if not -(2**31) <= exponent < 2**31:
        raise ValueError("a decimal fraction with too large an exponent")
    sign, digits = int(mantissa < 0), tuple(int(digit) for digit in str(abs(mantissa)))
    return str(Decimal((sign, digits, exponent)))
