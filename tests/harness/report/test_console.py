"""What people see: plain where nobody looks, signs and colours on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import ExitRules, remark_on_skips
from fleetrig.harness.report.progress import RunProgress
from fleetrig.harness.verdict import CheckResult, Evidence, Finding, PhaseResult, Report, Verdict
from fleetrig.simulator.contract.trace import Lane, TraceEvent

FINDING = Finding(
    "every device in this order\n1. sends poll\n2. reaches online",
    "1 of 3 did not; HB-1 waits for step 2: reaches online",
    (Evidence(Lane.DEVICE, 7, "HB-1 sent poll /DEFAULT/controller/v1/HB-1", "HB-1"),),
    "hawkbit#V05",
)
PHASES = (
    PhaseResult("on the bench", (CheckResult("registry {devices: 3}", Verdict.PASSED, None, 11),), 0.04),
    PhaseResult(
        "first contact",
        (
            CheckResult("order sends poll → reaches online", Verdict.FAILED, FINDING, 21),
            CheckResult("never {sends: {name: x}}", Verdict.PASSED, None, 24),
        ),
        30.0,
    ),
)
FAILED = Report(
    "hawkbit/x[a=1]", "It works", Verdict.FAILED, phases=PHASES, took_s=0.2, simulated_s=30.04, time="virtual",
    trace_file="fleetrig-results/x.trace.jsonl", rerun="fleetrig run 'hawkbit/x[a=1]' --seed 1",
)  # fmt: skip
PASSED = Report(
    "hawkbit/y", "It works too", Verdict.PASSED, phases=PHASES[:1], took_s=0.1, simulated_s=9000, time="virtual"
)
SKIPPED = Report("hawkbit/z", "And this", Verdict.SKIPPED, "the server at http://h lacks reference.faults", time="real")
BROKEN = Report(
    "hawkbit/b", "Who knows", Verdict.BROKEN, "nobody listens at http://h", time="real", took_s=2,
    phases=(PHASES[0], PhaseResult("p", (), 2.0, "nobody listens at http://h")), rerun="fleetrig run hawkbit/b",
)  # fmt: skip


def plain(*reports: Report, verbose: bool = False, single: bool = False, **more: int) -> str:
    console = Console(file=io.StringIO(), width=10_000, highlight=False)
    writer = ConsoleReport(console, verbose=verbose, single=single)
    with writer.progress(len(reports)):
        for report in reports:
            writer.show(report)
    remark = remark_on_skips([report.verdict for report in reports], ExitRules())
    writer.finish(reports, {"junit": Path("j.xml")}, took_s=1.25, remark=remark, **more)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_failure_tells_everything() -> None:
    assert (
        plain(FAILED)
        == """\
FAIL hawkbit/x[a=1]  0.2 s (30 s simulated)
  It works
  ok on the bench  0.0 s
  FAIL first contact  30.0 s
    FAIL order sends poll → reaches online  line 21
        expected  every device in this order
                  1. sends poll
                  2. reaches online
        got       1 of 3 did not; HB-1 waits for step 2: reaches online
        see       device #7: HB-1 sent poll /DEFAULT/controller/v1/HB-1
        clause    hawkbit#V05
        open      fleetrig trace fleetrig-results/x.trace.jsonl --device HB-1 --around device:7
    ok never {sends: {name: x}}  line 24
  trace      fleetrig-results/x.trace.jsonl
  run again  fleetrig run 'hawkbit/x[a=1]' --seed 1
1 failed in 1.2 s
junit    j.xml
"""
    )


def test_a_failure_names_its_rule_its_line_and_what_programs_have_printed() -> None:
    of_program = replace(
        FAILED, cites=("hawkbit#V17", "hawkbit#V18"), file="scenarios/hawkbit/x.yaml", line=1,
        output=(("fleetrig-results/x/EXT-0001.log", "no route"), ("fleetrig-results/x/EXT-0002.log", "")),
    )  # fmt: skip
    assert (
        "  rule       docs/contracts/hawkbit.md#V17, docs/contracts/hawkbit.md#V18\n"
        "  scenario   scenarios/hawkbit/x.yaml:21\n"
        "  output     fleetrig-results/x/EXT-0001.log and 1 more, at last: no route\n"
        "  trace      fleetrig-results/x.trace.jsonl\n"
    ) in plain(of_program)
    assert "  scenario   scenarios/hawkbit/x.yaml:1\n" in plain(
        replace(BROKEN, file="scenarios/hawkbit/x.yaml", line=1)
    )


def test_what_passed_takes_one_line() -> None:
    assert (
        plain(PASSED, PASSED)
        == """\
ok hawkbit/y  0.1 s (2.5 h simulated)
ok hawkbit/y  0.1 s (2.5 h simulated)
2 passed in 1.2 s
junit    j.xml
"""
    )


def test_a_single_run_shows_its_title() -> None:
    assert plain(PASSED, single=True).splitlines()[1] == "  It works too"


def test_verbose_shows_the_checks_of_what_passed() -> None:
    assert "    ok registry {devices: 3}  line 11\n" in plain(PASSED, verbose=True)


def test_skipped_says_what_is_missing_and_all_skipped_is_said_aloud() -> None:
    assert (
        plain(SKIPPED, SKIPPED)
        == """\
