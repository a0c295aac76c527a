"""Members of documents by their types. Each raises Refused with the member's name; null and what is absent are None.

Unknown members are ignored, as Kapua does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.state.errors import Refused, illegal, missing_argument
from fleetrig.simulator.contract.clock import US_PER_MS

MOST_CHARS: Final = 65_536
"""Of any text but contents."""
LONG_BITS: Final = 63
LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""
NUMBER: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
SHOWN: Final = 60


def text(document: Mapping[str, Any], name: str, most: int = MOST_CHARS) -> str | None:
    """A text, or a number or truth value in its place."""
    value = document.get(name)
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)[:SHOWN]
        case str():
            return _checked_text(value, name, most)
    raise wrong(name, "a text", value)


def needed_text(document: Mapping[str, Any], name: str, most: int = MOST_CHARS) -> str:
    found = text(document, name, most)
    if found is None:
        raise missing_argument(name)
    return found


def flag(document: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """True or false, also as a word."""
    value = document.get(name)
    match value:
        case None:
            return default
        case bool():
            return value
        case str() if value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
    raise wrong(name, "true or false", value)


def needed_flag(document: Mapping[str, Any], name: str) -> bool:
    if document.get(name) is None:
        raise missing_argument(name)
    return flag(document, name)


def whole(document: Mapping[str, Any], name: str) -> int | None:
    """A whole number, also as a text."""
    value = document.get(name)
    match value:
        case None:
            return None
        case bool():
            raise wrong(name, "a whole number", value)
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str() if NUMBER.fullmatch(value.strip()):
            number = int(value)
        case _:
            raise wrong(name, "a whole number", value)
    if not -(1 << LONG_BITS) <= number < 1 << LONG_BITS:
        raise wrong(name, "a number of 64 bits", value)
    return number


def needed_whole(document: Mapping[str, Any], name: str) -> int:
    found = whole(document, name)
    if found is None:
        raise missing_argument(name)
    return found


def date_us(document: Mapping[str, Any], name: str) -> int | None:
    """A time: ISO 8601 with its zone, or ms since the epoch."""
    value = document.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()) is None:
        number = _iso_ms(value, name)
    else:
        number = whole(document, name) or 0
    if not 0 <= number <= LAST_MS:
        raise wrong(name, "a time from 1970 to 9999", value)
    return number * US_PER_MS


def word(document: Mapping[str, Any], name: str, known: Sequence[str]) -> str | None:
    """One of several words."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or value not in known:
        raise wrong(name, " or ".join(known), value)
    return value


def objects(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """An array of objects; empty for null."""
    value = document.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise wrong(name, "an array of objects", value)
    return value


def texts(document: Mapping[str, Any], name: str, most: int = MOST_CHARS) -> tuple[str, ...]:
    """An array of texts; empty for null."""
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise wrong(name, "an array of texts", value)
    return tuple(_checked_text(one, name, most) for one in value)


def inner(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; empty for null."""
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(name, "an object", value)
    return value


def wrong(name: str, expected: str, got: Any) -> Refused:
    """400: a member is of another kind."""
    shown = "an object" if isinstance(got, dict) else "an array" if isinstance(got, list) else repr(got)[:SHOWN]
    return illegal(name, shown, f"expected {expected}, got {shown}")


def _checked_text(value: str, name: str, most: int) -> str:
    if len(value) > most:
        raise illegal(name, f"{value[:SHOWN]}…", f"at most {most:,} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise illegal(name, "…", "half a character (a lone surrogate) is no text") from None
    return value


def _iso_ms(value: str, name: str) -> int:
    try:
        found = datetime.fromisoformat(value.strip())
        aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise wrong(name, "a time as 2026-01-31T12:00:00.000Z", value) from None
