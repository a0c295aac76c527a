"""Request bodies to documents: JSON with numbers as written, CBOR reduced to what JSON can say (§0, §2.3)."""

from __future__ import annotations

import base64
import json
from typing import Any, Final, NoReturn

import cbor2

from fleetrig.reference_server.platforms.hawkbit.request.replies import CBOR
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_readable

CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "utf-16", "utf-16be", "utf-16le", "utf-32"})
MARK: Final = "\ufeff"
"""A byte order mark before a document is skipped."""
DEEPEST: Final = 200
"""Levels of nesting. The real server stops at 1000; what it takes is never deeper than 10."""


class WrittenFloat(float):
    """A JSON number with a fraction or exponent, with its text: numbers become text as written (S125)."""

    text: str


def read_document(raw: bytes, content_type: str) -> Any:
    """A body by its content type (in lower case), None for no body and for `null`. Raises not readable."""
    try:
        document = cbor2.loads(raw) if content_type.startswith(CBOR) else _json(raw, content_type)
        return _plain(document, 0)
    except (ValueError, TypeError, RecursionError, MemoryError, OverflowError, cbor2.CBORError) as error:
        raise not_readable(f"the body is not well-formed: {str(error)[:200]}") from None


def _json(raw: bytes, content_type: str) -> Any:
    if not raw:
        return None
    text = raw.decode(_charset(raw, content_type)).removeprefix(MARK)
    return json.loads(text, parse_float=_written, parse_int=_written_int, parse_constant=_refuse_constant)


def _charset(raw: bytes, content_type: str) -> str:
    """As declared; of the encodings of Unicode the bytes themselves tell which one it is."""
    _, mark, charset = content_type.partition("charset=")
    charset = charset.partition(";")[0].strip(' "')
    if mark and charset not in CHARSETS:
        raise ValueError(f"unknown charset {charset[:50]!r}")
    return charset if mark and not charset.startswith("utf") else json.detect_encoding(raw)


def _written(text: str) -> WrittenFloat:
    number = WrittenFloat(text)
    number.text = text
    return number


def _written_int(text: str) -> int | WrittenFloat:
    return _written(text) if text == "-0" else int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _plain(document: Any, depth: int) -> Any:
    """A document of JSON types only, with text that can be written again: half a surrogate pair becomes `?`."""
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    match document:
        case None | bool() | int() | float():
            return document
        case str():
            return document if document.isascii() else document.encode("utf-8", "replace").decode()
        case list() | tuple():
            return [_plain(item, depth + 1) for item in document]
        case bytes():
            return base64.b64encode(document).decode()
        case dict():
            return {str(_plain(key, depth + 1)): _plain(value, depth + 1) for key, value in document.items()}
        case _:
            raise ValueError(f"{type(document).__name__} has no place in a document")
