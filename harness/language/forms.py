"""What may stand for a key, in a few words (`time`, `list of glob`), read from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fleetrig.harness.scenario_file.schema import PERCENT
from fleetrig.simulator.contract.units import DURATION, SIZE

LISTED: Final = 8
"""More words than this are not listed in a table: they have one of their own."""
PLAIN: Final = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}

BY_NAME: Final = {"Action": "word", "Check": "check", "Seen": "check", "Times": "bounds"}
"""Models whose form is one of the language's own."""

SchemaPart = Mapping[str, Any]


def form_of(part: SchemaPart, definitions: SchemaPart) -> str:
    """`time`, `size or text`, `list of mapping`, `forced, soft or downloadonly`."""
    return _either(list(dict.fromkeys(_forms(part, definitions))))


def _forms(part: SchemaPart, definitions: SchemaPart) -> Iterator[str]:
    match part:
        case {"$ref": str(name)} if known := BY_NAME.get(name.rpartition("/")[2]):
            yield known
        case {"$ref": _}:
            yield from _forms(resolved(part, definitions), definitions)
        case {"anyOf": alternatives}:
            for one in alternatives:
                yield from _forms(one, definitions)
        case {"const": word}:
            yield f"`{word}`"
        case {"enum": words}:
            yield from (f"`{word}`" for word in words) if len(words) <= LISTED else ["a word"]
        case {"type": "null"}:
            return
        case _:
            yield _of_type(part, definitions)


def _of_type(part: SchemaPart, definitions: SchemaPart) -> str:
    match part.get("type"):
        case "array":
            return _list(part, definitions)
        case "string":
            return _text(part)
        case str(kind):
            return PLAIN[kind]
        case [*_]:
            return "single value"
        case _:
            return "anything"


def _list(part: SchemaPart, definitions: SchemaPart) -> str:
    inner = form_of(part.get("items", {}), definitions)
    return f"two of: {inner}" if part.get("maxItems") == 2 == part.get("minItems") else f"list of {inner}"


def _text(part: SchemaPart) -> str:
    pattern, examples = part.get("pattern", ""), part.get("examples", [])
    if DURATION.pattern in pattern:
        return "time"
    if SIZE.pattern in pattern:
        return "size"
    if PERCENT in pattern:
        return "share"
    return "glob" if any("*" in str(one) for one in examples) else "text"


def resolved(part: SchemaPart, definitions: SchemaPart) -> SchemaPart:
    """The definition to which it refers."""
    name = str(part["$ref"]).rpartition("/")[2]
    found: SchemaPart = definitions[name]
    return found


def _either(forms: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(forms[:-1]), *forms[-1:]]))
