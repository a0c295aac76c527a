"""One value against a positive comparison, by what its field holds. Null is equal to null only, and has no order."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.request.call import LONG_MAX
from fleetrig.reference_server.platforms.hawkbit.search.rsql import Comparison, Operator
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import TRUTHS, Field, Holds
from fleetrig.reference_server.platforms.hawkbit.state.errors import not_readable, rsql_field, rsql_syntax

Test = Callable[[Any], bool]

ORDER: Final[Mapping[Operator, tuple[str, Callable[[Any, Any], bool]]]] = {
    Operator.LESS: ("<", operator.lt),
    Operator.LESS_OR_EQUAL: ("<=", operator.le),
    Operator.GREATER: (">", operator.gt),
    Operator.GREATER_OR_EQUAL: (">=", operator.ge),
}


def value_test(field: Field, node: Comparison) -> Test:
    """Raises 400 for a value that does not fit the field."""
    match field.holds:
        case Holds.NUMBER:
            return _test_number(node)
        case Holds.CHOICE:
            return _test_choice(field.choices, node)
        case Holds.BOOLEAN:
            return _test_boolean(node)
        case Holds.RECORD if node.values != (None,):
            message = f"The given search parameter field {{{node.selector}}} has parts: compare one of them"
            raise rsql_field(message, message)
        case _:
            return _test_text(node)


def _test_text(node: Comparison) -> Test:
    """Case does not count, but for what comes before what: there the text is taken as it is."""
    first = node.values[0]
    if (order := ORDER.get(node.operator)) is not None:
        compare = order[1]
        return lambda value: value is not None and compare(str(value), first)
    if node.operator is Operator.IN:
        return lambda value: value is not None and str(value).lower() in node.values
    if first is None or first == "":
        return lambda value: value is None or (first == "" and value == "")
    if "*" in first.replace("\\*", ""):
        pieces = [piece.replace("\0", "*") for piece in first.replace("\\*", "\0").split("*")]
        return lambda value: value is not None and _fits(str(value).lower(), pieces)
    return lambda value: value is not None and str(value).lower() == first


def _fits(text: str, pieces: list[str]) -> bool:
    r"""Whether a text is these pieces with any text between them (`*`; `\*` is the star itself).

    Each piece is looked for once: a regular expression would try all places of all of them.
    """
    first, *between, last = pieces
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in between:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _test_number(node: Comparison) -> Test:
    if node.values == ("*",) and node.operator is Operator.EQUAL:
        return lambda value: value is not None
    numbers = [_number(node, value) for value in node.values]
    if (order := ORDER.get(node.operator)) is not None:
        compare = order[1]
        return lambda value: value is not None and compare(value, numbers[0])
    return lambda value: value in numbers


def _number(node: Comparison, value: str | None) -> int | None:
    if value is None and node.operator is Operator.EQUAL:
        return None
    try:
        number = int(value or "")
    except ValueError:
        number = LONG_MAX + 1
    if not -LONG_MAX - 1 <= number <= LONG_MAX:
        raise not_readable(f"{node.selector} is a number, got {value!r}")
    return number


def _test_choice(choices: tuple[str, ...], node: Comparison) -> Test:
    for value in node.values:
        if value is not None and value not in choices:
            message = f"Value of {node.selector} must be one of the following: [{', '.join(choices)}]"
            raise rsql_field(message, message)
    _refuse_order(node)
    return lambda value: value in node.values


def _test_boolean(node: Comparison) -> Test:
    for value in node.values:
        if value is not None and value not in TRUTHS:
            message = (
                f"The value of {node.selector.upper()} is not well formed. "
                "Only a boolean (true or false) value will be expected"
            )
            raise rsql_syntax(message, message)
    _refuse_order(node)
    wanted = [None if value is None else TRUTHS[value] for value in node.values]
    return lambda value: value in wanted


def _refuse_order(node: Comparison) -> None:
    if node.operator in ORDER:
        message = f"{ORDER[node.operator][0]} operator could not be applied to enum or boolean field"
        raise rsql_syntax(message, message)
