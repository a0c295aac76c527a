"""Text of a query to a tree: the RSQL/FIQL grammar that the real server's parser takes (§1.2).

    or         = and *( ("," / " or ") and )
    and        = constraint *( (";" / " and ") constraint )
    constraint = "(" or ")" / selector operator arguments
    arguments  = value / "(" value *( "," value ) ")"

A query is looked at in lower case, as the server does by default: field names, keys and values compare without case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state.errors import rsql_syntax


class Operator(StrEnum):
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "=lt="
    LESS_OR_EQUAL = "=le="
    GREATER = "=gt="
    GREATER_OR_EQUAL = "=ge="
    IN = "=in="
    OUT = "=out="


OPERATORS: Final = {
    "==": Operator.EQUAL, "=is=": Operator.EQUAL, "=eq=": Operator.EQUAL,
    "!=": Operator.NOT_EQUAL, "=not=": Operator.NOT_EQUAL, "=ne=": Operator.NOT_EQUAL,
    "<": Operator.LESS, "=lt=": Operator.LESS, "<=": Operator.LESS_OR_EQUAL, "=le=": Operator.LESS_OR_EQUAL,
    ">": Operator.GREATER, "=gt=": Operator.GREATER, ">=": Operator.GREATER_OR_EQUAL, "=ge=": Operator.GREATER_OR_EQUAL,
    "=in=": Operator.IN, "=out=": Operator.OUT,
}  # fmt: skip
TAKES_NULL: Final = frozenset({"=is=", "=eq=", "=not=", "=ne="})

TOKEN: Final = re.compile(
    r"""(?P<and>;|\ and\ )|(?P<or>,|\ or\ )|(?P<open>\()|(?P<close>\))|(?P<operator>=[a-z]*=|!=|[<>]=?)
    |(?P<quoted>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<word>[^"'()=<>!~;,\ ]+)|(?P<blank>\ )""",
    re.VERBOSE | re.DOTALL,
)
ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`values` holds one value, or several for IN and OUT; None stands for null."""

    selector: str
    operator: Operator
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Logical:
    is_and: bool
    children: tuple[Node, ...]


Node = Comparison | Logical


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(query: str) -> Node:
    """Raises 400 rsqlParamSyntax."""
    return _Parser(query.lower()).whole()


class _Parser:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = list(_tokens(query))
        self._next = 0

    def whole(self) -> Node:
        node = self._or()
        if self._peek() != "end":
            raise self._expected("an operator like ; or , or the end")
        return node

    def _or(self) -> Node:
        return self._joined("or", self._and)

    def _and(self) -> Node:
        return self._joined("and", self._constraint)

    def _joined(self, kind: str, part: object) -> Node:
        assert callable(part)
        children = [part()]
        while self._peek() == kind:
            self._next += 1
            children.append(part())
        return children[0] if len(children) == 1 else Logical(kind == "and", tuple(children))

    def _constraint(self) -> Node:
        if self._peek() == "open":
            self._next += 1
            node = self._or()
            self._take("close", "a closing parenthesis")
            return node
        selector = self._take("word", "a field name")
        written = self._take("operator", "a comparison such as == or =in=")
        if written not in OPERATORS:
            raise rsql_syntax(
                f"no operator {written!r} in query {self._query[:200]!r}: use one of {' '.join(OPERATORS)}"
            )
        return Comparison(selector, OPERATORS[written], self._arguments(written))

    def _arguments(self, written: str) -> tuple[str | None, ...]:
        several = self._peek() == "open"
        values = [self._value_after_open() if several else self._value()]
        while several and self._peek() == "or":
            self._next += 1
            values.append(self._value())
        if several:
            self._take("close", "a closing parenthesis")
        if len(values) > 1 and OPERATORS[written] not in {Operator.IN, Operator.OUT}:
            raise rsql_syntax(f"operator {written} takes one value, got {len(values)}")
        return (None,) if values == ["null"] and written in TAKES_NULL else tuple(values)

    def _value_after_open(self) -> str:
        self._next += 1
        return self._value()

    def _value(self) -> str:
        if self._peek() == "quoted":
            return ESCAPED.sub(r"\1", self._take("quoted", "a value")[1:-1])
        return self._take("word", "a value")

    def _peek(self) -> str:
        return self._tokens[self._next].kind

    def _take(self, kind: str, what: str) -> str:
        token = self._tokens[self._next]
        if token.kind != kind:
            raise self._expected(what)
        self._next += 1
        return token.text

    def _expected(self, what: str) -> Exception:
        token = self._tokens[self._next]
        got = "the end" if token.kind == "end" else repr(token.text)
        return rsql_syntax(f"query {self._query[:200]!r}: expected {what} at character {token.at + 1}, got {got}")


def _tokens(query: str) -> Iterator[_Token]:
    at = 0
    while at < len(query):
        found = TOKEN.match(query, at)
        if found is None:
            raise rsql_syntax(f"query {query[:200]!r}: {query[at]!r} at character {at + 1} has no meaning here")
        if found.lastgroup != "blank":
            yield _Token(found.lastgroup or "", found.group(), at)
        at = found.end()
    yield _Token("end", "", at)
