"""All that the flow can do can be said in a file, and what no device could do is a mistake with its line."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.thingsboard.device_settings import device_settings
from fleetrig.harness.platforms.thingsboard.device_words import DEVICE_FIELDS
from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.simulator.contract.mqtt import MqttVersion
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.harness.command import fleetrig
from tests.harness.runs import write_scenario

PHASES = """
    phases:
      - name: provisioned
        do: power_on
        within: 30s
        expect: [{reaches: {stage: online}}]
"""
EVERYTHING: dict[str, Any] = {
    "telemetry_over": "mqtt", "mqtt_version": 5, "asks_in_protobuf": True, "names_itself": False, "gateway": True,
    "telemetry": {"humidity": 40}, "telemetry_messages": 3, "keep_alive": "90s", "failure_tries": 5, "login_tries": 6,
    "provisions_anew": 0,
}  # fmt: skip


def devices(**given: Any) -> Devices:
    model = models_for("thingsboard").scenario.model_fields["devices"].annotation
    made: Devices = model.model_validate({"flow": "thingsboard", **given})  # type: ignore[union-attr]
    return made


def settings(**given: Any) -> ThingsBoardSettings:
    return device_settings(devices(**given), lambda transport: f"{transport}://tb.test", ())


def check(folder: Path, given: str) -> str:
    head = f"scenario: It works\ndevices: {{flow: thingsboard, {given}}}\n"
    write_scenario(folder, PHASES, "thingsboard/x", head)
    done = fleetrig("check", cwd=folder)
    assert done.returncode == 4, done.stdout
    return done.stdout + done.stderr


def test_each_setting_of_the_flow_has_a_word() -> None:
    """Those that all platforms share stand in `devices` under their own names."""
    assert EVERYTHING.keys() == DEVICE_FIELDS.keys()
    said, usual = settings(**EVERYTHING, over="coap"), settings()
    unchanged = [one.name for one in fields(said) if getattr(said, one.name) == getattr(usual, one.name)]
    assert unchanged == ["telemetry_interval_s", "timeout_s", "start_spread_s", "backoff", "stays_on"]
    assert (said.mqtt_version, said.keep_alive_s, said.children) == (MqttVersion.V5, 90, ())


def test_in_the_place_of_a_program_it_spreads_its_start_and_stays_on() -> None:
    """Of others the bench spreads the start, and they end when they have nothing more to do."""
    simulated, external = (settings(start_spread="4s", external=external) for external in (False, True))
    assert (simulated.start_spread_s, simulated.stays_on) == (0.0, False)
    assert (external.start_spread_s, external.stays_on) == (4.0, True)


def test_what_is_not_given_is_as_the_flow_has_it() -> None:
    of_all_platforms: dict[str, Any] = {
        "telemetry_interval_s": 300.0,
        "timeout_s": 10.0,
        "backoff": BackoffLine().to_backoff(),
    }
    assert settings() == ThingsBoardSettings("mqtt://tb.test", **of_all_platforms)


def test_children_make_a_gateway() -> None:
    made = device_settings(devices(children=2), lambda transport: f"{transport}://tb.test", ("a-1", "a-2"))
    assert made.children == ("a-1", "a-2")
    assert devices(children=2, serial="GW").serials() == ("GW", "GW-1", "GW-2")
    assert [unit.serial for unit in devices(children=2, serial="GW").units()] == ["GW"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "over: http, asks_in_protobuf: true",
            "understands protobuf over mqtt and coap, and these devices ask over http",
        ),
        ("over: coap, mqtt_version: 5", "mqtt_version is about MQTT, and these devices use coap only"),
        ("over: http, keep_alive: 5s", "keep_alive is about MQTT, and these devices use http only"),
        ("over: coap, children: 2", "gateways send over MQTT: say over: mqtt, or telemetry_over: mqtt"),
        ("over: mqtt, telemetry_over: http, gateway: true", "gateways send over MQTT"),
        ("children: 2, gateway: false", "children stand behind gateways: leave `gateway: false` away"),
        ("over: coap, credential: mqtt_basic", "mqtt_basic lets nobody in over coap: say telemetry_over: mqtt"),
        ("over: http, credential: certificate", "a certificate lets nobody in over http"),
        ("over: coap, credential: certificate_chain", "ThingsBoard looks at chains over mqtt only"),
        ("credential: certificate_chain, gateway: true", "gateway is about a request, and a device with"),
        ("mqtt_version: 4", "devices.mqtt_version: expected 3.1, 3.1.1 or 5, got '4'"),
        ("keep_alive: 500ms", "devices.keep_alive: expected whole seconds, from 1s to 65535s"),
        ("telemetry: {}", "expected at least one value, such as temperature: 21.5"),
        ("telemetry_mesages: 2", "did you mean 'telemetry_messages'?"),
        ("credential: own_tokn", "did you mean 'own_token'?"),
    ],
)
def test_what_no_device_could_do_is_a_mistake_with_its_line(tmp_path: Path, given: str, sentence: str) -> None:
    said = check(tmp_path, given)
    assert "x.yaml:2:" in said
    assert sentence in " ".join(said.split())


def test_a_plan_says_it_as_the_file_does(tmp_path: Path) -> None:
    given = "{flow: thingsboard, children: 2, serial: GW, mqtt_version: 5, keep_alive: 90s, telemetry: {t: 1}}"
    write_scenario(tmp_path, PHASES, "thingsboard/x", f"scenario: It works\ndevices: {given}\n")
    said = fleetrig("plan", cwd=tmp_path).stdout
    assert "mqtt_version 5; telemetry {t: 1}; keep_alive 1m30s" in said or "keep_alive 90s" in said
    assert "3 devices, 1 of them gateways with 2 behind each" in said


def test_editors_are_told_what_the_words_mean(tmp_path: Path) -> None:
    schema = json.loads(fleetrig("schema", cwd=tmp_path).stdout)
    assert "They ask in protobuf instead of JSON." in json.dumps(schema)
