"""Members of a document by their types, with what Jackson makes of values of another type.

A number or a word may stand for a boolean, a word or a fraction for a whole number, any scalar for a text. Each raises
Unreadable; null is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from fleetrig.reference_server.platforms.hono.names.java_base64 import decoded_base64

T = TypeVar("T")

INT_BITS: Final = 31
LONG_BITS: Final = 63
WHOLE: Final = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
BLANKS: Final = "".join(map(chr, range(33)))
"""What Java trims: a blank and all that comes before it."""
BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
PEM: Final = "-----BEGIN"
SHOWN: Final = 60


class Unreadable(ValueError):
    """A document that is not what it should be. It says which member, what was expected and what came."""


def members_of(value: Any, known: Sequence[str], where: str, *, refuses_unknown: bool = True) -> dict[str, Any]:
    """An object with known members only."""
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    unknown = [name for name in value if name not in known]
    if not unknown:
        return value
    if not refuses_unknown:
        return {name: one for name, one in value.items() if name in known}
    near = get_close_matches(unknown[0], known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(known)}"
    raise Unreadable(f"{where} has no member {unknown[0][:SHOWN]!r}{hint}")


def boolean(value: Any, where: str) -> bool | None:
    match value:
        case None | bool():
            return value
        case int():
            return value != 0
        case str() if _trimmed(value) in BOOLEANS:
            return BOOLEANS[_trimmed(value)]
        case str() if _trimmed(value) in ("", "null"):
            return None
    raise wrong(where, "true or false", value)


def flag(value: Any, where: str) -> bool:
    """A boolean that is false for null."""
    return bool(boolean(value, where))


def whole(value: Any, where: str, *, bits: int = INT_BITS) -> int | None:
    match value:
        case None:
            return None
        case bool():
            raise wrong(where, "a whole number", value)
        case int():
            number = value
        case float():
            number = int(value)
        case str() if WHOLE.fullmatch(_trimmed(value)):
            number = int(_trimmed(value))
        case str() if _trimmed(value) in ("", "null"):
            return None
        case _:
            raise wrong(where, "a whole number", value)
    if not -(1 << bits) <= number < 1 << bits:
        raise wrong(where, f"a number of {bits + 1} bits", value)
    return number


def at_least(least: int, value: Any, where: str, *, bits: int = INT_BITS) -> int:
    """A whole number that is 0 for null, and not less."""
    number = whole(value, where, bits=bits) or 0
    if number < least:
        raise Unreadable(f"{where}: expected {least} or more, got {number}")
    return number


def text(value: Any, where: str) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    raise wrong(where, "a text", value)


def needed_text(value: Any, where: str) -> str:
    found = text(value, where)
    if found is None:
        raise Unreadable(f"{where} is missing")
    return found


def word(value: Any, known: Sequence[str], where: str) -> str | None:
    """One of several words, in any case; or its number, from 0 on, which may be a text."""
    if value is None:
        return None
    if isinstance(value, str):
        value = _trimmed(value)
        value = int(value) if DIGITS.fullmatch(value) else value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(known):
        return known[value]
    found = next((one for one in known if isinstance(value, str) and one.lower() == value.lower()), None)
    if found is None:
        raise wrong(where, " or ".join(known), value)
    return found


def mapping(value: Any, where: str) -> dict[str, Any]:
    """An object with any members; empty for null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(where, "an object", value)
    return value


def array(value: Any, read: Callable[[Any, str], T], where: str, *, takes_single: bool = False) -> list[T]:
    """Empty for null. `takes_single`: a text alone is read as an array of one."""
    if value is None:
        return []
    if takes_single and not isinstance(value, list | dict):
        value = [value]
    if not isinstance(value, list):
        raise wrong(where, "an array", value)
    return [read(one, f"{where}[{at}]") for at, one in enumerate(value)]


def binary(value: Any, where: str) -> bytes | None:
    """Base64 of bytes."""
    found = text(value, where)
    if found is None:
        return None
    try:
        return decoded_base64(found)
    except ValueError:
        raise Unreadable(f"{where}: {_why_no_base64(found)}") from None


def wrong(where: str, expected: str, got: Any) -> Unreadable:
    shown = "an object" if isinstance(got, dict) else "an array" if isinstance(got, list) else repr(got)[:SHOWN]
    return Unreadable(f"{where}: expected {expected}, got {shown}")


def _trimmed(found: str) -> str:
    return found.strip(BLANKS)


def _why_no_base64(found: str) -> str:
    if found.lstrip().startswith(PEM):
        return "expected Base64 of DER, got PEM: leave the lines -----BEGIN and -----END and all line breaks out"
    if any(letter in found for letter in "\r\n\t "):
        return "Base64 may have no blanks and line breaks here: `base64 -w0` writes none"
    if any(letter in found for letter in "-_"):
        return "expected Base64 with + and /, got the kind for URLs, with - and _"
    return "no Base64"


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without members that GET leaves out: null, and empty objects and arrays."""
    return {name: value for name, value in document.items() if value is not None and value not in ({}, [])}
