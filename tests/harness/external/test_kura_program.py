"""Gateways that are programs: told what they need, judged over sockets, and caught at bad habits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetrig.harness.platforms.kura.program import behaviour_values, credential_values
from fleetrig.harness.platforms.kura.vocabulary import PROGRAM_VALUES
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.flows.kura.components import MqttDataTransport, ProvisioningService
from fleetrig.simulator.flows.kura.flow import KuraGateway
from fleetrig.simulator.flows.kura.settings import GatewayHardware, KuraSettings
from tests.harness.external.programs import side_by_side

PROGRAM = Path(__file__).with_name("kura_device.py")
KEEPS = [
    "first_contact", "own_names", "power_cut_after_commit", "power_cut_before_confirmed", "unchecked_root",
    "control_signed", "control_open", "confirm_lost", "killed", "birth", "secrets",
]  # fmt: skip
"""Those that do not wait long; it passes all the others too that are not about configurations and keystores."""
HABITS = [
    ("secrets", "talks", "keeps_secrets"),
    ("power_cut_after_commit", "forgets", "never"),
    ("control_not_signed[signature=unsigned]", "obeys", "never"),
    ("untrusted_root", "trusts-everybody", "never"),
]
AT_ONCE = 15


@pytest.mark.slow
def test_a_program_that_behaves_passes_and_bad_habits_are_found(tmp_path: Path) -> None:
    rows = [*((row, "") for row in KEEPS), *((row, habit) for row, habit, _ in HABITS)]
    reports = side_by_side(PROGRAM, [(f"external/kura/{row}", habit) for row, habit in rows], tmp_path, AT_ONCE)
    assert [report for report in reports[: len(KEEPS)] if report.verdict is not Verdict.PASSED] == []
    for report, (_, _, word) in zip(reports[len(KEEPS) :], HABITS, strict=True):
        wrong = {check.title.partition(" ")[0] for phase in report.phases for check in phase.checks if check.finding}
        assert report.verdict is Verdict.FAILED, report
        assert word in wrong


def test_what_a_program_is_told() -> None:
    own = ProvisioningService(
        enabled=True, broker_url="mqtt://h:1", client_id="gw", activation_key="k", retry_interval_s=4, timeout_s=5
    )
    settings = KuraSettings(own, hardware=GatewayHardware("00:60:0C:AA:BB:CC", "SN1"), trust_anchors={"a": "PEM"})
    values = {**credential_values(UserPassword("u", "p")), **behaviour_values(KuraGateway(settings))}
    assert values == {
        "provisioning": "true", "broker_url": "mqtt://h:1", "account_name": "ec-provisioning", "client_id": "gw",
        "user_name": "u", "password": "p", "activation_key": "k", "mac": "00:60:0C:AA:BB:CC", "serial_number": "SN1",
        "retry_interval_s": "4", "retry_max_attempts": "-1", "timeout_s": "5", "ca_authentication": "true",
        "trust_anchors": "PEM", "reconnect_interval_s": "60", "telemetry_interval_s": "60",
    }  # fmt: skip
    assert values.keys() == set(PROGRAM_VALUES)


def test_one_that_makes_its_names_is_not_told_them() -> None:
    settings = KuraSettings(ProvisioningService(enabled=True, broker_url="mqtt://h:1"))
    told = {**credential_values(UserPassword("u", "p")), **behaviour_values(KuraGateway(settings))}
    assert (told["user_name"], told["client_id"], told["password"]) == ("", "", "p")


def test_one_that_is_configured_by_hand_is_told_where_it_belongs() -> None:
    own = replace(ProvisioningService(), activation_key="k", broker_url="mqtt://provision:1")
    transport = MqttDataTransport("mqtt://h:1", "acct", client_id="gw")
    told = behaviour_values(KuraGateway(KuraSettings(own, transport)))
    assert (told["provisioning"], told["broker_url"], told["account_name"]) == ("", "mqtt://h:1", "acct")
    assert (told["client_id"], told["activation_key"]) == ("gw", "")
