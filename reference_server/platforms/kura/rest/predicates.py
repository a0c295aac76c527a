"""Conditions of a `_query`: attributes with their values, joined by and, or.

Kapua's own forms are many; these are read, and others are refused: `attributePredicate` with `EQUAL`, `NOT_EQUAL`,
`LIKE`, `STARTS_WITH`, `IS_NULL`, `NOT_NULL`, and `andPredicate`, `orPredicate` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.rest.forms import inner, needed_text, objects, text, wrong
from fleetrig.reference_server.platforms.kura.state.errors import Refused, illegal

Predicate = Callable[[Mapping[str, Any]], bool]
MOST_NESTED: Final = 20
OPERATORS: Final[Mapping[str, Callable[[Any, str], bool]]] = {
    "EQUAL": lambda found, wanted: _text(found) == wanted,
    "NOT_EQUAL": lambda found, wanted: _text(found) != wanted,
    "LIKE": lambda found, wanted: wanted in (_text(found) or ""),
    "STARTS_WITH": lambda found, wanted: (_text(found) or "").startswith(wanted),
    "IS_NULL": lambda found, wanted: found is None,
    "NOT_NULL": lambda found, wanted: found is not None,
}


def predicate_of(document: Mapping[str, Any]) -> Predicate | None:
    """The condition of a query; None for a query without one. Raises Refused."""
    asked = inner(document, "predicate")
    return _read(asked, 0) if asked else None


def _read(asked: Mapping[str, Any], depth: int) -> Predicate:
    if depth > MOST_NESTED:
        raise illegal("predicate", "…", f"nested deeper than {MOST_NESTED} times")
    match asked.get("type"):
        case "andPredicate":
            parts = [_read(one, depth + 1) for one in objects(asked, "predicates")]
            return lambda shown: all(part(shown) for part in parts)
        case "orPredicate":
            parts = [_read(one, depth + 1) for one in objects(asked, "predicates")]
            return lambda shown: any(part(shown) for part in parts)
        case "attributePredicate" | None:
            return _of_attribute(asked)
    raise _unknown(asked)


def _of_attribute(asked: Mapping[str, Any]) -> Predicate:
    name = needed_text(asked, "attributeName")
    word = text(asked, "operator") or "EQUAL"
    operator = OPERATORS.get(word)
    if operator is None:
        raise wrong("operator", " or ".join(OPERATORS), word)
    wanted = text(asked, "attributeValue") or ""
    return lambda shown: operator(shown.get(name), wanted)


def _unknown(asked: Mapping[str, Any]) -> Refused:
    return wrong("predicate.type", "attributePredicate, andPredicate or orPredicate", asked.get("type"))


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
    return str(value)
