"""JUnit XML as CI servers read it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.report.exits import Exit, ExitRules, exit_of_all
from fleetrig.harness.report.junit import by_rules, junit, write_junit
from fleetrig.harness.verdict import CheckResult, Evidence, Finding, PhaseResult, Report, Verdict
from fleetrig.simulator.contract.errors import BrokenBench

FINDING = Finding("a", "b", (Evidence("device", 7, "HB-1 sent poll"),), "hawkbit#S41")
PHASES = (PhaseResult("first contact", (CheckResult("sends poll", Verdict.FAILED, FINDING, 12),), 1.0),)


def case(report: Report) -> ET.Element:
    (found,) = junit([report]).iter("testcase")
    return found


def report(verdict: Verdict, name: str = "hawkbit/deep/x[cut=poll#1:sent]", **more: object) -> Report:
    return Report(name, "It works", verdict, took_s=1.5, **more)  # type: ignore[arg-type]


def test_a_testcase_is_named_by_its_folder_and_its_id() -> None:
    found = case(report(Verdict.PASSED))
    assert found.attrib == {"classname": "hawkbit.deep", "name": "x[cut=poll#1:sent]", "time": "1.500"}
    assert case(report(Verdict.PASSED, "loose")).attrib == {"classname": "scenarios", "name": "loose", "time": "1.500"}
    assert case(report(Verdict.PASSED, "a/x[v=b/c]")).get("name") == "x[v=b/c]"


def test_a_testcase_says_where_it_stands_and_how_it_was_run() -> None:
    about = {
        "file": "scenarios/a/x.yaml",
        "line": 2,
        "seed": 7,
        "profile": "1.1",
        "time": "real",
        "trace_file": "t.jsonl",
    }
    passed, failed = (case(report(verdict, "a/x", phases=phases, **about))
                      for verdict, phases in ((Verdict.PASSED, ()), (Verdict.FAILED, PHASES)))  # fmt: skip
    assert (passed.get("file"), passed.get("line")) == ("scenarios/a/x.yaml", "2")
    assert failed.get("line") == "12", "the line of the check that failed"
    assert {one.get("name"): one.get("value") for one in passed.iter("property")} == {
        "run": "a/x", "seed": "7", "profile": "1.1", "time_mode": "real", "trace": "t.jsonl",
    }  # fmt: skip


ATTRIBUTES = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, set()),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, set()),
    "testcase": ({"classname", "name", "time"}, {"file", "line"}),
    "properties": (set(), set()),
    "property": ({"name", "value"}, set()),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}
"""Element -> attributes that must be there, and those that may be, as CI servers' schemas agree on."""
ORDER = ["properties", "skipped", "error", "failure", "system-out"]


@pytest.mark.parametrize("verdict", Verdict)
def test_the_document_has_the_shape_that_ci_servers_read(verdict: Verdict) -> None:
    about = {"file": "x.yaml", "line": 2, "seed": 7, "reason": "why"}
    root = junit([report(verdict, "a/x", phases=PHASES, **about), report(verdict, "b/c/y")])
    for element in root.iter():
        needed, possible = ATTRIBUTES[element.tag]
        assert needed <= set(element.attrib) <= needed | possible
        for number in {"tests", "failures", "errors", "skipped", "line"} & set(element.attrib):
            assert int(element.attrib[number]) >= 0
        if "time" in element.attrib:
            assert float(element.attrib["time"]) >= 0
    for found in root.iter("testcase"):
        places = [ORDER.index(child.tag) for child in found]
        assert places == sorted(set(places))


def test_the_timestamp_is_the_beginning_in_utc() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC)
    root = junit([report(Verdict.PASSED, "a/x"), report(Verdict.PASSED, "a/y")], now)
    assert root[0].get("timestamp") == "2026-01-02T03:04:02"


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        (Verdict.FAILED, "failure"), (Verdict.BROKEN, "error"), (Verdict.SKIPPED, "skipped"),
        (Verdict.WARNED, "system-out"),
    ],
)  # fmt: skip
def test_every_verdict_has_its_element(verdict: Verdict, tag: str) -> None:
    found = case(report(verdict, reason="why", phases=PHASES))
    assert [child.tag for child in found] == [tag]


