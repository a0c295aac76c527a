"""What can be searched and sorted by: a table of fields for each kind of record, and how a query names them (§1.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto
from typing import Any, Final

from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, rsql_field


class Holds(Enum):
    """What a field holds, which decides how it compares."""

    TEXT = auto()
    NUMBER = auto()
    CHOICE = auto()  # one of fixed words
    BOOLEAN = auto()  # true or false
    PRESENCE = auto()  # whether there is something: true or false, asked for with == and != only
    RECORD = auto()  # something with parts of its own: it is there or not, its parts compare


TRUTHS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Field:
    """`get(record, look)` gives the value, None for null; `many` a collection of values; `by_key` a mapping.

    `choices` stand in the order in which the real server counts them: messages list them so, and sorting obeys it.
    """

    get: Callable[[Any, Any], Any]
    holds: Holds = Holds.TEXT
    many: bool = False
    by_key: bool = False
    choices: tuple[str, ...] = ()

    @property
    def is_collection(self) -> bool:
        return self.by_key or self.many or self.holds is Holds.PRESENCE

    def sort_key(self, record: Any, look: Any) -> tuple[bool, Any]:
        """Null comes first, as in the database."""
        value = self.get(record, look)
        if value is None:
            return False, ""
        return True, self.choices.index(value) if self.choices else value


class Fields:
    """A table of fields by name in lower case. One table per kind of record, made once.

    A name with a dot is a part of what stands before it; the same name without a part is there if it has a default.
    """

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = {name.lower(): field for name, field in fields.items()}
        self.parts: dict[str, list[str]] = {}
        for name in fields:
            head, dot, part = name.partition(".")
            parts = self.parts.setdefault(head.lower(), [])
            if dot and "." not in part:
                parts.append(part)

    def find(self, selector: str) -> tuple[Field, str]:
        """(field, key into it). Raises 400 rsqlInvalidField in the words of the real server."""
        head, dot, rest = selector.partition(".")
        field = self.fields.get(head)
        if head not in self.parts:
            raise self._unknown(selector)
        if field is not None and field.by_key:
            if not rest:
                message = f"No key for the map field found. Syntax is: {selector}.<key name>"
                raise rsql_field(message, message)
            return field, rest
        field = self.fields.get(selector)
        if field is None:
            message = self._wrong_part(selector, head, bool(dot))
            raise rsql_field(message, message)
        return field, ""

    def _wrong_part(self, selector: str, head: str, has_part: bool) -> str:
        shown = f"[{', '.join(self.parts[head])}]"
        if not has_part:
            needs = "requires one of the following sub-attributes"
            return f"The given search parameter field {{{selector}}} {needs} {shown}"
        if not self.parts[head]:
            return f"Sub-attributes not supported for simple field {head.upper()}"
        return (
            f"The given search field {{{selector}}} has unsupported sub-attributes. "
            f"Supported sub-attributes are {shown}"
        )

    def _unknown(self, selector: str) -> HawkbitError:
        near = get_close_matches(selector, self.fields, n=1)
        hint = f"; near: {near[0]}" if near else ""
        return rsql_field(f"no field {selector[:100]!r} to search: there is {', '.join(self.fields)}{hint}")
