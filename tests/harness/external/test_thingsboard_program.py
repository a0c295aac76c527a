"""ThingsBoard devices that are programs: told what they need, judged over sockets, and caught at bad habits."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.platforms.thingsboard.program import behaviour_values
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.flows.thingsboard.credentials import (
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
)
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.harness.external.programs import side_by_side

PROGRAM = Path(__file__).with_name("thingsboard_device.py")
KEEPS = [
    "first_contact", "mqtt_basic", "own_token[over=mqtt]", "own_certificate", "gateway", "factory_reset[over=mqtt]",
    "power_cut_after_stored[over=mqtt]", "secrets[over=mqtt,credential=own_token]", "secrets_refused[over=mqtt]",
    "strange_server[certificate=wrong_name]", "session_ended", "lenient_reply[over=mqtt]", "no_suback",
]  # fmt: skip
HABITS = [
    ("secrets[over=mqtt,credential=server_token]", "talks", "keeps_secrets"),
    ("strange_server[certificate=wrong_name]", "trusts-everybody", "never"),
    ("power_cut_after_stored[over=mqtt]", "forgets", "never"),
    ("factory_reset[over=mqtt]", "keeps-all", "never"),
]


AT_ONCE = 6


@pytest.mark.slow
def test_a_program_that_behaves(tmp_path: Path) -> None:
    reports = side_by_side(PROGRAM, [(f"external/thingsboard/{row}", "") for row in KEEPS], tmp_path, AT_ONCE)
    assert [report for report in reports if report.verdict is not Verdict.PASSED] == []


@pytest.mark.slow
def test_bad_habits_are_found(tmp_path: Path) -> None:
    reports = side_by_side(
        PROGRAM, [(f"external/thingsboard/{row}", habit) for row, habit, _ in HABITS], tmp_path, AT_ONCE
    )
    for report, (_, _, word) in zip(reports, HABITS, strict=True):
        wrong = {check.title.partition(" ")[0] for phase in report.phases for check in phase.checks if check.finding}
        assert report.verdict is Verdict.FAILED, report
        assert word in wrong


MQTT = "mqtts://h:8883"


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (None, {}),
        (AccessToken("t"), {"credentials_type": "ACCESS_TOKEN", "access_token": "t"}),
        (MqttBasic("c", "u", "p"), {"credentials_type": "MQTT_BASIC", "client_id": "c", "user_name": "u",
                                    "password": "p"}),
        (OwnCertificate("-----BEGIN"), {"credentials_type": "X509_CERTIFICATE"}),
    ],
    ids=["nothing", "token", "basic", "certificate"],
)  # fmt: skip
def test_what_a_program_is_told(own: Credentials | None, told: dict[str, str]) -> None:
    settings = ThingsBoardSettings(MQTT, children=("a", "b"), telemetry_interval_s=2.5)
    values = behaviour_values(ThingsBoardDevice(settings, ProvisionKey("k", "s"), own))
    empty = dict.fromkeys(("credentials_type", "access_token", "client_id", "user_name", "password"), "")
    assert values == {
        "provision_url": MQTT, "provision_key": "k", "provision_secret": "s", "gateway": "true", "children": "a b",
        "telemetry_interval_s": "2.5", **empty, **told,
    }  # fmt: skip