skip hawkbit/z
  the server at http://h lacks reference.faults
skip hawkbit/z  for the same reason
2 skipped in 1.2 s
nothing was judged: everything was skipped, for the reasons above. The exit code is 5; --allow-skipped makes it 0
junit    j.xml
"""
    )
    assert "nothing was judged" not in plain(SKIPPED, PASSED)


def test_broken_keeps_what_was_judged_before() -> None:
    assert (
        plain(BROKEN)
        == """\
BROKEN hawkbit/b  2.0 s
  Who knows
  nobody listens at http://h
  ok on the bench  0.0 s
  BROKEN p  2.0 s
  run again  fleetrig run hawkbit/b
1 broken in 1.2 s
junit    j.xml
"""
    )


def test_what_was_not_run_is_counted() -> None:
    assert "1 failed, 70 not run in 1.2 s\n" in plain(FAILED, not_run=70)
    assert plain(not_run=3).startswith("nothing was run, 3 not run in 1.2 s\n")


def coloured(*reports: Report) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="truecolor", record=True,
                      highlight=False, legacy_windows=False, _environ={})  # fmt: skip
    writer = ConsoleReport(console)
    for report in reports:
        writer.show(report)
    writer.finish(reports, {}, took_s=1.25)
    return console.export_text(styles=True)


def test_colours_and_signs_on_a_terminal() -> None:
    lines = coloured(FAILED, PASSED, SKIPPED, BROKEN).splitlines()
    assert lines[0] == "\x1b[1;31m✘ \x1b[0m\x1b[1mhawkbit/x[a=1]\x1b[0m\x1b[2m  0.2 s (30 s simulated)\x1b[0m"
    assert "\x1b[32m✔ \x1b[0m\x1b[1mhawkbit/y\x1b[0m\x1b[2m  0.1 s (2.5 h simulated)\x1b[0m" in lines
    assert any(line.startswith("\x1b[2m- \x1b[0m\x1b[1mhawkbit/z") for line in lines)
    assert any(line.startswith("\x1b[1;35m☠ \x1b[0m\x1b[1mhawkbit/b") for line in lines)
    assert lines[-1] == "\x1b[1;35m1 passed, 1 failed, 1 broken, 1 skipped in 1.2 s\x1b[0m"


def test_green_only_when_something_passed() -> None:
    assert coloured(PASSED).splitlines()[-1] == "\x1b[1;32m1 passed in 1.2 s\x1b[0m"
    assert coloured(SKIPPED).splitlines()[-1] == "\x1b[2m1 skipped in 1.2 s\x1b[0m"


def test_no_colours_where_nobody_looks_and_with_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in plain(FAILED, PASSED, SKIPPED, BROKEN)
    monkeypatch.setenv("NO_COLOR", "1")
    assert make_console().no_color
    assert make_console().width == 10_000, "long lines are left to whoever reads the pipe"


def event(kind: str, at_s: float, **words: object) -> TraceEvent:
    given = {"device": "", "lane": Lane.BENCH, **words}
    return TraceEvent(int(at_s * 1e6), 1, kind=kind, **given)  # type: ignore[arg-type]


def test_progress_prints_phases_as_they_end() -> None:
    console = Console(file=io.StringIO(), width=200)
    progress = RunProgress(console)
    with progress.on_screen():
        progress(event("phase", 10, name="first contact"))
        progress(event("action", 10, name="power_on"))
        progress(event("entered", 11, lane=Lane.DEVICE, device="A", stage="online"))
        progress(event("entered", 11, lane=Lane.DEVICE, device="B", stage="backing_off"))
        progress(event("power_cut", 12, lane=Lane.DEVICE, device="C", stage="online"))
        progress(event("verdict", 13.5, name="first contact", reason="passed"))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "  ok first contact  3.5 s   1 backing off, 1 off, 1 online\n"


def test_progress_on_a_terminal_shows_what_goes_on() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None, _environ={})
    progress = RunProgress(console)
    with progress.on_screen():
        progress(event("phase", 10, name="first contact"))
        progress(event("action", 10, name="power_on"))
        progress(event("verdict", 13.5, name="first contact", reason="failed"))
    assert isinstance(console.file, io.StringIO)
    assert "✘ first contact  3.5 s" in console.file.getvalue()


@pytest.mark.parametrize("report", [PASSED, SKIPPED])
def test_what_a_large_fleet_did_is_told_of_each_of_several_runs_judged_or_not(report: Report) -> None:
    counted = replace(report, engine="cohort: many devices", told=(("peak", "9 in second 3"),))

    said = plain(counted, PASSED).splitlines()

    at = said.index("  engine     cohort: many devices")
    assert said[at + 1] == "  peak       9 in second 3"
    assert "engine" not in plain(PASSED)


def test_checks_that_were_not_judged_say_why() -> None:
    failed = CheckResult("never {sends: {name: poll}}", Verdict.FAILED, Finding("no poll", "one"), 9)
    skipped = CheckResult("refused {times: 1}", Verdict.SKIPPED, None, 8)
    said = "skip: not judged, since the phase ended before"
    assert said in plain(replace(FAILED, phases=(PhaseResult("first", (skipped, failed), 1.0),)))
    assert said not in plain(replace(FAILED, phases=(PhaseResult("first", (failed,), 1.0),)))
