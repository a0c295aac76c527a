"""JSON that a server sent, read so that nothing in it can end a command: whatever stands there, there is a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from fleetrig.simulator.contract.json_types import Json

MAX_JSON_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64
"""No document of a platform comes near that; far below what Python's own functions can follow."""
MAX_DIGITS: Final = 300
"""Of a number; longer ones fit into no type of any server."""
SHOWN_BYTES: Final = 60
ESCAPES: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape of JSON text; the group is half of a pair (a lone surrogate), which no output can show."""
UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What must not get to a terminal."""


class NotJson(ValueError):
    """`str()` says what is there instead, to be put after "sent" or "answered with"."""


def read_json(text: bytes) -> Any:
    """The document. Half of a surrogate pair becomes U+FFFD. Raises NotJson, and nothing else."""
    if len(text) > MAX_JSON_BYTES:
        raise NotJson(f"JSON of more than {MAX_JSON_BYTES >> 20} MiB")
    try:
        whole = text.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise NotJson(f"JSON that is no UTF-8 at byte {wrong.start}: {shown(text)}") from None
    try:
        document = json.loads(
            with_whole_pairs(whole), parse_constant=_no_number, parse_int=_whole_number, parse_float=_number
        )
    except NotJson:
        raise
    except RecursionError:
        raise NotJson(too_deep(text)) from None
    except ValueError:
        raise NotJson(f"no JSON: {shown(text)}" if text.strip() else "an empty body") from None
    if _is_deep(document):
        raise NotJson(too_deep(text))
    return document


def with_whole_pairs(text: str) -> str:
    """JSON text in which every half of a surrogate pair is U+FFFD."""
    return ESCAPES.sub(_paired, text.encode()).decode() if "\\u" in text else text


def too_deep(text: bytes) -> str:
    return f"JSON that is nested deeper than {MAX_DEPTH} levels: {shown(text)}"


def shown(text: bytes) -> str:
    """The beginning of a body for a sentence, in quotes, and how long it is."""
    begin = beginning(text, SHOWN_BYTES)
    return f"{begin!r}" + (f" … ({len(text):,} bytes)" if len(text) > SHOWN_BYTES else "")


def beginning(text: bytes, at_most_bytes: int) -> str:
    """On one line, without what controls a terminal."""
    return UNPRINTABLE.sub(" ", text[:at_most_bytes].decode("utf-8", "replace")).strip()


def kind_of(value: object) -> str:
    """`an object`, `null`, `text` …: what stands there, for a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return "text"
        case _:
            return "a number"


def _paired(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape[1] is None else b"\\ufffd"


def _no_number(text: str) -> float:
    raise NotJson(f"{text}, which is no JSON")


def _whole_number(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise NotJson(f"a number of {len(text):,} digits: {text[:20]}…")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise NotJson(f"a number that is too large: {text[:40]}")
    return value


def _is_deep(document: Json) -> bool:
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for one in level for inner in _inside(one) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(one: Any) -> Iterator[Any]:
    match one:
        case dict():
            return iter(one.values())
        case list():
            return iter(one)
        case _:
            return iter(())
