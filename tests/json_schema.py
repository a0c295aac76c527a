"""A validator for the JSON Schemas that fleetrig makes: the words that they use and no others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

SchemaPart = Mapping[str, Any]
TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}
LIMITS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "minimum": lambda value, bound: not TYPES["number"](value) or value >= bound,
    "maximum": lambda value, bound: not TYPES["number"](value) or value <= bound,
    "exclusiveMinimum": lambda value, bound: not TYPES["number"](value) or value > bound,
    "exclusiveMaximum": lambda value, bound: not TYPES["number"](value) or value < bound,
    "minLength": lambda value, bound: not isinstance(value, str) or len(value) >= bound,
    "maxLength": lambda value, bound: not isinstance(value, str) or len(value) <= bound,
    "minItems": lambda value, bound: not isinstance(value, list) or len(value) >= bound,
    "maxItems": lambda value, bound: not isinstance(value, list) or len(value) <= bound,
    "minProperties": lambda value, bound: not isinstance(value, Mapping) or len(value) >= bound,
    "maxProperties": lambda value, bound: not isinstance(value, Mapping) or len(value) <= bound,
    "pattern": lambda value, bound: not isinstance(value, str) or re.search(bound, value) is not None,
    "const": lambda value, bound: value == bound and type(value) is type(bound),
    "enum": lambda value, bound: value in bound,
}
SAY_NOTHING: Final = frozenset(
    {"$schema", "$defs", "title", "description", "default", "examples", "enumDescriptions"}
)  # fmt: skip


def mistakes(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong, each with its place; empty when the value is accepted."""
    return list(_mistakes(value, schema, schema.get("$defs", {}), "$"))


def _mistakes(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    for word, about in part.items():
        if word in LIMITS:
            if not LIMITS[word](_plain(value), about):
                yield f"{place}: {value!r} breaks {word} {about!r}"
        elif word in READERS:
            yield from READERS[word](value, part, definitions, place)
        else:
            assert word in SAY_NOTHING, f"{word} is a word of JSON Schema that is not read here"


def _of_definition(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    yield from _mistakes(value, definitions[part["$ref"].rpartition("/")[2]], definitions, place)


def _of_type(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    kinds = [part["type"]] if isinstance(part["type"], str) else part["type"]
    if not any(TYPES[kind](value) for kind in kinds):
        yield f"{place}: {value!r} is no {' or '.join(kinds)}"


def _of_alternatives(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    if all(list(_mistakes(value, one, definitions, place)) for one in part["anyOf"]):
        yield f"{place}: {value!r} is none of {len(part['anyOf'])} forms"


def _of_items(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    for number, item in enumerate(value if isinstance(value, list) else ()):
        yield from _mistakes(item, part["items"], definitions, f"{place}[{number}]")


def _of_required(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from (f"{place}: {name} is missing" for name in part["required"] if name not in value)


def _of_properties(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    for name, about in part["properties"].items() if isinstance(value, Mapping) else ():
        if name in value:
            yield from _mistakes(value[name], about, definitions, f"{place}.{name}")


def _of_names(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    for name in value if isinstance(value, Mapping) else ():
        yield from _mistakes(str(name), part["propertyNames"], definitions, f"{place}.{name}")


def _of_others(value: Any, part: SchemaPart, definitions: SchemaPart, place: str) -> Iterator[str]:
    about = part["additionalProperties"]
    for name in value.keys() - part.get("properties", {}).keys() if isinstance(value, Mapping) else ():
        if about is False:
            yield f"{place}: {name} is not known"
        elif isinstance(about, Mapping):
            yield from _mistakes(value[name], about, definitions, f"{place}.{name}")


READERS: Final[Mapping[str, Callable[[Any, SchemaPart, SchemaPart, str], Iterator[str]]]] = {
    "$ref": _of_definition,
    "type": _of_type,
    "anyOf": _of_alternatives,
    "items": _of_items,
    "required": _of_required,
    "properties": _of_properties,
    "propertyNames": _of_names,
    "additionalProperties": _of_others,
}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
