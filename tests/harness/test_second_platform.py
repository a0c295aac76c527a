"""Another platform is a folder and a line in the table: the echo platform, with MQTT's packets, runs scenarios."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.commands.plan import lines_of
from fleetrig.harness.platforms import PLATFORMS
from fleetrig.harness.run.replay import replay
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file import platform_models
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.selection import Expanded, expand
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.verdict import Report, Verdict

pytestmark = pytest.mark.slow

ECHO = """\
scenario: Gateways hear their echo, and a reminder that nobody has asked for
needs: [echo, reference.faults]
devices: {flow: echo, count: 2, serial: "gw-{n}"}
server: {settings: {echo.enabled: true}}
phases:
  - name: first life
    do: [{announce: {text: hello, only: gw-2}}, power_on]
    within: 30s
    expect:
      - reaches: {stage: online}
      - receives: {line: "CONNACK 0", times: 1}
      - sends: {line: "PUBLISH up", times: 1}
      - sends: {line: "PINGREQ", times: 2}
      - order: [{sends: {name: connect}}, {receives: {line: "PUBLISH echo/*"}}, {receives: {line: "PUBLISH reminder"}}]
      - never: {no_reply: {}}
      - attempts: {of: connect, at_most: 0}
      - registry: {devices: 2, in_state: known, published: 2}
      - record: {file: units}
"""


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The line."""
    monkeypatch.setitem(PLATFORMS, "echo", "tests.second_platform")
    platform_models._models_for.cache_clear()
    yield
    platform_models._models_for.cache_clear()


def expanded(folder: Path, text: str = ECHO) -> Expanded:
    file = folder / "scenarios" / "echo" / "x.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    (one,) = expand(read_scenario(file, "echo/x"))
    return one


def run_in_virtual_time(folder: Path, text: str = ECHO) -> Report:
    options = RunOptions(results=folder / "results", trace=folder / "t.jsonl")
    return asyncio.run(run(expanded(folder, text), options))


@pytest.mark.slow
def test_its_scenario_passes_over_real_mqtt(tmp_path: Path) -> None:
    """The reference server's front and codec on one side, paho-mqtt on the other, the same verdict."""
    options = RunOptions(real_time=True, results=tmp_path / "results", trace=tmp_path / "t.jsonl")
    report = asyncio.run(run(expanded(tmp_path), options))
    assert report.verdict is Verdict.PASSED, report
    assert "open sesame" not in (tmp_path / "t.jsonl").read_text()


def test_its_scenario_passes(tmp_path: Path) -> None:
    report = run_in_virtual_time(tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert report.profile == "1"
    rows = json.loads((tmp_path / "results" / "echo" / "x" / "units.json").read_text())
    assert [list(row) for row in rows] == [["serial", "client", "fingerprint", "verdict"]] * 2
    assert "open sesame" not in (tmp_path / "t.jsonl").read_text()


def test_its_scenario_fails_where_it_should(tmp_path: Path) -> None:
    text = ECHO.replace("published: 2", "published: 3").replace('"PINGREQ", times: 2', '"PINGREQ", times: 1')
    report = run_in_virtual_time(tmp_path, text)
    failed = [check.finding for check in report.phases[0].checks if check.verdict is Verdict.FAILED]
    assert report.verdict is Verdict.FAILED
    assert [finding.expected for finding in failed if finding] == ["every device sends PINGREQ, exactly once"]
    assert failed[0] is not None
    assert failed[0].evidence[-1].line.endswith("sent ping PINGREQ")


def test_its_records_are_compared(tmp_path: Path) -> None:
    report = run_in_virtual_time(tmp_path, ECHO.replace("published: 2", "published: 3"))
    (finding,) = [check.finding for check in report.phases[0].checks if check.finding]
    assert (finding.expected, finding.got) == ("the record of gw-1 has published 3", "2 (gw-2 differ too)")


def test_its_trace_is_judged_again(tmp_path: Path) -> None:
    assert run_in_virtual_time(tmp_path).verdict is Verdict.PASSED
    again, remark = replay(tmp_path / "t.jsonl", tmp_path / "scenarios")
    assert (again.verdict, remark) == (Verdict.PASSED, "")


def test_it_can_be_planned(tmp_path: Path) -> None:
    page = "\n".join(lines_of(expanded(tmp_path)))
    assert "server  echo, with these settings of the tenant in force:\n               echo.enabled = true" in page
    assert "gw-1, gw-2; over mqtt with password" in page
    assert "announce 'hello' of the devices gw-2" in page


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("announce: {", "anounce: {", "'anounce' is not known here; did you mean 'announce'?"),
        ("announce: {text: hello, only: gw-2}", "preregister: {}", "'preregister' is not known here"),
        ("published: 2", "installed: x", "'installed' is not known here"),
        ("in_state: known", "in_state: known_", "expected unknown or known, got 'known_'; did you mean 'known'?"),
        ("echo.enabled", "pollingTime", "server.settings: 'pollingTime' is not known here; known is echo.enabled"),
        (
            "flow: echo",
            "flow: ecko",
            "devices.flow: expected hawkbit, thingsboard, hono, kura or echo, got 'ecko'; did you mean 'echo'?",
        ),
    ],
)
def test_words_of_another_platform_are_mistakes(tmp_path: Path, right: str, wrong: str, sentence: str) -> None:
    assert right in ECHO
    with pytest.raises(FileMistakes) as refused:
        expanded(tmp_path, ECHO.replace(right, wrong))
    assert [sentence in one.sentence for one in refused.value.problems] == [True]


def test_start_up_properties_that_it_lacks_are_one_sentence(tmp_path: Path) -> None:
    report = run_in_virtual_time(tmp_path, ECHO.replace("server: {", "server: {properties: {x: 1}, "))
    assert report.verdict is Verdict.BROKEN
    assert report.reason.endswith("server.properties: an echo has no properties")
