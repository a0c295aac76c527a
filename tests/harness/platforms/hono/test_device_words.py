"""All that the flow can do can be said in a file, and what no device could do is a mistake with its line."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hono.device_settings import device_settings, with_tenant
from fleetrig.harness.platforms.hono.device_words import DEVICE_FIELDS
from fleetrig.harness.scenario_file.backoff_line import BackoffLine
from fleetrig.harness.scenario_file.platform_models import models_for
from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.mqtt import MqttVersion
from fleetrig.simulator.flows.hono.settings import Endpoint, HonoSettings
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
    "endpoint": "event", "at_least_once": True, "telemetry": {"humidity": 40}, "telemetry_messages": 3,
    "waits_for_commands": "5s", "mqtt_version": 5, "keep_alive": "90s", "gateway": True, "names_tenant": True,
    "refused_tries": 9, "conflict_tries": 7, "clones": True,
}  # fmt: skip


def devices(**given: Any) -> Devices:
    model = models_for("hono").scenario.model_fields["devices"].annotation
    made: Devices = model.model_validate({"flow": "hono", "over": "mqtt", **given})  # type: ignore[union-attr]
    return made


def settings(**given: Any) -> HonoSettings:
    return device_settings(devices(**given), lambda transport: f"{transport}s://hono.test:8", (), "acme")


def check(folder: Path, given: str) -> str:
    head = f"scenario: It works\ndevices: {{flow: hono, {given}}}\n"
    write_scenario(folder, PHASES, "hono/x", head)
    done = fleetrig("check", cwd=folder)
    assert done.returncode == 4, done.stdout
    return done.stdout + done.stderr


def test_each_setting_of_the_flow_has_a_word() -> None:
    """Those that all platforms share stand in `devices` under their own names."""
    assert EVERYTHING.keys() == DEVICE_FIELDS.keys()
    said, usual = settings(**EVERYTHING), settings()
    unchanged = [one.name for one in fields(said) if getattr(said, one.name) == getattr(usual, one.name)]
    assert unchanged == ["at_least_once", "telemetry_interval_s", "timeout_s", "start_spread_s", "backoff", "stays_on"]
    assert (said.url, said.endpoint, said.ttd_s, said.edge_devices) == (
        "mqtts://acme.hono.test:8",
        Endpoint.EVENT,
        5,
        (),
    )
    assert (said.mqtt_version, said.keep_alive_s) == (MqttVersion.V5, 90)
    assert not settings(at_least_once=False).at_least_once


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
    assert settings() == HonoSettings("mqtts://hono.test:8", **of_all_platforms)


def test_children_make_a_gateway() -> None:
    made = device_settings(devices(children=2), lambda transport: f"{transport}s://hono.test", ("a-1", "a-2"))
    assert made.edge_devices == ("a-1", "a-2")


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://hono.example:8443", "https://acme.hono.example:8443"),
        ("coaps://hono.example", "coaps://acme.hono.example"),
        ("mqtts://127.0.0.1:8883", "mqtts://acme.sni.localhost:8883"),
        ("https://[::1]:8443", "https://acme.sni.localhost:8443"),
        ("https://localhost:8443", "https://acme.sni.localhost:8443"),
    ],
)
def test_a_tenant_stands_before_the_name_of_the_host(url: str, named: str) -> None:
    assert with_tenant(url, "acme") == named


def test_no_name_stands_before_an_address() -> None:
    with pytest.raises(UsageError, match=r"names_tenant: https://192\.0\.2\.1:8443 is an address"):
        with_tenant("https://192.0.2.1:8443", "acme")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("over: coap, mqtt_version: 5", "mqtt_version is about MQTT, and these devices use coap"),
        ("over: http, keep_alive: 5s", "keep_alive is about MQTT, and these devices use http"),
        ("over: http, credential: psk", "psk lets nobody in over http: say over: coap, or credential: password"),
        ("over: coap, credential: password", "password lets nobody in over coap: say credential: psk, or certificate"),
        ("over: http, endpoint: event, at_least_once: false", "events are sent at least once: Hono takes no other"),
        ("over: http, children: 2, gateway: false", "children stand behind gateways: leave `gateway: false` away"),
        ("over: http, credential: password, names_tenant: true", "names_tenant is about handshakes, and password is"),
        ("over: mqtt, mqtt_version: 3.1", "devices.mqtt_version: expected 3.1.1 or 5, got '3.1'"),
        ("over: mqtt, keep_alive: 500ms", "devices.keep_alive: expected whole seconds, from 1s to 65535s"),
        ("over: http, waits_for_commands: 2m", "devices.waits_for_commands: expected whole seconds, from 1s to 60s"),
        ("over: http, telemetry: {}", "expected at least one value, such as temperature: 21.5"),
        ("over: http, telemetry_mesages: 2", "did you mean 'telemetry_messages'?"),
        ("over: http, credential: certificat", "did you mean 'certificate'?"),
    ],
)
def test_what_no_device_could_do_is_a_mistake_with_its_line(tmp_path: Path, given: str, sentence: str) -> None:
    said = check(tmp_path, given)
    assert "x.yaml:2:" in said
    assert sentence in " ".join(said.split())


def test_a_plan_says_it_as_the_file_does(tmp_path: Path) -> None:
    given = "{flow: hono, over: mqtt, children: 2, serial: GW, mqtt_version: 5, keep_alive: 90s, telemetry: {t: 1}}"
    write_scenario(tmp_path, PHASES, "hono/x", f"scenario: It works\ndevices: {given}\n")
    said = fleetrig("plan", cwd=tmp_path).stdout
    assert "telemetry {t: 1}; mqtt_version 5; keep_alive 90s" in said
    assert "3 devices, 1 of them gateways with 2 behind each" in said


def test_editors_are_told_what_the_words_mean(tmp_path: Path) -> None:
    schema = json.loads(fleetrig("schema", cwd=tmp_path).stdout)
    assert "All show what the first of them has: one device, many at once." in json.dumps(schema)
