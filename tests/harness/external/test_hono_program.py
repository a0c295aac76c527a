"""Hono devices that are programs: told what they need, judged over sockets, and caught at bad habits."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.platforms.hono.program import behaviour_values, credential_values
from fleetrig.harness.platforms.hono.vocabulary import PROGRAM_VALUES
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.identity import ClientCertificate, Credential, PreSharedKey, UserPassword
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.settings import Endpoint, HonoSettings
from tests.harness.external.programs import side_by_side

PROGRAM = Path(__file__).with_name("hono_device.py")
KEEPS = [
    "first_contact[over=http]", "first_contact[over=mqtt]", "names_tenant", "refused_password[over=mqtt]", "lost_race",
    "retry_after", "expired[over=http]", "thrown_out", "power_cut[over=mqtt]", "gateway", "gateway_mqtt", "command",
    "puback_lost[endpoint=event]", "secrets[over=http]", "two_hosts",
    "strange_server[over=http,certificate=wrong_name]",
]  # fmt: skip
HABITS = [
    ("secrets[over=mqtt]", "talks", "keeps_secrets"),
    ("strange_server[over=mqtt,certificate=stranger]", "trusts-everybody", "never"),
    ("refused_password[over=http]", "knocks", "refused"),
    ("command", "deaf", "order"),
]
AT_ONCE = 8


@pytest.mark.slow
def test_a_program_that_behaves(tmp_path: Path) -> None:
    reports = side_by_side(PROGRAM, [(f"external/hono/{row}", "") for row in KEEPS], tmp_path, AT_ONCE)
    assert [report for report in reports if report.verdict is not Verdict.PASSED] == []


@pytest.mark.slow
def test_bad_habits_are_found(tmp_path: Path) -> None:
    reports = side_by_side(PROGRAM, [(f"external/hono/{row}", habit) for row, habit, _ in HABITS], tmp_path, AT_ONCE)
    for report, (_, _, word) in zip(reports, HABITS, strict=True):
        wrong = {check.title.partition(" ")[0] for phase in report.phases for check in phase.checks if check.finding}
        assert report.verdict is Verdict.FAILED, report
        assert word in wrong


@pytest.mark.parametrize(
    ("credential", "told"),
    [
        (UserPassword("d@t", "p"), {"user_name": "d@t", "password": "p"}),
        (PreSharedKey("d@t", b"k"), {"psk_identity": "d@t", "psk": "k"}),
        (ClientCertificate((b"der",), b"pem"), {}),
        (None, {}),
    ],
    ids=["password", "psk", "certificate", "nothing"],
)
def test_what_a_program_is_told(credential: Credential | None, told: dict[str, str]) -> None:
    settings = HonoSettings(
        "https://h:1", endpoint=Endpoint.EVENT, edge_devices=("a", "b"), ttd_s=5, telemetry_interval_s=2.5
    )
    values = {**credential_values(credential), **behaviour_values(HonoDevice(settings))}
    empty = dict.fromkeys(("user_name", "password", "psk_identity", "psk"), "")
    assert values == {
        "adapter_url": "https://h:1", "endpoint": "event", "qos": "1", "gateway": "true", "edge_devices": "a b",
        "ttd_s": "5", "telemetry_interval_s": "2.5", **empty, **told,
    }  # fmt: skip
    assert values.keys() == set(PROGRAM_VALUES)
