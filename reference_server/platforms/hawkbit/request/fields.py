"""Reading the fields of a request body with the coercions of the real server's JSON reader (§1.3, S76, S125).

Numbers and booleans become text where text is expected, text becomes a number where it is one; a single value counts as
an array of one. Everything else that does not fit is not readable (400).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.call import LONG_MAX, parse_integer
from fleetrig.reference_server.platforms.hawkbit.request.request_documents import WrittenFloat
from fleetrig.reference_server.platforms.hawkbit.state.errors import crash, not_readable

PLACE: Final = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)


def as_object(document: Any, what: str = "the body") -> dict[str, Any]:
    if not isinstance(document, dict):
        raise not_readable(f"{what}: expected an object, got {type(document).__name__}")
    return document


def as_list(document: Any) -> list[Any]:
    """An array, or one value as an array of one."""
    return document if isinstance(document, list) else [document]


def as_objects(document: Any) -> list[dict[str, Any]]:
    return [as_object(item, f"element {number}") for number, item in enumerate(as_list(document))]


def as_new_objects(document: Any) -> list[dict[str, Any]]:
    """The objects of a creation. A null between them gets past the real server's reader and breaks it later (500)."""
    if not isinstance(document, list) or None not in document:
        return as_objects(document)
    as_objects([item for item in document if item is not None])
    raise crash("null in an array of objects")


def as_texts_or_null(document: Any, what: str) -> list[str | None]:
    return [as_text(item, what) for item in as_list(document)]


def as_text(value: Any, what: str) -> str | None:
    """Text as written: `1e3` stays `1e3`, true becomes `true`."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case WrittenFloat():
            return value.text
        case int() | float():
            return str(value)
        case _:
            raise not_readable(f"{what}: expected a string, got {type(value).__name__}")


def text(body: dict[str, Any], name: str) -> str | None:
    return as_text(body.get(name), name)


def integer(body: dict[str, Any], name: str) -> int | None:
    """A whole number; a fraction is cut off, text that is a number counts, empty text is null."""
    match body.get(name):
        case bool() as value:
            raise not_readable(f"{name}: expected a number, got {value}")
        case int() as value if -LONG_MAX - 1 <= value <= LONG_MAX:
            return value
        case float() as value if -LONG_MAX <= value <= LONG_MAX:
            return int(value)
        case str() as value:
            return parse_integer(value.strip(), LONG_MAX, name) if value.strip() else None
        case None:
            return None
        case value:
            raise not_readable(f"{name}: expected a number, got {str(value)[:50]}")


def boolean(body: dict[str, Any], name: str) -> bool | None:
    match body.get(name):
        case None | bool() as value:
            return value
        case int() as value:
            return value != 0
        case str() as value if value.strip().lower() in {"true", "false", ""}:
            return None if not value.strip() else value.strip().lower() == "true"
        case value:
            raise not_readable(f"{name}: expected true or false, got {str(value)[:50]}")


def word(value: Any, words: Sequence[str], what: str) -> str | None:
    """One of an enumeration's words; a whole number means the word at that place."""
    given = as_text(value, what) if not isinstance(value, float) else None
    if given is None and value is None:
        return None
    given = None if given is None else given.strip()
    if given in words:
        return given
    if given is not None and PLACE.fullmatch(given) and int(given) < len(words):
        return words[int(given)]
    raise not_readable(f"{what}: expected one of {', '.join(words)}, got {str(value)[:50]!r}")
