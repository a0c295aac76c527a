"""The JSON Schema of bench files, made from the models: what an editor completes and underlines."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.harness.bench.bench_file import BenchFile
from fleetrig.harness.bench.flasher_models import FlasherPart
from fleetrig.harness.bench.one_of import OneOf
from fleetrig.harness.bench.part_models import EmulatedPart, PowerPart
from fleetrig.harness.scenario_file.attribute_docs import DescribedSchema
from fleetrig.harness.scenario_file.schema import Schema, readable_default

PARTS: Final[dict[str, type[OneOf]]] = {"power": PowerPart, "flasher": FlasherPart, "emulated": EmulatedPart}
"""Keys of a board that are a word, or a word with its settings."""


def bench_schema() -> Schema:
    """What a file may look like."""
    schema = BenchFile.model_json_schema(schema_generator=DescribedSchema)
    definitions = schema.pop("$defs")
    for part in PARTS.values():
        definitions[part.__name__] |= {"minProperties": 1, "maxProperties": 1}
    entry = definitions["BoardEntry"]["properties"]
    for key, part in PARTS.items():
        about = {"description": definitions[part.__name__]["description"]}
        entry[key] = about | {"anyOf": [{"$ref": f"#/$defs/{part.__name__}"}, {"enum": words_alone(part, definitions)}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fleetrig bench",
        **_tidied(schema),
        "$defs": {name: _tidied(part) for name, part in definitions.items()},
    }


def words_alone(part: type[OneOf], definitions: Schema) -> list[str]:
    """The kinds that need no settings."""
    properties = definitions[part.__name__]["properties"]
    named = {kind: properties[kind]["anyOf"][0]["$ref"].rpartition("/")[2] for kind in part.model_fields}
    return [kind for kind, name in named.items() if not definitions[name].get("required")]


def _tidied(node: Any) -> Any:
    """Without titles that are the key once more, and nulls that nobody writes; defaults as a file has them."""
    if isinstance(node, list):
        return [_tidied(one) for one in node]
    if not isinstance(node, dict):
        return node
    tidied = {key: _tidied(value) for key, value in readable_default(node).items() if not _is_noise(key, value)}
    match tidied.get("anyOf"):
        case [dict() as only, {"type": "null"}]:
            del tidied["anyOf"]
            return only | tidied
    return tidied


def _is_noise(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value in (None, "", [], {}))
