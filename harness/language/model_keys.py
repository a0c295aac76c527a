"""The keys of a model of scenario files, read from its JSON Schema: the same sentences that an editor shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, RootModel

from fleetrig.harness.language.forms import SchemaPart, form_of, resolved
from fleetrig.harness.language.language_word import KeyWord
from fleetrig.harness.scenario_file.attribute_docs import DescribedSchema
from fleetrig.harness.scenario_file.schema import readable_default

ELSEWHERE: Final = frozenset(
    {"Devices", "BackoffLine", "CohortLine", "BoardRole", "ServerBlock", "Capacity", "FaultLine", "Phase", "Action",
     "Check", "Sends", "Receives", "NoReplies", "Reaches", "Times"}
)  # fmt: skip
"""Models that have a chapter of their own: their keys are not told again where they are used."""
USED_EVERYWHERE: Final = "only"
"""Explained once: it is a key of nearly every word."""


@cache
def schema_of(model: type[BaseModel]) -> SchemaPart:
    schema: SchemaPart = model.model_json_schema(schema_generator=DescribedSchema)
    return schema


def sentence_of(model: type[BaseModel]) -> str:
    """What the model says of itself."""
    return as_one_line(schema_of(model).get("description", ""))


def form_of_root(model: type[BaseModel]) -> str:
    """The form of what stands after a word without keys; empty for one with keys, or that stands alone."""
    schema = schema_of(model)
    is_mapping = schema.get("type") == "object"
    return "" if is_mapping or not issubclass(model, RootModel) else form_of(schema, schema.get("$defs", {}))


def keys_of(model: type[BaseModel], leave: Collection[str] = ()) -> tuple[KeyWord, ...]:
    """All keys, those below them included, without some of the outermost."""
    schema = schema_of(model)
    return tuple(key for key in _keys(schema, schema.get("$defs", {})) if key.name.partition(".")[0] not in leave)


def _keys(part: SchemaPart, definitions: SchemaPart, above: str = "") -> Iterator[KeyWord]:
    required = part.get("required", ())
    for name, inner in _properties(part, definitions).items():
        yield KeyWord(
            f"{above}{name}", form_of(inner, definitions), _text(inner, definitions), _default(inner), name in required
        )
        yield from _keys(inner, definitions, f"{above}{name}.")


def _properties(part: SchemaPart, definitions: SchemaPart) -> Mapping[str, SchemaPart]:
    """Of a mapping, or of the mappings in a list or among alternatives."""
    if "$ref" in part:
        is_elsewhere = str(part["$ref"]).rpartition("/")[2] in ELSEWHERE
        return {} if is_elsewhere else _properties(resolved(part, definitions), definitions)
    if "anyOf" in part:
        return {name: one for inner in part["anyOf"] for name, one in _properties(inner, definitions).items()}
    if isinstance(part.get("items"), Mapping):
        return _properties(part["items"], definitions)
    found: Mapping[str, SchemaPart] = part.get("properties", {})
    return found


def _text(part: SchemaPart, definitions: SchemaPart) -> str:
    """Its own sentence, else that of one of its alternatives, else that of the mapping."""
    if part.get("description"):
        return as_one_line(part["description"])
    inner = [*part.get("anyOf", ()), *part.get("allOf", ())]
    if "$ref" in part:
        inner = [resolved(part, definitions)]
    return next((text for one in inner if (text := _text(one, definitions))), "")


def _default(part: Any) -> str:
    """As a file writes it; nothing for what is empty or null."""
    default = readable_default(_single(part)).get("default")
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, str | int | float) else ""


def _single(part: Any) -> Any:
    """With the only alternative to null in its place, which says how the default is written."""
    others = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    return {**others[0], "default": part.get("default")} if len(others) == 1 else part


def as_one_line(text: str) -> str:
    """A sentence that stands on several lines in its source."""
    return " ".join(text.split())
