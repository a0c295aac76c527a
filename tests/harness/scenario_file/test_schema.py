"""The JSON Schema: complete, whole, and no stricter than the reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fleetrig.harness.scenario_file.platform_models import any_models
from fleetrig.harness.scenario_file.schema import TO_PLACE, scenario_schema
from fleetrig.harness.scenario_file.words import Action, Check


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return scenario_schema()


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside a schema."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(inner)


def test_it_is_json_and_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    assert json.loads(json.dumps(schema)) == schema
    references = {part["$ref"] for part in parts(schema) if isinstance(part.get("$ref"), str)}
    assert references == {f"#/$defs/{name}" for name in schema["$defs"]} & references
    assert len(references) > 30


@pytest.mark.parametrize("entry", [any_models().action, any_models().check])
def test_every_word_is_there_with_its_help(schema: dict[str, Any], entry: type[Action | Check]) -> None:
    alone, mapping = schema["$defs"][entry.__name__]["anyOf"]

    assert set(mapping["properties"]) == set(entry.model_fields)
    for word in entry.model_fields.keys() - entry.beside:
        reference = mapping["properties"][word]["anyOf"][0]["$ref"].rpartition("/")[2]
        assert schema["$defs"][reference]["description"]
    assert set(alone["enum"]) < set(mapping["properties"])


def test_words_that_stand_as_values_are_explained(schema: dict[str, Any]) -> None:
    devices, needs = schema["$defs"]["Devices"]["properties"], schema["properties"]["needs"]["items"]
    described = [
        needs,
        devices["credential"]["anyOf"][0],
        devices["attributes_mode"]["anyOf"][0],
        schema["$defs"]["Registry"]["properties"]["in_state"]["anyOf"][0],
        schema["$defs"]["Stage"],
        schema["$defs"]["Shape"],
        schema["$defs"]["Action"]["anyOf"][0],
        schema["$defs"]["Check"]["anyOf"][0],
    ]
    listeners = {"http", "https", "mqtt", "mqtts", "coap", "coaps"}
    for part in described:
        assert len(part["enumDescriptions"]) == len(part["enum"])
        said = dict(zip(part["enum"], part["enumDescriptions"], strict=True))
        assert [word for word, text in said.items() if not text and word not in listeners] == []
    polling = dict(zip(needs["enum"], needs["enumDescriptions"], strict=True))["hawkbit.fast_polling"]
    assert polling.startswith("The polling interval may be a few seconds")
    credential = devices["credential"]["anyOf"][0]
    psk = dict(zip(credential["enum"], credential["enumDescriptions"], strict=True))
    assert psk["wrong_password"].count(": ") == 2, "told for each platform"


def test_words_that_need_arguments_cannot_stand_alone(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["Action"]["anyOf"][0]["enum"] == [
        "add_credentials", "authorize", "bring_up", "cancel", "create_request", "delete", "delete_request",
        "delete_tenant", "disable", "disable_request", "enable", "enable_request", "factory_reset", "kick",
        "load_certificates", "lose_credentials", "power_cut", "power_cycle", "power_on", "preregister",
        "provision_over_console", "request_attributes", "reset", "reset_job", "reset_lockout", "reset_provisioning",
        "restore_credentials", "retire_authorities", "revoke_user", "rollback", "send_control", "set_clock",
        "snapshot", "start_provisioning", "stop_job", "stop_provisioning", "trust_authority", "unplug",
        "write_provisioning",
    ]  # fmt: skip


def test_places_may_stand_for_single_values_but_not_in_the_heading(schema: dict[str, Any]) -> None:
    assert TO_PLACE in schema["$defs"]["Devices"]["properties"]["count"]["anyOf"]
    assert TO_PLACE in schema["$defs"]["Phase"]["properties"]["within"]["anyOf"]
    assert TO_PLACE not in parts(schema["properties"]["tags"])


def test_defaults_are_written_as_a_file_would(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["Devices"]["properties"]["timeout"]["default"] == "10s"
    assert schema["$defs"]["Deploy"]["properties"]["size"]["default"] == "64KiB"
