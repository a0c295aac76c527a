"""`devices.confirmation` and `set_confirmation`: forms, mistakes, and what comes of them in a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.external.command import environment, values_of
from fleetrig.harness.platforms.hawkbit.hawkbit_run import confirmation_of
from fleetrig.harness.platforms.hawkbit.platform import behaviour_values
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.flows.hawkbit.confirmation_policy import CONFIRMS_AT_ONCE, ConfirmationPolicy, Consent
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from tests.harness.runs import expanded, run_once

HEAD = """
    scenario: It is asked
    devices: {count: 2, flow: hawkbit, serial: "HB-{n}", install_time: 1s, confirmation: ANSWER}
    server: {settings: {user.confirmation.flow.enabled: true, pollingTime: "00:00:01"}}
"""
BODY = """
    phases:
      - name: asked
        do: [preregister, power_on, DO]
        within: 30s
        expect: [EXPECT]
"""
DEPLOY = '{deploy: {version: "1.0"}}'


def policy_of(folder: Path, answer: str) -> ConfirmationPolicy:
    body = BODY.replace("DO", DEPLOY).replace("EXPECT", "{sends: {name: poll}}")
    one = expanded(folder, body, head=HEAD.replace("ANSWER", answer))
    return confirmation_of(one.scenario.devices)


def verdict_of(folder: Path, answer: str, expect: str, do: str = DEPLOY) -> Verdict:
    return run_once(
        folder, BODY.replace("DO", do).replace("EXPECT", expect), head=HEAD.replace("ANSWER", answer)
    ).verdict


@pytest.mark.parametrize(
    ("answer", "policy"),
    [
        ("null", CONFIRMS_AT_ONCE),
        ("confirmed", CONFIRMS_AT_ONCE),
        ("denied", ConfirmationPolicy(Consent.DENIED)),
        ("none", ConfirmationPolicy(None)),
        ("{after: 1m}", ConfirmationPolicy(after_s=60.0)),
        ("{answer: denied, code: -1, details: [no, no]}", ConfirmationPolicy(Consent.DENIED, 0.0, -1, ("no", "no"))),
        ("{auto_confirm: activate}", ConfirmationPolicy(auto_confirm=True)),
        ("{auto_confirm: deactivate}", ConfirmationPolicy(auto_confirm=False)),
    ],
)
def test_forms(answer: str, policy: ConfirmationPolicy, tmp_path: Path) -> None:
    assert policy_of(tmp_path, answer) == policy


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("confirm", "confirmed"),
        ("{answer: deny}", "denied"),
        ("{afer: 1s}", "after"),
        ("{after: 5}", "expected"),
        ("{code: high}", "code"),
        ("{code: 2147483648}", "code"),
        ("{auto_confirm: yes}", "activate"),
        ("[denied]", "confirmation"),
    ],
)
def test_mistakes_name_the_line(answer: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileMistakes) as wrong:
        policy_of(tmp_path, answer)
    assert said in str(wrong.value)
    assert ":2:" in str(wrong.value)


def test_without_the_word_a_fleet_confirms_and_does_not_wait_for_ever(tmp_path: Path) -> None:
    assert verdict_of(tmp_path, "null", "{registry: {in_state: in_sync, installed: '1.0'}}") is Verdict.PASSED


def test_denied(tmp_path: Path) -> None:
    expect = "{sends: {name: feedback-denied, times: 1}}, {registry: {action: wait_for_confirmation}}"
    assert verdict_of(tmp_path, "denied", expect) is Verdict.PASSED


def test_nobody_says_anything(tmp_path: Path) -> None:
    expect = "{registry: {action: wait_for_confirmation}}, {never: {sends: {name: 'feedback-*'}}}"
    assert verdict_of(tmp_path, "none", expect) is Verdict.PASSED


def test_auto_confirmation(tmp_path: Path) -> None:
    expect = (
        "{sends: {name: activateAutoConfirm, times: 1}}, {never: {sends: {name: feedback-confirmed}}}, "
        "{registry: {in_state: in_sync, installed: '1.0'}}"
    )
    assert verdict_of(tmp_path, "{auto_confirm: activate}", expect) is Verdict.PASSED


def test_one_device_changes_its_mind(tmp_path: Path) -> None:
    do = DEPLOY + ", {wait: 3s}, {set_confirmation: {only: HB-2, answer: confirmed, after: 1s}}"
    expect = "{registry: {only: HB-1, action: wait_for_confirmation}}, {registry: {only: HB-2, action: finished}}"
    assert verdict_of(tmp_path, "denied", expect, do) is Verdict.PASSED


def test_a_change_of_mind_says_something(tmp_path: Path) -> None:
    do = DEPLOY + ", {set_confirmation: {only: HB-2}}"
    with pytest.raises(FileMistakes, match="answer: confirmed, denied or none"):
        verdict_of(tmp_path, "denied", "{sends: {name: poll}}", do)


@pytest.mark.parametrize(("answer", "told"), [(Consent.CONFIRMED, "confirmed"), (Consent.DENIED, "denied"), (None, "")])
def test_a_program_is_told_what_to_say(answer: Consent | None, told: str) -> None:
    settings = HawkbitSettings("http://h", confirmation=ConfirmationPolicy(answer))
    given = behaviour_values(HawkbitDevice(settings, None))
    assert (
        environment(values_of(DeviceIdentity("EXT-1"), given, "http://h", Path()), {})["FLEETRIG_CONFIRMATION"] == told
    )
