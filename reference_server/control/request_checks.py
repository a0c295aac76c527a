"""Checks requests to the control interface: who may ask, which words a query may hold, what a body must be.

Against pages in a browser on the same machine: a Host that is not loopback comes from a name that an attacker has
pointed here (DNS rebinding), and any page can send a body that is not declared as JSON without asking first. There are
no CORS headers, so no page can read an answer. DELETE needs no such care: a browser always asks first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.fault_values import WrongWord
from fleetrig.simulator.contract.http import Headers, HttpRequest
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.unreadable import why_no_json

MAX_BODY_BYTES: Final = 64 * 1024
MAX_PARAMETERS: Final = 20
MAX_LEVELS: Final = 50
MAX_DIGITS: Final = 1_000
SHOWN_CHARS: Final = 100
BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
"""Texts as a whole, so that brackets in them do not count."""


class RequestRefused(Exception):
    """An answer with an error: `{"error": sentence, …}`."""

    def __init__(self, status: int, error: str, headers: Headers = (), **more: Json) -> None:
        super().__init__(error)
        self.status = status
        self.headers = headers
        self.document: dict[str, Json] = {"error": error, **{name: value for name, value in more.items() if value}}


def mistake(field: str, expected: str, got: object, near: str = "") -> RequestRefused:
    """A 400 that names the field."""
    shown = json.dumps(got)[:SHOWN_CHARS]
    hint = f"; did you mean {near}?" if near else ""
    return RequestRefused(400, f"{field}: {expected}, got {shown}{hint}", field=field, expected=expected, near=near)


def check_host(request: HttpRequest) -> None:
    """Raises RequestRefused(403) unless the request was sent to a loopback address."""
    host = (request.header("Host") or "").strip()
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    if not Address(name.lower(), 0).is_loopback:
        raise RequestRefused(
            403,
            f"this control interface answers requests to 127.0.0.1, [::1] or localhost, not to {host[:SHOWN_CHARS]!r}: "
            "to be reached under other names, it must listen beyond loopback (serve --control HOST:PORT)",
        )


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body. Raises RequestRefused(415) for another type, 400 for what is no object of JSON."""
    sent = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if sent != "application/json":
        raise RequestRefused(
            415,
            f"expected Content-Type: application/json, got {sent[:SHOWN_CHARS] or 'none'} "
            "(curl sends it with -H 'Content-Type: application/json')",
        )
    try:
        raw = body_bytes(request.body)
        text = raw.decode(json.detect_encoding(raw))
        check_levels(text)
        document = json.loads(text, parse_constant=_no_number, parse_int=_whole_number)
    except ValueError as wrong:
        raise RequestRefused(400, f"the body cannot be read as JSON: {why_no_json(wrong)[:SHOWN_CHARS]}") from None
    if not isinstance(document, dict):
        raise RequestRefused(400, 'expected an object of JSON, such as {"fault": "outage", "for": "10s"}')
    return document


def query_of(request: HttpRequest, readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    """The query's parameters, each read by its reader, which raises ValueError. Raises RequestRefused(400)."""
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError as wrong:
        too_many = f"expected at most {MAX_PARAMETERS} parameters"
        why = too_many if str(wrong).startswith("Max number of fields") else str(wrong)[:SHOWN_CHARS]
        raise RequestRefused(400, f"the query cannot be read: {why}") from None
    found: dict[str, Any] = {}
    for name, text in pairs:
        if name not in readers:
            expected = f"expected one of {', '.join(readers)}" if readers else "nothing can be asked for here"
            raise mistake(name[:SHOWN_CHARS], expected, text, nearest(name, readers))
        if name in found:
            raise mistake(name, "expected it once", text)
        try:
            found[name] = readers[name](text)
        except WrongWord as wrong:
            raise mistake(name, str(wrong), text, wrong.near) from None
        except ValueError as wrong:
            raise mistake(name, str(wrong), text) from None
    return found


def nearest(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    return next(iter(get_close_matches(word, list(known), n=1)), "")


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 19 and least <= int(text) <= most):
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(text)

    return read


def word_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise WrongWord(f"expected one of {', '.join(known)}", nearest(text, known))
        return text

    return read


def yes_or_no(text: str) -> bool:
    return word_of("true", "false")(text) == "true"


def glob(text: str) -> str:
    if not text:
        raise ValueError("expected a device's id, or a glob such as HB-*")
    return text


def check_levels(text: str) -> None:
    """Raises ValueError for JSON that is nested too deep, before anything is made of it."""
    level = 0
    for found in BRACKETS.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if level > MAX_LEVELS:
            raise ValueError(f"it is nested deeper than {MAX_LEVELS} levels")


def _whole_number(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits is too long")
    return int(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
