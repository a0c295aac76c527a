"""What the words of a fault may hold: each reader returns the value, or raises ValueError with what was expected.

`fault_json` reads faults with them, and so does a scenario file, so that both take the same. Whatever they let through
can be performed on every answer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, TypeVar

from fleetrig.simulator.contract.bounds import (
    BYTES_PER_S,
    COUNT,
    FAULT_BODY_CHARS,
    FAULT_HEADERS,
    FAULT_LEVELS,
    FAULT_TEXT_CHARS,
    FAULT_VALUES,
    LEAST_BYTES_PER_S,
    LEAST_REQUESTS_PER_S,
    REQUESTS_PER_S,
)
from fleetrig.simulator.contract.json_types import Json

E = TypeVar("E", bound=StrEnum)

LEAST_STATUS, MOST_STATUS = 200, 599
"""Below is no answer yet: a client would wait for the one that never comes."""
MOST_CODE: Final = 255
MOST_COPIES: Final = 5
"""A confirmable message of CoAP is sent once and repeated four times (RFC 7252 §4.8)."""
BEGINNING_OF_A_PATH: Final = re.compile(r"(?:/[\w.~-]+)+", re.ASCII)
HEADER_NAME: Final = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
"""RFC 9110 §5.6.2."""
HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
"""What can be sent as it is given: no line breaks, nothing beyond Latin-1 (RFC 9110 §5.5)."""
LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class WrongWord(ValueError):
    """A word that is none of several; `near` is the nearest right one."""

    def __init__(self, expected: str, near: str) -> None:
        super().__init__(expected)
        self.near = near


def nearest(word: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(word[: FAULT_TEXT_CHARS.most], list(known), n=1)), "")


def one_of(words: Iterable[E]) -> Callable[[Any], E]:
    known = {str(word): word for word in words}

    def read(value: Any) -> E:
        if isinstance(value, str) and value in known:
            return known[value]
        raise WrongWord(f"expected one of {', '.join(known)}", nearest(value, known) if isinstance(value, str) else "")

    return read


def number(is_right: Callable[[float], bool], expected: str, *, is_whole: bool = False) -> Callable[[Any], Any]:
    """A number that is right; a whole one of any length is compared as it is, never made a fraction."""
    kinds = (int,) if is_whole else (int, float)

    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, kinds) or not is_right(value):
            raise ValueError(f"expected {expected}")
        return value

    return read


def text(least_chars: int, most_chars: int, expected: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) < least_chars:
            raise ValueError(f"expected {expected}")
        if len(value) > most_chars:
            raise ValueError(f"expected {expected} of at most {most_chars:,} characters")
        check_characters(value)
        return value

    return read


def check_characters(text: str) -> None:
    """Raises ValueError for text that no encoding can carry."""
    if LONE_SURROGATE.search(text):
        raise ValueError("expected text without lone surrogates (U+D800 to U+DFFF), which cannot be sent")


hits = text(1, FAULT_TEXT_CHARS.most, "a glob over a line such as POST */feedback or CONNECT gw-*")
share = number(lambda share: 0 < share <= 1, "a number above 0 and up to 1")
times = number(lambda times: 1 <= times <= COUNT.most, f"a whole number of at least 1 and {COUNT}", is_whole=True)
status = number(
    lambda status: LEAST_STATUS <= status <= MOST_STATUS, "a final HTTP status, from 200 to 599", is_whole=True
)
code = number(lambda code: 1 <= code <= MOST_CODE, "a return or reason code from 1 to 255", is_whole=True)
copies = number(lambda copies: 1 <= copies <= MOST_COPIES, f"a whole number from 1 to {MOST_COPIES}", is_whole=True)
bytes_per_s = number(
    lambda rate: LEAST_BYTES_PER_S <= rate <= BYTES_PER_S.most,
    f"a number of bytes a second, above 0: at least {LEAST_BYTES_PER_S} and {BYTES_PER_S}",
)
requests_per_s = number(
    lambda rate: LEAST_REQUESTS_PER_S <= rate <= REQUESTS_PER_S.most,
    f"a number of requests a second, above 0: at least {LEAST_REQUESTS_PER_S} and {REQUESTS_PER_S}",
)


def why_never_shed(waiting_s: float | None, sheds_after_s: float | None) -> str:
    """What is wrong with a capacity that turns away all whom it would shed; empty when nothing is."""
    if waiting_s is None or sheds_after_s is None or sheds_after_s < waiting_s:
        return ""
    return "nobody is left to be shed, since who would wait longer than waiting is turned away: expected less than that"


body = text(0, FAULT_BODY_CHARS.most, "a text")
topic = text(1, FAULT_TEXT_CHARS.most, "a topic such as v1/devices/me/telemetry")
"""In place of the topic of a PUBLISH."""


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def below(value: Any) -> str:
    if not isinstance(value, str) or len(value) > FAULT_TEXT_CHARS.most or not BEGINNING_OF_A_PATH.fullmatch(value):
        raise ValueError(f"expected the beginning of a path, such as /elsewhere, {FAULT_TEXT_CHARS}")
    if {".", ".."} & set(value.split("/")):
        raise ValueError("expected the beginning of a path without . and .., which clients take away")
    return value


def headers(value: Any) -> Mapping[str, str | None]:
    """Names, and the value of each; null takes the header away."""
    if not isinstance(value, Mapping) or not value or not all(isinstance(one, str | None) for one in value.values()):
        raise ValueError("expected names of headers, and a text or null for each")
    FAULT_HEADERS.check(len(value))
    for name, given in value.items():
        check_header_name(name)
        if given is not None and (len(given) > FAULT_TEXT_CHARS.most or not HEADER_VALUE.fullmatch(given)):
            raise ValueError(f"expected a value of {name} on one line, of Latin-1 characters, {FAULT_TEXT_CHARS}")
    return value


def unseen(value: Any) -> list[str] | tuple[str, ...]:
    """Names of headers."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) and name for name in value):
        raise ValueError("expected a list of names of headers")
    FAULT_HEADERS.check(len(value))
    for name in value:
        check_header_name(name)
    return value


