"""Lists in pages: `pageSize`, `page`, `textSearch`, `sortProperty`, `sortOrder` of every list of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.http.java_numbers import INT_MAX, java_int


def page_of(call: Call, documents: Iterable[dict[str, Any]], searched: str = "name") -> dict[str, Any]:
    """The page that the query asks for. Raises 400 for one that is none."""
    size, number = _number(call, "pageSize"), _number(call, "page")
    if size < 1:
        raise invalid(f"Incorrect page link page size '{size}'. Page size must be greater than zero.")
    if number < 0:
        raise invalid(f"Incorrect page link page '{number}'. Page must be positive integer.")
    wanted = call.query.get("textSearch", "").lower()
    found = [document for document in documents if wanted in str(document.get(searched) or "").lower()]
    found = _sorted(call, found)
    return {
        "data": found[size * number : size * (number + 1)],
        "totalPages": -(-len(found) // size),
        "totalElements": len(found),
        "hasNext": len(found) > size * (number + 1),
    }


def _sorted(call: Call, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by = call.query.get("sortProperty", "")
    if not by:
        return documents
    if any(by not in document for document in documents):
        raise invalid(f"Unsupported sort property '{by}'!")
    downwards = call.query.get("sortOrder", "ASC").upper() == "DESC"
    return sorted(documents, key=_key(by), reverse=downwards)


def _key(by: str) -> Callable[[dict[str, Any]], tuple[bool, float, str]]:
    def key(document: dict[str, Any]) -> tuple[bool, float, str]:
        value = document[by]
        return (value is None, value, "") if isinstance(value, int) else (value is None, 0, str(value))

    return key


def _number(call: Call, name: str) -> int:
    return java_int(call.needed(name, "int"), most=INT_MAX)
