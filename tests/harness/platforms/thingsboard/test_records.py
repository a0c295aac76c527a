"""Words about records: of devices behind gateways too, under old and new names, with the credentials brought along."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.verdict import Report, Verdict
from tests.harness.command import fleetrig
from tests.harness.runs import run_once, write_scenario

pytestmark = pytest.mark.slow

HEAD = """
    scenario: It works
    devices: {flow: thingsboard, over: mqtt, serial: "TB-{n}", interval: 1s, backoff: {policy: fixed, base: 1s}, MORE}
"""
ONLINE = """
    phases:
      - name: online
        do: power_on
        within: 20s
        expect: [{reaches: {stage: online}}, {sends: {name: telemetry}}]
"""


def played(folder: Path, more: str, then: str, *, begin: str = ONLINE) -> Report:
    return run_once(folder, begin + then, name="thingsboard/x", head=HEAD.replace("MORE", more))


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
        ("[{registry: {devices: 6}}]", Verdict.PASSED),
        ('[{registry: {only: "TB-1-*", devices: 2, is_gateway: false, profile: default}}]', Verdict.PASSED),
        ('[{registry: {only: "TB-1-*", latest: {temperature: "21.5"}}}]', Verdict.PASSED),
        ('[{registry: {only: "TB-1-*", latest: {temperature: "3"}}}]', Verdict.FAILED),
        ('[{registry: {only: "TB-1-*", is_gateway: true}}]', Verdict.FAILED),
        ('[{registry: {only: "TB-1", is_gateway: false}}]', Verdict.FAILED),
        ('[{registry: {only: "TB-2-2", absent: true}}]', Verdict.FAILED),
    ],
)
def test_records_of_children_are_there(tmp_path: Path, expect: str, verdict: Verdict) -> None:
    report = played(tmp_path, "count: 2, children: 2", phase("{wait: 1s}", expect))
    assert report.phases[-1].verdict is verdict, report
    assert report.devices == 6


def test_a_gateway_without_children_is_one(tmp_path: Path) -> None:
    report = played(tmp_path, "gateway: true", phase("{wait: 1s}", "[{registry: {devices: 1, is_gateway: true}}]"))
    assert report.verdict is Verdict.PASSED, report


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        ('[{registry: {devices: 2, name: "{serial}-old"}}]', Verdict.PASSED),
        ('[{registry: {devices: 2, name: "{serial}"}}]', Verdict.FAILED),
        ("[{registry: {absent: true}}]", Verdict.FAILED),
    ],
)
def test_a_renamed_record_is_found_under_its_new_name(tmp_path: Path, expect: str, verdict: Verdict) -> None:
    renamed = phase('[{rename: {to: "{serial}-old"}}, {wait: 1s}]', expect)
    assert played(tmp_path, "count: 2", renamed).phases[-1].verdict is verdict


def test_a_record_with_the_name_of_the_device_is_found_before_the_renamed_one(tmp_path: Path) -> None:
    twice = phase('[{rename: {to: "{serial}-old"}}, factory_reset]', '[{registry: {name: "{serial}"}}]')
    assert played(tmp_path, "count: 1", twice).verdict is Verdict.PASSED


@pytest.mark.parametrize("do", ['{delete: {name: "{serial}-cellar"}}', "[delete, {delete: {}}]"])
def test_a_record_that_is_not_there_breaks_the_run(tmp_path: Path, do: str) -> None:
    report = played(tmp_path, "count: 1", phase(do, "[{registry: {devices: 1}}]"))
    assert report.verdict is Verdict.BROKEN
    assert "knows no device TB-1" in report.reason


@pytest.mark.parametrize(
    ("credential", "kind"),
    [("own_token", "ACCESS_TOKEN"), ("mqtt_basic", "MQTT_BASIC"), ("certificate", "X509_CERTIFICATE")],
)
def test_devices_are_imported_with_what_they_bring_along(tmp_path: Path, credential: str, kind: str) -> None:
    """They log in with it although they have never asked: an import is all that they need."""
    imported = f"""
    server: {{settings: {{provisionType: CHECK_PRE_PROVISIONED_DEVICES}}}}
    phases:
      - name: imported
        do: preregister
        within: 10s
        expect: [{{registry: {{devices: 2, in_state: imported, credentials_type: {kind}, tokens_differ: true}}}}]
"""
    restored = phase(
        "restore_credentials", '[{receives: {name: login, line: "CONNACK 0"}}, {sends: {name: telemetry}}]'
    )
    report = played(tmp_path, f"count: 2, credential: {credential}", restored, begin=imported)
    assert report.verdict is Verdict.PASSED, report


def test_lost_credentials_are_asked_for_once_and_forgotten_ones_three_times(tmp_path: Path) -> None:
    asked = "[{reaches: {stage: refused}}, {receives: {name: provision, times: TIMES}}]"
    for word, times in (("lose_credentials", "1"), ("factory_reset", "3")):
        report = played(tmp_path, "count: 1", phase(word, asked.replace("TIMES", times)).replace("within", "for"))
        assert report.verdict is Verdict.PASSED, report


@pytest.mark.parametrize(
    ("do", "sentence"),
    [
        ("{rename: {to: cellar}}", "expected a name that begins with {serial}, such as '{serial}-old'"),
        ('{delete: {name: "cellar"}}', "expected a name that begins with {serial}"),
        ("{rename: {only: TB-1}}", "rename: to is missing"),
        ("loose_credentials", "did you mean 'lose_credentials'"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, do: str, sentence: str) -> None:
    write_scenario(tmp_path, ONLINE + phase(do, "[{registry: {devices: 1}}]"), "thingsboard/x",
                   HEAD.replace("MORE", "count: 1"))  # fmt: skip
    said = " ".join(fleetrig("check", cwd=tmp_path).stderr.split())
    assert "x.yaml:11:" in said
    assert sentence in said


@pytest.mark.parametrize(
    ("do", "expect", "sentence"),
    [
        ("wait: 1s", '[{reaches: {only: "TB-1-1", stage: online}}]', "'TB-1-1' selects no device; there is TB-1"),
        ("wait: 1s", "[{reaches: {stage: online, devices: 2}}]", "2 devices are wanted, and there is only one"),
        ('power_cut: {only: "TB-1-?"}', "[{registry: {devices: 3}}]", "'TB-1-?' selects no device"),
        ('delete: {only: "TB-1-?"}', "[{registry: {devices: 3}}]", ""),
        ("wait: 1s", '[{registry: {only: "TB-1-2", devices: 1}}]', ""),
    ],
)
def test_what_children_do_is_their_gateways_doing(tmp_path: Path, do: str, expect: str, sentence: str) -> None:
    """A check of what children say would be one over nothing."""
    write_scenario(tmp_path, ONLINE + phase(f"{{{do}}}", expect), "thingsboard/x",
                   HEAD.replace("MORE", "children: 2").replace("TB-{n}", "TB-1"))  # fmt: skip
    done = fleetrig("check", cwd=tmp_path)
    assert done.returncode == (4 if sentence else 0)
    assert sentence in " ".join(done.stderr.split())
