"""JUnit XML as CI servers read it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.report.junit import junit, write_junit
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
    assert found.attrib == {"classname": "hawkbit.deep", "name": "hawkbit/deep/x[cut=poll#1:sent]", "time": "1.500"}
    assert case(report(Verdict.PASSED, "loose")).get("classname") == "scenarios"


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
    (failure,) = case(report(Verdict.FAILED, phases=PHASES, trace_file="t.jsonl", rerun="fleetrig run x"))
    assert failure.get("message") == "phase «first contact», line 12: sends poll"
    assert failure.text == (
        "phase «first contact», line 12: sends poll\n"
        "    expected  a\n"
        "    got       b\n"
        "    see       device #7: HB-1 sent poll\n"
        "    clause    hawkbit#S41\n"
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