def check_header_name(name: str) -> None:
    """Raises ValueError for what is no name of a header."""
    if len(name) > FAULT_TEXT_CHARS.most or not HEADER_NAME.fullmatch(name):
        raise ValueError(f"expected names of headers (letters, digits and -), not {name[:40]!r}")


def set_values(value: Any) -> Mapping[str, Json]:
    """Dotted paths into a JSON body, and the value of each; null takes the member away."""
    if not isinstance(value, Mapping) or not value or not all(isinstance(path, str) and path for path in value):
        raise ValueError("expected dotted paths into the body, and a value for each")
    for path in value:
        if path.count(".") >= FAULT_LEVELS.most:
            raise ValueError(f"expected paths of {FAULT_LEVELS}")
    if (found := _count(value, FAULT_LEVELS.most)) > FAULT_VALUES.most:
        raise ValueError(f"expected {FAULT_VALUES}, not {found:,}")
    if len(json.dumps(value)) > FAULT_BODY_CHARS.most:
        raise ValueError(f"expected values of {FAULT_BODY_CHARS} together")
    return value


def _count(value: Any, levels: int) -> int:
    """How many values there are in it. Raises ValueError for what JSON cannot hold, and for more levels."""
    if levels < 0:
        raise ValueError(f"expected values of {FAULT_LEVELS}")
    match value:
        case Mapping():
            return 1 + sum(_count(item, levels - 1) for item in value.values())
        case list() | tuple():
            return 1 + sum(_count(item, levels - 1) for item in value)
        case float() if not math.isfinite(value):
            raise ValueError("expected finite numbers, which is all that JSON has")
        case str():
            check_characters(value)
            return 1
        case None | bool() | int() | float():
            return 1
        case _:
            raise ValueError("expected values of JSON")
