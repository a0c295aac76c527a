"""Searches over tenants and devices: filters, order, pages (spec 1.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final, Generic, TypeVar

from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.json_body import NoJson, read_json
from fleetrig.reference_server.platforms.hono.management.members import Unreadable, members_of, needed_text, word
from fleetrig.reference_server.platforms.hono.management.parameters import check_page_size, page_offset, page_size
from fleetrig.reference_server.platforms.hono.state.errors import Refused

Document = dict[str, Any]
T = TypeVar("T")

OPERATORS: Final = ("eq", "in", "not_in")
DIRECTIONS: Final = ("asc", "desc")
POINTER: Final = re.compile(r"(?:/(?:[^/~]|~[01])*)*")
NO_TEXT: Final = "Error Code: 404"
TYPE_ORDER: Final = {int: 1, float: 1, str: 2, dict: 3, list: 4, bool: 5}
"""How values of different types are ordered; what is not there comes first."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`path`: the names of members from the document down."""

    path: tuple[str, ...]
    operator: str
    value: Any

    def matches(self, document: Document) -> bool:
        if self.operator != "eq":  # a list of values is for the server's own use; what is no list matches all
            if not isinstance(self.value, list):
                return True
            return (value_at(document, self.path) in self.value) is (self.operator == "in")
        found = value_at(document, self.path)
        values = found if isinstance(found, list) and not isinstance(self.value, list) else [found]
        return any(_is_equal(one, self.value) for one in values)


@dataclass(frozen=True, slots=True)
class Sort:
    path: tuple[str, ...]
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Search(Generic[T]):
    """Over what, in the order of ids: how each is seen by filters, with its `id`, and how it is shown."""

    found: Callable[[], Iterable[T]]
    searched: Callable[[T], Document]
    shown: Callable[[T], Document]
    no_match: str
    count: Callable[[], int]
    """How many `found` gives, where that is no list: then nobody looks at those before and after the page."""
    page: Callable[[int, int], list[T]]
    """(offset, limit) -> the same as of `found`, for the cost of the page."""


def found_page(call: Call, search: Search[T]) -> Document:
    """The page that the query asks for. Raises Refused, 404 for nothing."""
    size, offset, filters, sorts = page_size(call), page_offset(call), _filters(call), _sorts(call)
    check_page_size(call, size)
    traits = call.registry.traits
    found: Iterable[T] = search.found()
    if traits.matches_filters and (filters or sorts):
        found = _matching(search, list(found), filters, sorts)
    elif filters and wants_gateways(call) is None:
        found = []
    total = len(found) if isinstance(found, list) else search.count()
    begins = offset * size if traits.counts_pages else offset
    page = found[begins : begins + size] if isinstance(found, list) else search.page(begins, size)
    if not total or not (page or traits.counts_pages):
        error = search.no_match if traits.tells_no_match else NO_TEXT
        raise Refused(404, error, "nothing matches the search, which is told as 404")
    return {"total": total, "result": list(map(search.shown, page))}


def _matching(search: Search[T], records: list[T], filters: Sequence[Filter], sorts: Sequence[Sort]) -> list[T]:
    pairs = [(search.searched(one), one) for one in records]
    pairs = [pair for pair in pairs if all(each.matches(pair[0]) for each in filters)]
    for sort in reversed(sorts):
        pairs.sort(key=partial(_order_at, sort.path), reverse=sort.is_descending)
    return [record for _, record in pairs]


def wants_gateways(call: Call) -> bool | None:
    """`isGateway`: everything but true is false, as Java reads it."""
    said = call.parameter("isGateway")
    return said.lower() == "true" if said else None


def value_at(document: Any, path: Sequence[str]) -> Any:
    """None where there is nothing."""
    for name in path:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def _filters(call: Call) -> list[Filter]:
    return [_filter(one) for one in _documents(call, "filterJson", ("field", "op", "value"))]


def _filter(given: Document) -> Filter:
    if given.get("value") is None:
        raise _unreadable("filterJson", "value is missing")
    try:
        operator = word(given.get("op"), OPERATORS, "op") or "eq"
    except Unreadable as unreadable:
        raise _unreadable("filterJson", str(unreadable)) from None
    return Filter(_path(given, "filterJson"), operator, given["value"])


def _sorts(call: Call) -> list[Sort]:
    return [_sort(one) for one in _documents(call, "sortJson", ("field", "direction"))]


def _sort(given: Document) -> Sort:
    try:
        direction = word(given.get("direction"), DIRECTIONS, "direction")
    except Unreadable as unreadable:
        raise _unreadable("sortJson", str(unreadable)) from None
    return Sort(_path(given, "sortJson"), direction != "asc" and "direction" in given)


def _documents(call: Call, name: str, known: Sequence[str]) -> list[Document]:
    try:
        texts = call.query.get(name, ())
        return [members_of(read_json(text.encode("utf-8", "replace")), known, name) for text in texts]
    except (NoJson, Unreadable) as problem:
        raise _unreadable(name, str(problem)) from None


def _path(given: Document, name: str) -> tuple[str, ...]:
    try:
        pointer = needed_text(given.get("field"), "field")
    except Unreadable as unreadable:
        raise _unreadable(name, str(unreadable)) from None
    if POINTER.fullmatch(pointer) is None:
        raise _unreadable(name, f"field: {pointer[:60]!r} is no JSON pointer, which begins with /")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _unreadable(name: str, why: str) -> Refused:
    return Refused(400, f"error parsing json value of parameter [{name}]", f"{name}: {why}")


def _is_equal(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return isinstance(found, str) and _pattern(wanted).fullmatch(found) is not None
    return type(found) is type(wanted) and bool(found == wanted)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    """`*` is any run of letters, `?` one. What is between two stars is taken where it comes first and never tried
    again: that is enough, and many stars take no longer than one."""
    first, *others = [_literal(part) for part in re.split(r"\*+", text)]
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last, re.DOTALL)


def _literal(text: str) -> str:
    return "".join("." if one == "?" else re.escape(one) for one in text)


def _order_at(path: Sequence[str], pair: tuple[Document, Any]) -> tuple[int, Any]:
    value = value_at(pair[0], path)
    if value is None:
        return 0, 0
    return TYPE_ORDER[type(value)], json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
