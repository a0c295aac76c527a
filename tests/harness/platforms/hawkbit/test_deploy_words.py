"""`deploy`: several modules and files, windows, urgency, confirmation; mistakes with line and near word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.platforms.hawkbit.actions import once_at
from fleetrig.harness.platforms.hawkbit.updates import named_as
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.runs import run_once

HEAD = """
    scenario: An update
    devices: {count: 2, flow: hawkbit, serial: "HB-{n}", install_time: 1s}
    server: {settings: {pollingTime: "00:00:01"SETTINGS}}
"""
BODY = """
    phases:
      - name: deployed
        do: [preregister, power_on, DO]
        within: 60s
        expect: [EXPECT]
"""
INSTALLED = "{registry: {in_state: in_sync, installed: '1', action: finished}}"


def reported(folder: Path, deploy: str, expect: str = INSTALLED, settings: str = "", **options: Any) -> Report:
    body = BODY.replace("DO", f"{{deploy: {{version: '1', {deploy}}}}}").replace("EXPECT", expect)
    return run_once(folder, body, head=HEAD.replace("SETTINGS", settings), **options)


@pytest.mark.parametrize(
    ("modules", "files"),
    [
        ("[{type: os}]", ["1.img"]),
        ("[{type: os, files: 2}]", ["1-1.img", "1-2.img"]),
        ("[{type: application, files: [a.bin]}]", ["a.bin"]),
        ("[{type: os, files: 1}, {type: application, files: 2}]", ["1-1.img", "1-2-1.img", "1-2-2.img"]),
        ("[{type: application}, {type: application, files: ['ü+#(1).bin']}]", ["1-1.img", "%C3%BC%2B%23%281%29.bin"]),
    ],
)
def test_modules_and_files(modules: str, files: list[str], tmp_path: Path) -> None:
    fetched = ", ".join(f"{{sends: {{name: download, path: '*/artifacts/{file}', times: 1}}}}" for file in files)
    every = f"{{sends: {{name: download, times: {len(files)}}}}}"
    assert reported(tmp_path, f"modules: {modules}", f"{fetched}, {every}, {INSTALLED}").verdict is Verdict.PASSED


def test_files_differ_and_have_their_size(tmp_path: Path) -> None:
    deploy = "size: 1KiB, modules: [{files: 1}, {type: application, files: 2, size: 3KiB}]"
    expect = (
        "{receives: {name: deploymentBase, body_has: {"
        "deployment.chunks.0.artifacts.0.size: 1024, deployment.chunks.1.artifacts.1.size: 3072}}}"
    )
    other_order = expect.replace("chunks.0", "chunks.9").replace("chunks.1", "chunks.0").replace("chunks.9", "chunks.1")
    verdicts = [reported(tmp_path, deploy, one).verdict for one in (expect, other_order)]
    assert Verdict.PASSED in verdicts, "a server may give modules in any order"


@pytest.mark.slow
def test_a_window_that_opens_later(tmp_path: Path) -> None:
    expect = (
        "{order: [{receives: {name: deploymentBase, body_has: {deployment.maintenanceWindow: unavailable}}}, "
        "{receives: {name: deploymentBase, body_has: {deployment.maintenanceWindow: available}}}, "
        f"{{sends: {{name: feedback-closed}}}}]}}, {INSTALLED}"
    )
    for real_time in (False, True):
        deploy = "window: {opens_after: 4s, duration: '00:01:00'}"
        assert reported(tmp_path, deploy, expect, real_time=real_time).verdict is Verdict.PASSED


def test_a_window_with_a_schedule(tmp_path: Path) -> None:
    expect = "{receives: {name: deploymentBase, body_has: {deployment.maintenanceWindow: unavailable}}}"
    deploy = "window: {schedule: '0 0 2 ? 6 MON', duration: '01:00:00', timezone: '+02:00'}"
    assert reported(tmp_path, deploy, expect).verdict is Verdict.PASSED


@pytest.mark.parametrize(("type_", "word"), [("forced", "forced"), ("soft", "attempt"), ("downloadonly", "forced")])
def test_how_urgent(type_: str, word: str, tmp_path: Path) -> None:
    expect = f"{{receives: {{name: deploymentBase, body_has: {{deployment.download: {word}}}}}}}"
    assert reported(tmp_path, f"type: {type_}", expect).verdict is Verdict.PASSED


def test_soft_first_and_forced_later(tmp_path: Path) -> None:
    deploy = "type: timeforced, force_after: 5s, window: {opens_after: 20s}"
    expect = (
        "{order: [{receives: {name: deploymentBase, body_has: {deployment.download: attempt}}}, "
        "{receives: {name: deploymentBase, body_has: {deployment.download: forced}}}]}"
    )
    assert reported(tmp_path, deploy, expect).verdict is Verdict.PASSED


def test_who_is_asked_first(tmp_path: Path) -> None:
    flow = ", user.confirmation.flow.enabled: true"
    asked, silent = "{sends: {name: feedback-confirmed}}", "{never: {sends: {name: 'confirmationBase'}}}"
    assert reported(tmp_path, "confirmation_required: true", f"{asked}, {INSTALLED}", flow).verdict is Verdict.PASSED
    assert reported(tmp_path, "confirmation_required: false", f"{silent}, {INSTALLED}", flow).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("deploy", "said"),
    [
        ("modules: []", "modules"),
        ("modules: [{typ: os}]", "did you mean 'type'"),
        ("modules: [{type: firmware}]", "os"),
        ("modules: [{files: 0}]", "files: expected a number of files from 1 to 50"),
        ("modules: [{files: true}]", "files: expected a number of files"),
        ("modules: [{files: [1]}]", "files: expected a number of files"),
        ("modules: [{files: 51}]", "files"),
        ("modules: [{files: [a, a]}]", "names that differ from each other"),
        ("modules: [{files: 2, size: 1GiB}]", "1GiB in all files together"),
        ("modules: [{files: ['a/b']}]", "a list of up to 50 names"),
        ("modules: [{type: os}, {type: os}]", "one module of type os at most"),
        ("type: timeforced", "type: timeforced and force_after belong together"),
        ("force_after: 5s", "type: timeforced and force_after belong together"),
        ("type: time_forced", "did you mean 'timeforced'"),
        ("window: {}", "expected schedule (a Quartz cron) or opens_after (a time), one of them"),
        ("window: {schedule: '0 0 2'}", "a Quartz cron of 6 or 7 fields"),
        ("window: {opens_after: 5s, schedule: '0 0 2 * * ?'}", "one of them"),
        ("window: {opens_after: 5s, timezone: '+01:00'}", "leave timezone away"),
        ("window: {opens_after: 5s, duration: 1h}", "a duration such as 01:00:00"),
        ("confirmation_required: maybe", "confirmation_required"),
        ("confirmation: required", "did you mean 'confirmation_required'"),
    ],
)
def test_mistakes_name_the_line(deploy: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileMistakes) as wrong:
        reported(tmp_path, deploy)
    assert said in str(wrong.value)
    assert "x.yaml:7:" in str(wrong.value)


@pytest.mark.parametrize(
    ("name", "image", "named"),
    [("a.img", None, "a.img"), ("a.img", "/x/fw.swu", "a.swu"), ("Größe+1#2.b.img", "fw.raucb", "Größe+1#2.b.raucb")],
)
def test_a_devices_own_image_keeps_its_ending(name: str, image: str | None, named: str) -> None:
    assert named_as(name, None if image is None else Path(image)) == named


def test_once_is_a_cron_with_a_year() -> None:
    assert once_at(1_767_225_600_000_000) == "0 0 0 1 1 ? 2026"
    assert once_at(1_767_225_600_000_001) == "1 0 0 1 1 ? 2026"
