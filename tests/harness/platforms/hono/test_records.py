"""Words about records: found by id or by auth-id, of devices behind gateways too, and nothing is left over unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.verdict import Report, Verdict
from tests.harness.runs import run_once

pytestmark = pytest.mark.slow

HEAD = """
    scenario: It works
    devices: {flow: hono, serial: "HN-{n}", interval: 1s, backoff: {policy: fixed, base: 1s}, MORE}
"""
ONLINE = """
    phases:
      - name: online
        do: DO
        within: 20s
        expect: [{reaches: {stage: online}}]
"""
PROVISIONED = "count: 2, over: mqtt, credential: certificate"
REGISTERED = "[{registry: {devices: 2, in_state: registered}}]"
BY_HAND = "count: 2, over: http, credential: password"


def played(folder: Path, more: str, then: str = "", *, do: str = "power_on", settings: str = "") -> Report:
    head = HEAD.replace("MORE", more) + (f"    server: {{settings: {{{settings}}}}}\n" if settings else "")
    return run_once(folder, ONLINE.replace("DO", do) + then, name="hono/x", head=head)


def phase(do: str, expect: str, name: str = "then") -> str:
    return f"""
      - name: {name}
        do: {do}
        within: 10s
        expect: {expect}
"""


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ("{devices: 2, in_state: provisioned, tenant_devices: 2, notifications: 1}", Verdict.PASSED),
        ('{auth_id: "CN={serial},OU=devices,O=fleetrig", credentials_type: x509-cert}', Verdict.PASSED),
        ("{credentials_enabled: true, may_provision: false, auto_provisioned: true}", Verdict.PASSED),
        ("{in_state: registered}", Verdict.FAILED),
        ('{device_id: "{serial}"}', Verdict.FAILED),
        ("{tenant_devices: 3}", Verdict.FAILED),
        ("{notifications: 2}", Verdict.FAILED),
        ("{notification_sent: false}", Verdict.FAILED),
        ("{absent: true}", Verdict.FAILED),
    ],
)
def test_what_a_certificate_has_made_known_is_found_by_its_auth_id(
    tmp_path: Path, expect: str, verdict: Verdict
) -> None:
    report = played(tmp_path, PROVISIONED, phase("{wait: 1s}", f"[{{registry: {expect}}}]"))
    assert report.phases[-1].verdict is verdict, report


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ('{devices: 2, in_state: registered, device_id: "{serial}", auth_id: "{serial}"}', Verdict.PASSED),
        ("{credentials_type: hashed-password, auto_provisioned: false, notifications: 0}", Verdict.PASSED),
        ("{credentials_type: psk}", Verdict.FAILED),
        ('{via: "HN-3"}', Verdict.FAILED),
    ],
)
def test_what_was_made_by_hand_is_found_by_its_id(tmp_path: Path, expect: str, verdict: Verdict) -> None:
    then = phase("{wait: 1s}", f"[{{registry: {expect}}}]")
    report = played(tmp_path, BY_HAND, then, do="[preregister, power_on]")
    assert report.phases[-1].verdict is verdict, report


@pytest.mark.parametrize(
    ("settings", "stages"),
    [("", ("online", "refused", "online")), ("trusted-ca: none", ("refused", "refused", "online"))],
    ids=["of those that are trusted", "of those that are not"],
)
def test_a_tenant_is_told_anew_whom_it_trusts(tmp_path: Path, settings: str, stages: tuple[str, ...]) -> None:
    actions = ("power_on", *(f"[{{configure: {{trusted-ca: {whom}}}}}, power_cycle]" for whom in ("none", "run")))
    phases = [
        phase(do, f"[{{reaches: {{stage: {stage}}}}}]", f"phase {number}")
        for number, (do, stage) in enumerate(zip(actions, stages, strict=True))
    ]
    head = HEAD.replace("MORE", PROVISIONED) + f"    server: {{settings: {{{settings}}}}}\n"
    report = run_once(tmp_path, "    phases:" + "".join(phases), name="hono/x", head=head)
    assert report.verdict is Verdict.PASSED, report


def test_templates_say_where_a_device_is_found(tmp_path: Path) -> None:
    settings = (
        'auth-id-template: "a-{{subject-cn}}", auto-provisioning-device-id-template: "d-{{subject-cn}}-{{subject-o}}"'
    )
    expect = '[{registry: {devices: 2, device_id: "d-{serial}-fleetrig", auth_id: "a-{serial}"}}]'
    report = played(tmp_path, PROVISIONED, phase("{wait: 1s}", expect), settings=settings)
    assert report.verdict is Verdict.PASSED, report


@pytest.mark.parametrize(
    ("do", "expect"),
    [
        ("{disable: {what: credentials}}", "[{registry: {credentials_enabled: false}}]"),
        ("{disable: {what: device, only: HN-1}}", "[{registry: {only: HN-1, in_state: disabled}}]"),
        ("[{disable: {}}, {enable: {}}]", "[{registry: {in_state: provisioned, tenant_devices: 2}}]"),
        ("{authorize: {}}", "[{registry: {may_provision: true}}]"),
        ("[{authorize: {}}, {authorize: {may_provision: false}}]", "[{registry: {may_provision: false}}]"),
        ("[power_cut, delete]", "[{registry: {absent: true}}]"),
        ("[power_cut, {delete: {only: HN-2}}]", "[{registry: {only: HN-1, tenant_devices: 1}}]"),
        ("delete_tenant", "[{registry: {absent: true}}]"),
    ],
)
def test_what_an_operator_changes_is_there(tmp_path: Path, do: str, expect: str) -> None:
    report = played(tmp_path, PROVISIONED, phase(do, expect))
    assert report.verdict is Verdict.PASSED, report


@pytest.mark.parametrize("do", ["[power_cut, delete, {delete: {}}]", "[power_cut, delete, {disable: {}}]"])
def test_a_record_that_is_not_there_breaks_the_run(tmp_path: Path, do: str) -> None:
    report = played(tmp_path, PROVISIONED, phase(do, "[{registry: {devices: 2}}]"))
    assert report.verdict is Verdict.BROKEN
    assert "knows no device HN-1" in report.reason


@pytest.mark.parametrize("is_on", ["disable", "enable"])
def test_credentials_that_are_not_there_are_not_switched(tmp_path: Path, is_on: str) -> None:
    do = f"{{{is_on}: {{what: credentials}}}}"
    report = bare(tmp_path, do, REGISTERED)
    assert report.verdict is Verdict.BROKEN
    assert f"has no credentials that could be {is_on}d" in report.reason


@pytest.mark.parametrize("value", ["true", "false"])
def test_credentials_that_are_not_there_are_neither_on_nor_off(tmp_path: Path, value: str) -> None:
    report = bare(tmp_path, "{wait: 1s}", f"[{{registry: {{credentials_enabled: {value}}}}}]")
    assert report.verdict is Verdict.FAILED, report


def bare(folder: Path, do: str, expect: str) -> Report:
    """A device without credentials."""
    phases = "    phases:" + phase("{preregister: {credentials: false}}", REGISTERED, "known") + phase(do, expect)
    head = HEAD.replace("MORE", BY_HAND)
    return run_once(folder, phases, name="hono/x", head=head)


def test_a_command_that_nobody_listens_for_breaks_the_run(tmp_path: Path) -> None:
    report = played(tmp_path, PROVISIONED, phase("{command: {name: blink}}", "[{registry: {devices: 2}}]"))
    assert report.verdict is Verdict.BROKEN
    assert "HN-1 takes no command within 60 s" in report.reason


def test_a_device_with_another_subject_is_another_record(tmp_path: Path) -> None:
    auth_id = "CN={serial},OU=devices 1,O=fleetrig"
    expect = f'[{{registry: {{only: HN-1, tenant_devices: 3, auth_id: "{auth_id}"}}}}]'
    report = played(tmp_path, PROVISIONED, phase("{rotate: {what: subject, only: HN-1}}", expect))
    assert report.verdict is Verdict.PASSED, report
