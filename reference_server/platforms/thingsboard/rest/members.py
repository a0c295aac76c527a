"""Reading the members of an operator's document with the coercions of the real server's JSON reader (Jackson)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal
from fleetrig.reference_server.platforms.thingsboard.http.java_numbers import is_long, java_int

W = TypeVar("W", bound=StrEnum)


def text(body: Mapping[str, Any], name: str) -> str | None:
    """Numbers and booleans become text. Raises 400 for an object or an array."""
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
    """A text that is a number is one too, a fraction is cut off. Raises 400."""
    match body.get(name):
        case None:
            return None
        case int() as value if not isinstance(value, bool) and is_long(value):
            return value
        case float() as value if is_long(int(value)):
            return int(value)
        case str() as value:
            return java_int(value.strip())
        case _:
            raise unreadable(f"{name}: expected a whole number")


def flag(body: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    value = body.get(name, default)
    if value is None or isinstance(value, bool):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise unreadable(f"{name}: expected true or false")


def word(body: Mapping[str, Any], name: str, words: type[W]) -> W | None:
    """One of an enumeration's words. Raises 400."""
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
    return HttpRefusal(400, "JSON parse error", reason=reason)
