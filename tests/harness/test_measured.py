"""What a passed check measured: on the console, in JUnit, in the trace, and again from a stored trace."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.running_server.server import RunningServer
from tests.harness.command import PROJECT, fleetrig
from tests.harness.runs import HEAD, write_scenario
from tests.harness.test_pytest_plugin import pytest_in

pytestmark = pytest.mark.slow

STEADY = """
    phases:
      - name: first contact
        do: [preregister, power_on]
        within: 10s
        expect:
          - reaches: {stage: online}
          - registry: {in_state: registered, devices: 2, tokens_differ: true}
      - name: steady
        for: 5s
        expect:
          - gap: {between: poll, at_least: 1s, at_most: 2s}
          - rate: {of: poll, at_most: 3}
          - attempts: {of: poll, at_most: 1}
          - sends: {name: poll, times: {at_least: 4}}
          - never: {sends: {name: download}}
"""
MEASURED = [
    "2 devices after 0.004 s",
    "2 records: registered ×2; 2 different tokens",
    "1.002 s in 6 gaps",
    "2 in 1 s at the peak, 8 in all",
    "0 in a row at most, of 8 tries by 2 devices",
    "4 times for each of 2 devices",
    "never, while 2 devices sent 8 requests",
]


def lines_in(said: str) -> list[str]:
    return re.findall(r"^ +measured  (.*)$", said, re.MULTILINE)


def test_a_person_sees_it_with_v(tmp_path: Path) -> None:
    write_scenario(tmp_path, STEADY)
    done = fleetrig("run", "-v", cwd=tmp_path)
    assert (done.returncode, lines_in(done.stdout)) == (0, MEASURED)
    gap = "    ok gap {between: poll, at_least: 1s, at_most: 2s}  line 15\n        measured  1.002 s in 6 gaps\n"
    assert gap in done.stdout
    assert lines_in(fleetrig("run", cwd=tmp_path).stdout) == []


def test_what_passed_beside_a_failure_shows_it_too(tmp_path: Path) -> None:
    write_scenario(tmp_path, STEADY.replace("rate: {of: poll, at_most: 3}", "rate: {of: poll, at_most: 1}"))
    done = fleetrig("run", "--junit", "j.xml", cwd=tmp_path)
    assert done.returncode == 1
    assert lines_in(done.stdout) == ["never, while 2 devices sent 2 requests"], "up to where it failed"
    case = next(ET.parse(tmp_path / "j.xml").getroot().iter("testcase"))
    assert [child.tag for child in case if child.tag in ("failure", "system-out")] == ["failure", "system-out"]
    assert lines_in(case.findtext("system-out") or "")[:2] == MEASURED[:2]


def test_junit_holds_it_for_what_passed(tmp_path: Path) -> None:
    write_scenario(tmp_path, STEADY)
    fleetrig("run", "--junit", "j.xml", cwd=tmp_path)
    case = next(ET.parse(tmp_path / "j.xml").getroot().iter("testcase"))
    said = case.findtext("system-out") or ""
    assert lines_in(said) == MEASURED
    assert "phase «steady», line 16: rate {of: poll, at_most: 3}\n    measured  2 in 1 s at the peak, 8 in all" in said


def test_the_trace_holds_it_and_a_report_shows_it_again(tmp_path: Path) -> None:
    write_scenario(tmp_path, STEADY)
    fleetrig("run", "--trace", "t.jsonl", cwd=tmp_path)
    events = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()[1:]]
    told = [event for event in events if event["lane"] == "bench" and event["kind"] == "measured"]
    assert [event["reason"] for event in told] == MEASURED
    assert told[3]["name"] == "rate {of: poll, at_most: 3}"

    again = fleetrig("report", "t.jsonl", "-v", "--junit", "j.xml", cwd=tmp_path)
    recorded = [MEASURED[0], f"as recorded: {MEASURED[1]}", *MEASURED[2:]]
    assert lines_in(again.stdout) == recorded
    case = next(ET.parse(tmp_path / "j.xml").getroot().iter("testcase"))
    assert lines_in(case.findtext("system-out") or "") == recorded


def test_a_trace_of_an_older_version_is_judged_all_the_same(tmp_path: Path) -> None:
    write_scenario(tmp_path, STEADY)
    fleetrig("run", "--trace", "t.jsonl", cwd=tmp_path)
    events = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    older = [event for event in events if event.get("kind") != "measured"]
    written = Counter[str]()
    for event in older:
        if "seq" in event:  # each lane counts its own
            written[event["lane"]] += 1
            event["seq"] = written[event["lane"]]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(event) + "\n" for event in older))
    again = fleetrig("report", "t.jsonl", "-v", cwd=tmp_path)
    assert (again.returncode, lines_in(again.stdout)) == (0, [MEASURED[0], *MEASURED[2:]])


def test_pytest_shows_it_too(tmp_path: Path) -> None:
    write_scenario(tmp_path, STEADY)
    code, said = pytest_in(tmp_path, "scenarios", "-rP")
    assert (code, lines_in(said)) == (0, MEASURED)


def test_secrets_stay_hidden(tmp_path: Path) -> None:
    body = STEADY.replace("tokens_differ: true", "attributes: {colour: hunter22}")
    head = HEAD.replace("count: 2", "count: 2, attributes: {colour: hunter22}")
    write_scenario(tmp_path, body, head=head)
    done = fleetrig("run", "-v", "--trace", "t.jsonl", cwd=tmp_path)
    assert "attributes {'colour': 'hunter22'}" in done.stdout, "what is no secret is shown"
    assert re.search(r"TargetToken [0-9a-f]{8}", done.stdout + (tmp_path / "t.jsonl").read_text()) is None


NEVER_ON = """
    phases:
      - name: nobody is switched on
        do: preregister
        for: 5s
        expect:
          - {CHECK}
