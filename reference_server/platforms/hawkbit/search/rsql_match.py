"""A query tree against records, over a table of fields: targets, types, tags, filters, sets and actions alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.search.rsql import Comparison, Logical, Node, Operator, parse
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import TRUTHS, Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.search.rsql_values import ORDER, value_test
from fleetrig.reference_server.platforms.hawkbit.state.errors import rsql_syntax

Match = Callable[[Any, Any], bool]
"""`match(record, look)`; `look` is whatever the getters of the table need besides the record."""

NEGATED: Final = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.OUT: Operator.IN,
}


LONG_CHARS: Final = 500
"""A longer query is hundreds of comparisons, which take a megabyte: few of those are remembered."""


def compiled(query: str, fields: Fields, *, in_memory: bool = False) -> Match:
    """A query as a function. `in_memory`: as the server matches polling overrides, without its database.

    Then a key must be written in lower case to match and a fixed word never does (`EntityMatcher.java`).
    Raises 400 rsqlParamSyntax or rsqlInvalidField; not readable where text stands for a number.
    """
    remembered = compiled_short if len(query) <= LONG_CHARS else compiled_long
    return remembered(query, fields, in_memory)


def _compiled(query: str, fields: Fields, in_memory: bool) -> Match:
    try:
        return _compile(parse(query), fields, in_memory)
    except RecursionError:
        raise rsql_syntax("the query is nested too deeply") from None


compiled_short: Final = lru_cache(maxsize=512)(_compiled)
compiled_long: Final = lru_cache(maxsize=32)(_compiled)


def matcher(node: Node, fields: Fields) -> Match:
    """A part of a query as a function."""
    return _compile(node, fields, in_memory=False)


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
    if field.many:
        return _match_many(field, node)
    negated, test = _test(field, node)
    return lambda record, look: negated != test(field.get(record, look))


def _test(field: Field, node: Comparison) -> tuple[bool, Callable[[Any], bool]]:
    """(whether the comparison is a negated one, the test for the positive one)."""
    positive = Comparison(node.selector, NEGATED.get(node.operator, node.operator), node.values)
    return node.operator in NEGATED, value_test(field, positive)


def _match_many(field: Field, node: Comparison) -> Match:
    """A collection of values: one of them must fit, or none when negated.

    Null means that there are none; empty text counts as null too.
    """
    negated, test = _test(field, node)
    if node.values not in {(None,), ("",)} or node.operator in ORDER:
        return lambda record, look: negated != any(test(value) for value in field.get(record, look))
    if not negated:
        return lambda record, look: not (values := field.get(record, look)) or any(test(value) for value in values)
    needs_one = node.values == ("",)
    return lambda record, look: (
        not needs_one or (bool(values := field.get(record, look)) and not any(test(value) for value in values))
    )


def _match_key(field: Field, key: str, node: Comparison, in_memory: bool) -> Match:
    """A value under a key. Negated comparisons ask for the key to be there; null stands for a key that is not."""
    negated, test = _test(field, node) if node.values != (None,) else (node.operator in NEGATED, bool)
    if node.values == (None,):
        return lambda record, look: negated == (_under(field.get(record, look), key, in_memory) is not None)
    missing_fits = node.values == ("",) and node.operator is Operator.EQUAL

    def match(record: Any, look: Any) -> bool:
        value = _under(field.get(record, look), key, in_memory)
        return missing_fits if value is None else negated != test(value)

    return match


def _under(values: Mapping[str, str], key: str, in_memory: bool) -> str | None:
    if in_memory:
        return values.get(key)
    return next((value for name, value in values.items() if name.lower() == key), None)


def _match_presence(field: Field, node: Comparison) -> Match:
    wanted = node.values[0]
    if len(node.values) > 1 or wanted not in TRUTHS or node.operator in {Operator.IN, Operator.OUT}:
        message = f"Only a boolean value is supported for existance check on {node.selector}"
        raise rsql_syntax(message, message)
    if node.operator in ORDER:
        message = f"Operator {ORDER[node.operator][0]} is not supported for existence check on {node.selector}"
        raise rsql_syntax(message, message)
    expected = TRUTHS[wanted] == (node.operator is Operator.EQUAL)
    return lambda record, look: bool(field.get(record, look)) == expected
