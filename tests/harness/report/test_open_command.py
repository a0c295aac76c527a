"""What failed names the command that shows where: relative, quoted, with device and event."""

from __future__ import annotations

import io
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from fleetrig.harness.report.console import ConsoleReport
from fleetrig.harness.report.junit import junit
from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.report.text import finding_lines
from fleetrig.harness.verdict import CheckResult, Evidence, Finding, PhaseResult, Report, Verdict

SEEN = (Evidence("device", 7, "gw-1 sent poll", "gw-1"), Evidence("device", 9, "gw 7 sent poll", "gw 7"))
CHECK = CheckResult("never {sends: {name: poll}}", Verdict.FAILED, Finding("no poll", "two", SEEN), 12)
REPORT = Report(
    "a/b", "It works", Verdict.FAILED, phases=(PhaseResult("all is quiet", (CHECK,), 1.0),),
    trace_file="fleetrig-results/a/b_x=poll#1.trace.jsonl", rerun=f"fleetrig run {'long/' * 30}x",
)  # fmt: skip
COMMAND = "fleetrig trace 'fleetrig-results/a/b_x=poll#1.trace.jsonl' --device gw-1 --device 'gw 7' "
COMMAND += "--around device:7 --around device:9"


def without_evidence(report: Report) -> Report:
    check = replace(CHECK, finding=Finding("no poll", "two"))
    return replace(report, phases=(replace(report.phases[0], checks=(check,)),))


def test_all_that_is_to_be_seen_is_opened() -> None:
    assert open_command(CHECK, REPORT.trace_file) == COMMAND
    assert open_phase_command(REPORT) == ""


def test_what_is_of_no_device_names_none() -> None:
    check = replace(CHECK, finding=Finding("a", "b", (Evidence("server", 3, "fault"), SEEN[0])))
    assert open_command(check, "t.jsonl") == "fleetrig trace t.jsonl --around server:3 --around device:7"


def test_what_a_sampled_trace_does_not_have_is_not_opened() -> None:
    check = replace(CHECK, finding=Finding("a", "b", (SEEN[0], replace(SEEN[1], is_in_trace=False))))
    assert open_command(check, "t.jsonl") == "fleetrig trace t.jsonl --device gw-1 --around device:7"


def test_without_a_trace_there_is_nothing_to_open() -> None:
    assert open_command(CHECK, "") == ""
    assert open_phase_command(replace(without_evidence(REPORT), trace_file="")) == ""


def test_without_an_event_the_phase_is_opened() -> None:
    opened = open_phase_command(without_evidence(REPORT))
    assert shlex.split(opened) == ["fleetrig", "trace", REPORT.trace_file, "--phase", "all is quiet"]
    broken = replace(REPORT, phases=(), verdict=Verdict.BROKEN)
    assert shlex.split(open_phase_command(broken)) == ["fleetrig", "trace", REPORT.trace_file]


def test_a_place_below_the_working_folder_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert " results/t.jsonl " in open_command(CHECK, str(tmp_path / "results/t.jsonl"))
    assert f" {tmp_path.parent}/t.jsonl " in open_command(CHECK, str(tmp_path.parent / "t.jsonl"))


@pytest.mark.parametrize("width", [40, 80])
def test_commands_are_whole_on_any_terminal(width: int) -> None:
    """A line that rich breaks cannot be copied: the shell would take it for two."""
    for report, command in (
        (REPORT, COMMAND),
        (without_evidence(REPORT), open_phase_command(without_evidence(REPORT))),
    ):
        console = Console(file=io.StringIO(), width=width, highlight=False)
        ConsoleReport(console).show(report)
        assert isinstance(console.file, io.StringIO)
        lines = console.file.getvalue().splitlines()
        assert [line.split(maxsplit=1)[1] for line in lines if line.split()[:1] == ["open"]] == [command]
        assert any(line.endswith(report.rerun) for line in lines)


def test_every_writer_has_it() -> None:
    """The console, and the text that JUnit files and pytest show."""
    assert f"    open      {COMMAND}" in list(finding_lines(REPORT))
    assert f"open: {open_phase_command(without_evidence(REPORT))}" in list(finding_lines(without_evidence(REPORT)))
    failure = junit([REPORT]).find(".//failure")
    assert failure is not None
    assert COMMAND in (failure.text or "")


def test_what_is_about_all_devices_is_not_narrowed_to_one() -> None:
    check = replace(CHECK, finding=Finding("a", "b", SEEN, of_all=True))
    assert open_command(check, "t.jsonl") == "fleetrig trace t.jsonl --around device:7 --around device:9"