"""


@pytest.mark.parametrize(
    ("check", "got"),
    [
        ("never: {sends: {name: configData}}", "it could not have happened: HB-1, HB-2 were never on"),
        ("sends: {name: configData, times: 0}", "it could not have happened: HB-1, HB-2 were never on"),
        ("refused: {times: 0}", "it could not have happened: HB-1, HB-2 were never on"),
        ("rate: {of: poll, at_most: 5}", "none were seen, so there is nothing to measure"),
        ("attempts: {of: poll, at_most: 1}", "none were tried, so there is nothing to measure"),
        ("keeps_running", "none was ever on, so none could"),
    ],
)
def test_a_check_over_nothing_fails_the_run(tmp_path: Path, check: str, got: str) -> None:
    write_scenario(tmp_path, NEVER_ON.replace("{CHECK}", check))
    done = fleetrig("run", "--trace", "t.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert f"got       {got}\n" in done.stdout
    again = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert (again.returncode, f"got       {got}\n" in again.stdout) == (1, True)
    write_scenario(
        tmp_path, NEVER_ON.replace("{CHECK}", check).replace("do: preregister", "do: [preregister, power_on]")
    )
    assert fleetrig("run", cwd=tmp_path).returncode == 0, "devices that live and do not do it"


SILENT = """
    phases:
      - name: let in
        do: [preregister, power_on]
        within: 10s
        expect: [{reaches: {stage: online}}]
      - name: one of them goes
        do: [{power_cut: {only: HB-2}}, {wait: 3s}]
        for: 7s
        expect: [{gap: {between: poll, at_most: 2s}}]
"""


def test_a_device_that_is_off_is_not_silent_but_one_that_is_on_is(tmp_path: Path) -> None:
    write_scenario(tmp_path, SILENT)
    assert fleetrig("run", cwd=tmp_path).returncode == 0
    write_scenario(
        tmp_path,
        SILENT.replace("gap:", "gap:").replace(
            "only: HB-2}}, {wait", 'only: HB-2}}, {configure: {pollingTime: "00:01:00"}}, {wait'
        ),
    )
    done = fleetrig("run", "--trace", "t.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r"got       HB-1 did not for the last \d\.\d+ s", done.stdout)
    assert fleetrig("report", "t.jsonl", cwd=tmp_path).returncode == 1


@pytest.mark.slow
def test_against_a_server_and_for_programs(tmp_path: Path, empty_server: RunningServer) -> None:
    write_scenario(tmp_path, STEADY.replace("at_most: 2s", "at_most: 3s"))
    done = fleetrig("run", "-v", "--against", empty_server.url, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 records: registered ×2; 2 different tokens" in lines_in(done.stdout)
    device = f"python {PROJECT}/tests/harness/external/polling_device.py"
    done = fleetrig("run", "external/hawkbit/duplicate_id", "--scenarios", f"{PROJECT}/scenarios", "-v",
                    "--device-command", device, cwd=tmp_path)  # fmt: skip
    assert "none from two addresses by turns" in done.stdout, done.stdout
