"""`rollout` and `move_rollout` in scenario files: which devices they mean, and what cannot be done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fleetrig.harness.platforms.hawkbit.rollouts import query_of
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.reference_server.platforms.hawkbit.search.rsql import Comparison, Operator, parse
from tests.harness.runs import run_once

HEAD = """
    scenario: A rollout
    devices: {count: 4, flow: hawkbit, serial: "HB-{n:04d}", install_time: 1s}
    server: {settings: {pollingTime: "00:00:30"SETTINGS}}
"""
BODY = """
    phases:
      - name: rolled out
        do: [preregister, power_on, DO]
        within: 200s
        expect: [EXPECT]
"""


def reported(folder: Path, do: str, expect: str, settings: str = "") -> Report:
    body = BODY.replace("DO", do).replace("EXPECT", expect)
    return run_once(folder, body, head=HEAD.replace("SETTINGS", settings))


@pytest.mark.parametrize(
    ("prefix", "glob", "query"),
    [
        ("", "*", "controllerId==*"),
        ("fr1-", "HB-*", "controllerId==fr1-HB-*"),
        ("", "HB-000[12]", "controllerId=in=(HB-0001,HB-0002)"),
        ("fr1-", "*,name==*", "controllerId=='fr1-*,name==*'"),
        ("", "a';x", "controllerId=='a\\';x'"),
    ],
)
def test_devices_are_meant_by_a_query(prefix: str, glob: str, query: str) -> None:
    serials: Sequence[str] = ("HB-0001", "HB-0002")
    assert query_of(prefix, glob, serials) == query


def test_a_serial_cannot_end_the_value_of_a_query() -> None:
    query = query_of("", "[x]*", ["x),name==*", "x'\\y"])
    assert parse(query) == Comparison("controllerid", Operator.IN, ("x),name==*", "x'\\y"))


def test_groups_follow_each_other(tmp_path: Path) -> None:
    report = reported(
        tmp_path, "{rollout: {version: '2', groups: 2}}", "{registry: {in_state: in_sync, installed: '2'}}"
    )
    assert report.verdict is Verdict.PASSED


def test_an_operator_begins_the_next_group(tmp_path: Path) -> None:
    do = "{rollout: {version: '2', groups: 4, success_percent: 100}}, {wait: 3s}, "
    do += "{move_rollout: {version: '2', move: next_group}}"
    expect = "{registry: {only: 'HB-000[12]', in_state: pending}}, {registry: {only: HB-0003, action: scheduled}}"
    assert reported(tmp_path, do, expect).verdict is Verdict.PASSED


def test_a_rollout_that_there_is_not_is_not_moved(tmp_path: Path) -> None:
    report = reported(tmp_path, "{move_rollout: {version: '2', move: pause}}", "{registry: {devices: 4}}")
    assert report.verdict is Verdict.BROKEN
    assert "no rollout of version 2 was made; there is none yet: say rollout before that" in report.reason


def test_a_rollout_that_waits_for_approval_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    report = reported(
        tmp_path, "{rollout: {version: '2'}}", "{registry: {devices: 4}}", ", rollout.approval.enabled: true"
    )
    assert report.verdict is Verdict.BROKEN
    assert "is waiting_for_approval after 30 s" in report.reason
