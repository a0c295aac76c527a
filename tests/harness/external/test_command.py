"""`fleetrig run external`: skipped without a device, judged with one, and the words that do not go together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fleetrig.harness.report.exits import Exit
from tests.harness.command import PROJECT, fleetrig

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("polling_device.py")
DEVICE = f"{sys.executable} {PROGRAM}"
SCENARIOS = ("--scenarios", str(PROJECT / "scenarios"))


def test_without_a_device_all_is_skipped_with_the_reason(tmp_path: Path) -> None:
    done = fleetrig("run", "external", *SCENARIOS, cwd=tmp_path)
    assert done.returncode == Exit.NOTHING_JUDGED
    assert "passed" not in done.stdout
    assert "say --device-command CMD" in done.stdout


def test_our_own_device_in_its_place(tmp_path: Path) -> None:
    done = fleetrig("run", "external/hawkbit/update", "--own-device", *SCENARIOS, cwd=tmp_path)
    assert done.returncode == Exit.PASSED
    assert "1 passed" in done.stdout


@pytest.mark.slow
def test_a_program_that_only_polls(tmp_path: Path) -> None:
    """It polls too fast for one row and well enough for another; its output is kept."""
    wanted = ("external/hawkbit/zero_interval", "external/hawkbit/duplicate_id")
    done = fleetrig("run", *wanted, "--device-command", DEVICE, *SCENARIOS, cwd=tmp_path)
    assert done.returncode == Exit.FAILED, done.stdout
    assert "ok external/hawkbit/duplicate_id" in done.stdout
    assert "FAIL gap {between: poll, at_least: 950ms}" in done.stdout
    assert f"--device-command '{DEVICE}'" in done.stdout
    log = tmp_path / "fleetrig-results" / "external" / "hawkbit" / "zero_interval" / "EXT-0001.log"
    assert "answered 200" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ("--device-command", DEVICE, "--own-device"),
        ("--device-command", DEVICE, "--time", "virtual"),
        ("--device-image", str(PROGRAM)),
        ("--device-command", "no-such-program"),
        ("--device-command", ""),
        ("--device-command", DEVICE, "--device-image", "no-such-file"),
    ],
)
def test_what_does_not_go_together(words: tuple[str, ...], tmp_path: Path) -> None:
    done = fleetrig("run", "external", *words, *SCENARIOS, cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert "--device" in done.stderr


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("do: {power_on: {cut_at: 'poll#1:sent'}}", "cut_at is a point of a device's inner life"),
        ("do: {set_attributes: {attributes: {a: 1}}}", "set_attributes changes a device's inner life"),
        ("expect: [{reaches: {stage: online}}]", "it is about a stage of a device"),
        ("expect: [record]", "it is about a stage of a device"),
        ("expect: [{order: [{sends: {name: poll}}, {reaches: {stage: online}}]}]", "it is about a stage of a device"),
        ("expect: [{never: {reaches: {stage: refused}}}]", "it is about a stage of a device"),
    ],
)
def test_nobody_can_look_into_a_program(line: str, why: str, tmp_path: Path) -> None:
    head = "scenario: x\ndevices: {flow: hawkbit, external: true}\nphases:\n  - name: a\n    for: 1s\n    "
    (tmp_path / "x.yaml").write_text(head + line + "\n", encoding="utf-8")
    done = fleetrig("check", "x.yaml", "--scenarios", ".", cwd=tmp_path)
    assert done.returncode == Exit.WRONG_USAGE
    assert why in done.stderr
    assert "nobody can look into an external device" in done.stderr
    (tmp_path / "x.yaml").write_text(head.replace("external: true", "external: false") + line + "\n", encoding="utf-8")
    assert fleetrig("check", "x.yaml", "--scenarios", ".", cwd=tmp_path).returncode == Exit.PASSED


def test_a_trace_can_be_judged_again(tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    done = fleetrig("run", "external/hawkbit/interval", "--own-device", "--trace", str(trace), *SCENARIOS, cwd=tmp_path)
    assert done.returncode == Exit.PASSED
    again = fleetrig("report", str(trace), "--verbose", *SCENARIOS, cwd=tmp_path)
    assert again.returncode == Exit.PASSED, again.stdout + again.stderr
    assert "ok gap {between: poll, at_least: 1.9s, at_most: 4s}" in again.stdout


def test_a_plan_says_who_the_devices_are(tmp_path: Path) -> None:
    done = fleetrig("plan", "external/hawkbit/secrets[credential=target_token]", *SCENARIOS, cwd=tmp_path)
    assert "programs started by --device-command" in done.stdout
    assert "no token stands in what the programs of all devices write" in done.stdout
    assert "no device program exits" in done.stdout