def test_passed_has_none() -> None:
    assert list(case(report(Verdict.PASSED, phases=PHASES))) == []


def test_a_failure_tells_all() -> None:
    failure = case(report(Verdict.FAILED, phases=PHASES, trace_file="t.jsonl", rerun="fleetrig run x"))[-1]
    assert failure.get("message") == "phase «first contact», line 12: sends poll"
    assert failure.text == (
        "phase «first contact», line 12: sends poll\n"
        "    expected  a\n"
        "    got       b\n"
        "    see       device #7: HB-1 sent poll\n"
        "    clause    hawkbit#S41\n"
        "    open      fleetrig trace t.jsonl --around device:7\n"
        "trace: t.jsonl\n"
        "run again: fleetrig run x"
    )


def test_the_suite_counts() -> None:
    verdicts = [Verdict.PASSED, Verdict.FAILED, Verdict.BROKEN, Verdict.BROKEN, Verdict.SKIPPED, Verdict.WARNED]
    root = junit([report(verdict, f"a/{n}") for n, verdict in enumerate(verdicts)])
    for element in (root, root[0]):
        counts = [element.get(key) for key in ("name", "tests", "failures", "errors", "skipped", "time")]
        assert counts == ["fleetrig", "6", "1", "2", "1", "9.000"]


def test_repeated_runs_are_one_testcase_with_the_worst_verdict() -> None:
    verdicts = [Verdict.PASSED, Verdict.FAILED, Verdict.WARNED, Verdict.SKIPPED]
    root = junit([report(verdict, "a/b") for verdict in verdicts])
    (found,) = root.iter("testcase")
    assert found.get("time") == "6.000"
    assert [child.tag for child in found] == ["failure"]
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("1", "1", "0")


ODD = "nul \x00 bell \x07 esc \x1b[31m <&>\"'\r\n lone \ud800 non \uffff smile \U0001f600"


def test_odd_characters_make_valid_xml(tmp_path: Path) -> None:
    phases = (PhaseResult(ODD, (CheckResult(ODD, Verdict.FAILED, Finding(ODD, ODD)),), 1.0),)
    path = tmp_path / "junit.xml"

    write_junit([report(Verdict.FAILED, f"a/{ODD}", reason=ODD, phases=phases)], path)

    (found,) = ET.parse(path).getroot().iter("testcase")
    assert "smile \U0001f600" in (found.get("name") or "")
    assert "nul \ufffd bell \ufffd esc \ufffd[31m <&>\"'" in (found[0].text or "")


def test_the_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.mkdir()
    with pytest.raises(BrokenBench, match=r"cannot write .*junit\.xml: Is a directory"):
        write_junit([report(Verdict.PASSED)], path)


@pytest.mark.parametrize(
    ("verdict", "rules", "failures"),
    [
        (Verdict.WARNED, ExitRules(), 0),
        (Verdict.WARNED, ExitRules(strict=True), 1),
        (Verdict.SKIPPED, ExitRules(strict=True), 0),
        (Verdict.SKIPPED, ExitRules(fail_on_skip=True), 1),
        (Verdict.PASSED, ExitRules(strict=True, fail_on_skip=True), 0),
    ],
)
def test_the_file_and_the_exit_code_agree_on_what_failed(verdict: Verdict, rules: ExitRules, failures: int) -> None:
    root = junit(by_rules([report(verdict, "a/x", reason="why"), report(Verdict.PASSED, "a/y")], rules))
    assert root.get("failures") == str(failures)
    assert len(root.findall(".//failure")) == failures
    assert (exit_of_all([verdict, Verdict.PASSED], rules) is Exit.FAILED) is bool(failures)


def test_measurements_are_properties() -> None:
    checks = tuple(CheckResult("gap", Verdict.PASSED, None, line, seen) for line, seen in ((3, "2 s"), (4, "9 s")))
    found = case(report(Verdict.PASSED, phases=(PhaseResult("quiet", checks, 1.0),)))
    told = {one.get("name"): one.get("value") for one in found.iter("property")}
    assert (told["measured: quiet / gap"], told["measured: quiet / gap (line 4)"]) == ("2 s", "9 s")
