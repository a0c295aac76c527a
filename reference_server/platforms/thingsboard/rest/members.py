"""Reading the members of an operator's document with the coercions of the real server's JSON reader (Jackson)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, crash
from fleetrig.reference_server.platforms.thingsboard.http.java_numbers import is_long, java_int

W = TypeVar("W", bound=StrEnum)

DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
FLAG_WORDS: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    "": None,
}


def text(body: Mapping[str, Any], name: str) -> str | None:
    """Numbers and booleans become text. Raises 500 for an object or an array."""
    match body.get(name):
        case None | str() as value:
            return value
        case bool() as value:
            return "true" if value else "false"
        case int() | float() as value:
            return str(value)
        case _:
            raise unreadable(f"{name}: expected a text")


def whole_number(body: Mapping[str, Any], name: str) -> int | None:
    """A text that is a number is one too, a fraction is cut off. Raises 500."""
    match body.get(name):
        case None:
            return None
        case int() as value if not isinstance(value, bool) and is_long(value):
            return value
        case float() as value if is_long(int(value)):
            return int(value)
        case str() as value if DECIMAL.fullmatch(value.strip()):
            return java_int(value)
        case _:
            raise unreadable(f"{name}: expected a whole number")


def flag(body: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """Where null is false. Raises 500."""
    return bool(maybe_flag(body, name)) if name in body else default


def maybe_flag(body: Mapping[str, Any], name: str) -> bool | None:
    """A whole number is one too, 0 is false; an empty text is null. Raises 500."""
    match body.get(name):
        case None | bool() as value:
            return value
        case int() as value:
            return value != 0
        case str() as value if value.strip() in FLAG_WORDS:
            return FLAG_WORDS[value.strip()]
        case _:
            raise unreadable(f"{name}: expected true or false")


def word(body: Mapping[str, Any], name: str, words: type[W]) -> W | None:
    """One of an enumeration's words. Raises 500."""
    value = body.get(name)
    if value is None:
        return None
    try:
        return words(value)
    except ValueError:
        raise unreadable(f"{name}: expected one of {', '.join(words)}") from None


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = body.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise unreadable(f"{name}: expected an object")


def unreadable(reason: str) -> HttpRefusal:
    """The document cannot be read as what it has to be."""
    return crash("JSON parse error", reason=reason)
