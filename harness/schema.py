"""The JSON Schema of scenario files, made from the models: what an editor completes and underlines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.scenario import Heading, Scenario
from harness.values import SIZE, duration_text, size_text

PLACE: Final = {"type": "string", "pattern": r"\$\{[^}]+\}", "description": "A value of params, matrix or env:"}
TO_PLACE: Final = {"$ref": "#/$defs/Place"}
AS_WRITTEN: Final = frozenset(field.alias or name for name, field in Heading.model_fields.items())
"""Where no values are filled in."""


def scenario_schema() -> dict[str, Any]:
    """What a file may look like, `${name}` in place of almost any value included."""
    schema = Scenario.model_json_schema()
    definitions = {name: _fillable_inside(part) for name, part in schema.pop("$defs").items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fleetrig scenario",
        **_fillable_inside(schema, AS_WRITTEN),
        "$defs": {**definitions, "Place": PLACE},
    }


def _fillable_inside(schema: Mapping[str, Any], as_written: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The same schema, where `${name}` may stand for whatever is inside."""
    changed = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in schema:
        changed["properties"] = {
            name: part if name in as_written else _fillable(part) for name, part in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            changed[key] = _fillable(schema[key])
    if "anyOf" in schema:
        changed["anyOf"] = [_fillable_inside(part) for part in schema["anyOf"]]
    return changed


def _fillable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema, or `${name}` in its place."""
    changed = _readable_default(_fillable_inside(schema))
    about: dict[str, Any] = {key: changed.pop(key) for key in ("description", "default") if key in changed}
    if "anyOf" in changed:
        return {**about, **changed, "anyOf": [*changed["anyOf"], TO_PLACE]}
    free_text = changed.get("type") == "string" and "pattern" not in changed
    return {**about, **changed} if free_text or not changed else {**about, "anyOf": [changed, TO_PLACE]}


def _readable_default(schema: dict[str, Any]) -> dict[str, Any]:
    """Defaults of times and sizes as a file would write them."""
    default = schema.get("default")
    if schema.get("type") != "string" or not isinstance(default, int | float):
        return schema
    is_size = SIZE.pattern in schema.get("pattern", "")
    return {**schema, "default": size_text(int(default)) if is_size else duration_text(default)}
