"""Globs that select nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile

Read = Callable[[str], ScenarioFile]
HEAD = 'scenario: x\ndevices: {flow: hawkbit, count: 3, serial: "HB-{n}"}\nphases:\n  - name: a\n'


def mistakes(file: ScenarioFile) -> list[str]:
    try:
        expand(file)
    except FileMistakes as wrong:
        return [f"{problem.mark.line}:{problem.mark.column}: {problem.sentence}" for problem in wrong.problems]
    return []


@pytest.mark.parametrize(
    ("phase", "wrong"),
    [
        ('    do: {power_on: {only: "HB-*"}}\n', []),
        ('    do: {power_on: {only: "HX-*"}}\n', ["5:28: 'HX-*' selects no device; there is HB-1 to HB-3"]),
        ('    do: {deploy: {version: "1", to: "HB-4"}}\n', ["5:38: 'HB-4' selects no device; there is HB-1 to HB-3"]),
        (
            '    for: 1s\n    expect:\n      - sends: {only: "hb-1"}\n      - never: {sends: {only: "Q"}}\n',
            ["7:24: 'hb-1' selects no device", "8:32: 'Q' selects no device"],
        ),
        ('    for: 1s\n    expect: [{registry: {only: "HB-9", absent: true}}]\n', ["6:33: 'HB-9' selects no device"]),
        (
            "    for: 1s\n    expect:\n      - order: [{sends: {only: HB-1}}, {sends: {only: HB-2}}]\n",
            ["7:7: 'HB-1 and HB-2' selects no device"],
        ),
        ("    for: 1s\n    expect:\n      - order: [{sends: {only: HB-1}}, {sends: {only: HB-*}}]\n", []),
    ],
)
def test_a_glob_that_selects_nobody_is_a_mistake(read: Read, phase: str, wrong: list[str]) -> None:
    found = mistakes(read(HEAD + phase))
    assert len(found) == len(wrong)
    for one, start in zip(found, wrong, strict=True):
        assert one.startswith(start)


@pytest.mark.parametrize(
    "check", ["reaches: {stage: online, devices: 4}", "record: {passed: 4}", "registry: {devices: 4}"]
)
def test_more_devices_than_there_are_is_a_mistake(read: Read, check: str) -> None:
    phase = f"    for: 1s\n    expect:\n      - {check}\n"
    (found,) = mistakes(read(HEAD + phase))
    assert found.startswith("7:9: 4 devices are wanted, and there are only 3")
    assert mistakes(read(HEAD + phase.replace("4", "3"))) == []


def test_devices_behind_a_gateway_are_selected_by_each_run_of_a_matrix(read: Read) -> None:
    text = HEAD.replace("count: 3", "children: '${behind}', credential: gateway_token, count: 3").replace(
        "scenario: x\n", "scenario: x\nmatrix: {behind: [1, 0]}\n"
    )
    (found,) = mistakes(read(text + '    do: {power_on: {only: "HB-1-1"}}\n'))
    assert "'HB-1-1' selects no device" in found


def test_the_serials_of_a_list_count(read: Read) -> None:
    file = read(HEAD + '    do: {power_on: {only: "A-1"}}\n')
    path = file.source.path.with_name("units.csv")
    path.write_text("serial\nA-1\nA-2\n")
    text = HEAD.replace('count: 3, serial: "HB-{n}"', "csv: units.csv")
    assert mistakes(read(text + '    do: {power_on: {only: "A-1"}}\n')) == []
    assert mistakes(read(text + '    do: {power_on: {only: "A-3"}}\n'))
