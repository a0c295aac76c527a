"""The JSON Schema of scenario files, made from the models: what an editor completes and underlines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.harness.scenario_file.attribute_docs import DescribedSchema
from fleetrig.harness.scenario_file.platform_models import any_models
from fleetrig.harness.scenario_file.scenario import Heading
from fleetrig.harness.scenario_file.values import readable_size
from fleetrig.harness.scenario_file.word_notes import notes_of_all
from fleetrig.simulator.contract.units import SIZE, duration_text

PLACE: Final = {"type": "string", "pattern": r"\$\{[^}]+\}", "description": "A value of params, matrix or env:"}
TO_PLACE: Final = {"$ref": "#/$defs/Place"}
WHOLE: Final = (("Devices", "backoff"), ("CohortLine", "backoff"), ("Phase", "do"))
"""What files exchange as a whole: policies that are compared, and things that are done."""
EXPLAINED_VALUES: Final[Mapping[str, tuple[str, str]]] = {
    "needs": ("", "needs"),
    "credentials": ("Devices", "credential"),
    "attribute_modes": ("Devices", "attributes_mode"),
    "states": ("Registry", "in_state"),
}
"""Part of a platform's notes -> the definition and the key whose values they explain; the file itself when empty."""
AS_WRITTEN: Final = frozenset(field.alias or name for name, field in Heading.model_fields.items())
"""Where no values are filled in."""

PERCENT: Final = "%"
"""In the pattern of a share."""

Schema = dict[str, Any]


def scenario_schema() -> Schema:
    """What a file may look like. `${name}` is accepted in place of single values.

    Not of whole mappings and lists, but for `WHOLE`: as soon as there is an alternative, editors explain mistakes in
    them badly.
    """
    schema = any_models().scenario.model_json_schema(schema_generator=DescribedSchema)
    definitions = schema.pop("$defs")
    for notes, (model, key) in EXPLAINED_VALUES.items():
        owner = definitions[model] if model else schema
        _explain(owner["properties"][key], notes_of_all(notes))
    for model, key in WHOLE:
        part = definitions[model]["properties"][key]
        about = {name: part.pop(name) for name in ("description", "default") if name in part}
        definitions[model]["properties"][key] = {**about, "anyOf": [*part.get("anyOf", [part]), TO_PLACE]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fleetrig scenario",
        **_with_places(schema, definitions, AS_WRITTEN),
        "$defs": {**{name: _with_places(part, definitions) for name, part in definitions.items()}, "Place": PLACE},
    }


def _explain(part: Schema, notes: Mapping[str, str]) -> None:
    """A sentence for each word that may stand there, which editors show beside it."""
    for inner in (part, *part.get("anyOf", ()), part.get("items", {})):
        if "enum" in inner:
            inner["enumDescriptions"] = [notes.get(word, "") for word in inner["enum"]]


def _with_places(schema: Schema, definitions: Schema, as_written: frozenset[str] = frozenset()) -> Schema:
    """The same schema, where `${name}` may stand for the single values inside."""
    changed = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in schema:
        changed["properties"] = {
            name: part if name in as_written else _or_place(part, definitions)
            for name, part in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            changed[key] = _or_place(schema[key], definitions)
    if "anyOf" in schema:
        changed["anyOf"] = [_with_places(part, definitions) for part in schema["anyOf"]]
    return changed


def _or_place(schema: Schema, definitions: Schema) -> Schema:
    """The same schema, or `${name}` when it is about a single value."""
    changed = _with_places(readable_default(schema), definitions)
    if not _needs_place(schema, definitions):
        return changed
    about: Schema = {key: changed.pop(key) for key in ("description", "default") if key in changed}
    return {**about, "anyOf": [*changed.get("anyOf", [changed]), TO_PLACE]}


def _needs_place(schema: Mapping[str, Any], definitions: Schema) -> bool:
    """True for single values that do not accept any text anyway."""
    if "$ref" in schema:
        return _needs_place(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return all(part == {"type": "null"} or _needs_place(part, definitions) for part in schema["anyOf"])
    narrowed = "const" in schema or "enum" in schema or "pattern" in schema
    return narrowed or schema.get("type") in ("integer", "number", "boolean")


def readable_default(schema: Schema) -> Schema:
    """Defaults of times, sizes and shares as a file would write them."""
    default, pattern = schema.get("default"), schema.get("pattern", "")
    if schema.get("type") != "string" or not isinstance(default, int | float):
        return schema
    if PERCENT in pattern:
        return {**schema, "default": f"{default * 100:g}%"}
    is_size = SIZE.pattern in pattern
    return {
        **schema,
        "default": readable_size(int(default)).replace(" bytes", "B").replace(" ", "")
        if is_size
        else duration_text(default),
    }
