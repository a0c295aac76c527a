"""Request bodies to documents: JSON with numbers as written, CBOR reduced to what JSON can say (§0, §2.3).

What is bounded is bounded as in the real server (Jackson's StreamReadConstraints), with the same answer.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from fleetrig.reference_server.platforms.hawkbit.request.cbor_reader import MOST_DIGITS, read_cbor
from fleetrig.reference_server.platforms.hawkbit.request.large_json import TooManyValues, loads_large
from fleetrig.reference_server.platforms.hawkbit.request.plain_path import decoded_where_plain
from fleetrig.reference_server.platforms.hawkbit.request.replies import CBOR
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, framework, not_readable
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import Body, HttpRequest

CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "utf-16", "utf-16be", "utf-16le", "utf-32"})
MARK: Final = "\ufeff"
"""A byte order mark before a document is skipped."""
MOST_LEVELS: Final = 500
"""Of nesting."""
MOST_NAME_CHARS: Final = 50_000
OPERATORS_VALUES: Final = 250_000
DEVICES_VALUES: Final = 20_000
"""How many values a document may hold. Our own bounds: the handlers of one request keep all others waiting."""
LARGE_CHARS: Final = 32 * 1024
HALF_A_PAIR: Final = re.compile(r"\\u[dD][89a-fA-F]", re.ASCII)
"""How half a surrogate pair, or a whole one, is written."""


class WrittenFloat(float):
    """A JSON number with a fraction or exponent, with its text: numbers become text as written (S125)."""

    text: str


class ReadBody(bytes):
    """A body that has been read already: as `content_type`, with what came of it."""

    content_type: str
    result: Any
    """The document, or the HawkbitError to raise."""


def read_document(raw: bytes, content_type: str, most_values: int = OPERATORS_VALUES) -> Any:
    """A body by its content type (in lower case), None for no body and for `null`. Raises not readable, 413."""
    if isinstance(raw, ReadBody) and raw.content_type == content_type:
        if isinstance(raw.result, HawkbitError):
            raise raw.result
        return raw.result
    try:
        if content_type.startswith(CBOR):
            # Of a name and its value both count here.
            return read_cbor(raw, MOST_LEVELS, 2 * most_values)
        return _json(raw, content_type, most_values)
    except TooManyValues:
        raise framework(
            413, f"the body holds more than {most_values} values, the most that this server takes"
        ) from None
    except (ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
        raise not_readable(f"the body is not well-formed: {str(error)[:200]}") from None


def prepared_body(request: HttpRequest) -> Body:
    """The body with its document read, so that the platform need not do it: for another thread."""
    content_type = (request.header("content-type") or "").lower()
    if content_type.startswith("multipart/"):
        return request.body
    body = ReadBody(body_bytes(request.body))
    body.content_type = content_type
    try:
        body.result = read_document(bytes(body), content_type, most_values(request.path))
    except HawkbitError as error:
        body.result = error
    return body


def most_values(path: str) -> int:
    """By whose request it is; a context path may stand before."""
    return DEVICES_VALUES if "/controller/v1/" in decoded_where_plain(path) else OPERATORS_VALUES


def _json(raw: bytes, content_type: str, most_values: int) -> Any:
    if not raw:
        return None
    text = raw.decode(_charset(raw, content_type)).removeprefix(MARK)
    if len(text) > LARGE_CHARS:
        document = loads_large(text, _written_int, _written, MOST_LEVELS, most_values)
        _check_names(document)
    else:
        document = json.loads(text, parse_float=_written, parse_int=_written_int, parse_constant=_refuse_constant)
        if text.count("[") + text.count("{") > MOST_LEVELS:
            _check_depth(document)
    return _whole_pairs(document) if HALF_A_PAIR.search(text) else document


def _charset(raw: bytes, content_type: str) -> str:
    """As declared; of the encodings of Unicode the bytes themselves tell which one it is."""
    _, mark, charset = content_type.partition("charset=")
    charset = charset.partition(";")[0].strip(' "')
    if mark and charset not in CHARSETS:
        raise ValueError(f"unknown charset {charset[:50]!r}")
    return charset if mark and not charset.startswith("utf") else json.detect_encoding(raw)


def _written(text: str) -> WrittenFloat:
    _check_digits(text.replace(".", "").replace("-", ""))
    number = WrittenFloat(text)
    number.text = text
    return number


def _written_int(text: str) -> int | WrittenFloat:
    _check_digits(text.removeprefix("-"))
    return _written(text) if text == "-0" else int(text)


def _check_digits(digits: str) -> None:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _inside(containers: list[Any]) -> list[Any]:
    """The containers directly in these."""
    found: list[Any] = []
    for one in containers:
        items = one.values() if isinstance(one, dict) else one
        found.extend(item for item in items if isinstance(item, dict | list))
    return found


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(MOST_LEVELS):
        level = _inside(level)
    if level:
        raise ValueError("nested too deeply")


def _check_names(document: Any) -> None:
    level = [document] if isinstance(document, dict | list) else []
    while level:
        for one in level:
            if isinstance(one, dict) and any(len(name) > MOST_NAME_CHARS for name in one):
                raise ValueError(f"a name of more than {MOST_NAME_CHARS} characters")
        level = _inside(level)


def _whole_pairs(document: Any) -> Any:
    """Text that can be written again: half a surrogate pair becomes `?`."""
    match document:
        case str():
            return document if document.isascii() else document.encode("utf-8", "replace").decode()
        case list():
            return [_whole_pairs(item) for item in document]
        case dict():
            return {_whole_pairs(key): _whole_pairs(value) for key, value in document.items()}
        case _:
            return document
