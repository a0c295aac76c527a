"""A query tree against records, over a table of fields: targets, types, tags, filters, sets and actions alike."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from reference_server.platforms.hawkbit.errors import rsql_field, rsql_syntax
from reference_server.platforms.hawkbit.rsql import Comparison, Logical, Node, Operator, parse

Match = Callable[[Any, Any], bool]
"""`match(record, look)`; `look` is whatever the getters of the table need besides the record."""

NEGATED: Final = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.OUT: Operator.IN,
}
ORDER: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = {
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}


class Holds(Enum):
    """What a field holds, which decides how it compares."""

    TEXT = auto()
    NUMBER = auto()
    CHOICE = auto()  # one of fixed words
    PRESENCE = auto()  # true or false, asked for with == and != only


@dataclass(frozen=True, slots=True)
class Field:
    """`get(record, look)` gives the value, None for null; `many` a collection of values; `by_key` a mapping."""

    get: Callable[[Any, Any], Any]
    holds: Holds = Holds.TEXT
    many: bool = False
    by_key: bool = False
    choices: tuple[str, ...] = ()


class Fields:
    """A table of fields by name in lower case. One table per kind of record, made once."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = {name.lower(): field for name, field in fields.items()}

    def find(self, selector: str) -> tuple[Field, str]:
        """(field, key into it). Raises 400 rsqlInvalidField with the nearest names."""
        head, _, key = selector.partition(".")
        field = self.fields.get(head)
        if field is not None and field.by_key:
            if not key:
                raise rsql_field(f"field {selector!r} needs a key: {head}.<key>")
            return field, key
        field = self.fields.get(selector)
        if field is None:
            near = get_close_matches(selector, self.fields, n=1)
            hint = f"; near: {near[0]}" if near else ""
            raise rsql_field(f"no field {selector[:100]!r} to search: there is {', '.join(self.fields)}{hint}")
        return field, ""


@lru_cache(maxsize=512)
def compiled(query: str, fields: Fields, *, in_memory: bool = False) -> Match:
    """A query as a function. `in_memory`: as the server matches polling overrides, without its database.

    Then a key must be written in lower case to match and a fixed word never does (`EntityMatcher.java`).
    Raises 400 rsqlParamSyntax or rsqlInvalidField.
    """
    try:
        return _compile(parse(query), fields, in_memory)
    except RecursionError:
        raise rsql_syntax("the query is nested too deeply") from None


def _compile(node: Node, fields: Fields, in_memory: bool) -> Match:
    if isinstance(node, Logical):
        parts = [_compile(child, fields, in_memory) for child in node.children]
        joined = all if node.is_and else any
        return lambda record, look: joined(part(record, look) for part in parts)
    field, key = fields.find(node.selector)
    if field.by_key:
        return _match_key(field, key, node, in_memory)
    if field.holds is Holds.PRESENCE:
        return _match_presence(field, node)
    if field.holds is Holds.CHOICE and in_memory:
        return lambda record, look: False
    negated = node.operator in NEGATED
    positive = Comparison(node.selector, NEGATED.get(node.operator, node.operator), node.values)
    test = _test(field, positive)
    if field.many:
        return lambda record, look: negated != any(test(value) for value in field.get(record, look))
    return lambda record, look: negated != test(field.get(record, look))


def _match_key(field: Field, key: str, node: Comparison, in_memory: bool) -> Match:
    """A value under a key. Negated comparisons ask for the key to be there; null stands for a key that is not."""
    negated = node.operator in NEGATED
    if node.values == (None,):
        if node.operator not in {Operator.EQUAL, Operator.NOT_EQUAL}:
            raise rsql_syntax(f"{node.selector}: null compares only with =is= and =not=")
        return lambda record, look: negated == (_under(field.get(record, look), key, in_memory) is not None)
    test = _test(field, Comparison(node.selector, NEGATED.get(node.operator, node.operator), node.values))

    def match(record: Any, look: Any) -> bool:
        value = _under(field.get(record, look), key, in_memory)
        return value is not None and negated != test(value)

    return match


def _under(values: Mapping[str, str], key: str, in_memory: bool) -> str | None:
    if in_memory:
        return values.get(key)
    return next((value for name, value in values.items() if name.lower() == key), None)


def _match_presence(field: Field, node: Comparison) -> Match:
    wanted = node.values[0]
    if node.operator not in {Operator.EQUAL, Operator.NOT_EQUAL} or wanted not in {"true", "false"}:
        raise rsql_syntax(f"{node.selector} is asked for with ==true or ==false")
    expected = (wanted == "true") == (node.operator is Operator.EQUAL)
    return lambda record, look: bool(field.get(record, look)) == expected


def _test(field: Field, node: Comparison) -> Callable[[Any], bool]:
    """One value against a positive comparison; null is equal to null only and comes before nothing."""
    match field.holds:
        case Holds.NUMBER:
            return _test_number(node)
        case Holds.CHOICE:
            return _test_choice(field.choices, node)
        case _:
            return _test_text(node)


def _test_text(node: Comparison) -> Callable[[Any], bool]:
    first = node.values[0]
    if (compare := ORDER.get(node.operator)) is not None:
        if first is None:
            raise rsql_syntax(f"{node.selector}: null has no order")
        return lambda value: value is not None and compare(str(value).lower(), first)
    if node.operator is Operator.IN:
        return lambda value: value is not None and str(value).lower() in node.values
    if first is None or first == "":
        return lambda value: value is None or (first == "" and value == "")
    if "*" in first.replace("\\*", ""):
        pattern = re.compile(_wildcards(first), re.DOTALL)
        return lambda value: value is not None and pattern.fullmatch(str(value).lower()) is not None
    return lambda value: value is not None and str(value).lower() == first


def _wildcards(text: str) -> str:
    r"""`*` stands for any text, `\*` for itself."""
    return ".*".join(re.escape(part.replace("\0", "*")) for part in text.replace("\\*", "\0").split("*"))


def _test_number(node: Comparison) -> Callable[[Any], bool]:
    if node.values == ("*",) and node.operator is Operator.EQUAL:
        return lambda value: value is not None
    numbers = [_number(node, value) for value in node.values]
    if (compare := ORDER.get(node.operator)) is not None:
        return lambda value: value is not None and compare(value, numbers[0])
    return lambda value: value in numbers


def _number(node: Comparison, value: str | None) -> int | None:
    if value is None and node.operator is Operator.EQUAL:
        return None
    try:
        return int(value or "")
    except ValueError:
        raise rsql_syntax(f"{node.selector} is a number, got {value!r}") from None


def _test_choice(choices: Collection[str], node: Comparison) -> Callable[[Any], bool]:
    for value in node.values:
        if value is not None and value not in choices:
            raise rsql_field(f"{node.selector} is one of {', '.join(choices)}, got {value[:50]!r}")
    if node.operator in ORDER:
        raise rsql_syntax(f"{node.selector} has no order: compare with == or !=")
    return lambda value: value in node.values
