"""The JSON Schema of study files, made from the models: what an editor completes and underlines."""

from __future__ import annotations

from typing import Any

from fleetrig.harness.scenario_file.attribute_docs import DescribedSchema
from fleetrig.harness.scenario_file.schema import Schema, readable_default
from fleetrig.harness.studies.study_file import StudyFile


def study_schema() -> Schema:
    """What a file may look like."""
    schema = StudyFile.model_json_schema(schema_generator=DescribedSchema)
    definitions = schema.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fleetrig study",
        **_tidied(schema),
        "$defs": {name: {**_tidied(part), "minProperties": 1} for name, part in definitions.items()},
    }


def _tidied(part: Schema) -> Schema:
    """Without titles that are the key once more, and nulls that nobody writes."""
    about = {key: value for key, value in part.items() if key != "title"}
    if "properties" in part:
        about["properties"] = {name: _key(inner) for name, inner in part["properties"].items()}
    return about


def _key(part: Schema) -> Schema:
    tidied: dict[str, Any] = {
        key: value
        for key, value in readable_default(part).items()
        if key != "title" and (key, value) != ("default", None)
    }
    match tidied.get("anyOf"):
        case [*others, {"type": "null"}]:
            del tidied["anyOf"]
            return {**(others[0] if len(others) == 1 else {"anyOf": others}), **tidied}
    return tidied
