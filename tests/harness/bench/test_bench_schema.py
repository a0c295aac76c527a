"""The JSON Schema of bench files: complete, whole, and with a word about everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fleetrig.harness.bench.bench_file import BoardEntry
from fleetrig.harness.bench.bench_schema import PARTS, bench_schema
from tests.harness.command import fleetrig


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return bench_schema()


def parts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(inner)


def explained(schema: dict[str, Any], inner: dict[str, Any]) -> bool:
    """Whether what it refers to says what it is."""
    return bool(schema["$defs"].get(inner.get("$ref", "").rpartition("/")[2], {}).get("description"))


def test_it_is_json_and_every_reference_leads_somewhere(schema):
    assert json.loads(json.dumps(schema)) == schema
    references = {part["$ref"] for part in parts(schema) if isinstance(part.get("$ref"), str)}
    assert references == {f"#/$defs/{name}" for name in schema["$defs"]}


def test_every_key_of_a_board_is_there_and_nothing_else(schema):
    entry = schema["$defs"]["BoardEntry"]
    assert set(entry["properties"]) == set(BoardEntry.model_fields)
    assert entry["additionalProperties"] is False
    assert entry["required"] == ["type"]


def test_everything_is_explained(schema):
    silent = [
        f"{name}.{key}"
        for name, part in schema["$defs"].items()
        for key, inner in part.get("properties", {}).items()
        if not (inner.get("description") or explained(schema, inner))
    ]
    assert silent == []


def test_a_part_is_one_word_or_one_with_its_settings(schema):
    entry = schema["$defs"]["BoardEntry"]["properties"]
    alone = {key: entry[key]["anyOf"][1]["enum"] for key in PARTS}
    assert alone["emulated"] == ["uboot", "gateway", "fake"]
    assert alone["power"] == ["rts_dtr", "by_hand"]
    assert alone["flasher"] == ["uboot_xmodem", "uboot_ymodem", "smp"]
    assert schema["$defs"]["PowerPart"]["maxProperties"] == 1


def test_defaults_are_written_as_a_file_would(schema):
    assert schema["$defs"]["RtsDtrPart"]["properties"]["hold"]["default"] == "100ms"
    assert schema["$defs"]["ConsolePart"]["properties"]["chunk"]["default"] == "64B"


def test_a_password_in_clear_is_underlined(schema):
    assert schema["$defs"]["ConsolePart"]["properties"]["password"]["pattern"].startswith("(env:")


def test_it_is_printed(tmp_path, schema):
    assert json.loads(fleetrig("schema", "bench", cwd=tmp_path).stdout) == schema
    assert json.loads(fleetrig("schema", cwd=tmp_path).stdout)["title"] == "fleetrig scenario"
