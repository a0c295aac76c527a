"""At the end of many runs: what did not pass, each with its reason, and what is the same only once."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from rich.console import Console

from fleetrig.harness.report.closing_table import FEW, MOST_CHARS, closing_rows, name_of_row
from fleetrig.harness.report.console import ConsoleReport
from fleetrig.harness.verdict import CheckResult, Evidence, Finding, PhaseResult, Report, Verdict


def report(name: str, verdict: Verdict, *checks: CheckResult, reason: str = "", **more: Any) -> Report:
    phases = (PhaseResult("p", checks, 1.0),) if checks else ()
    return Report(name, f"The title of {name}", verdict, reason, phases, time="real", **more)


EVIDENCE = (Evidence("server", 27, "X-1 received poll 503", "X-1"),)


def found(title: str, got: str, verdict: Verdict, line: int = 0, known: str = "", *seen: Evidence) -> CheckResult:
    return CheckResult(title, verdict, Finding("something else", got, seen, known=known), line)


SLOW = "its delays grew from {0} s to {0} s"
REPORTS = [
    report("x/skipped[a=1]", Verdict.SKIPPED, reason="it is about a device of yours"),
    report("x/passed", Verdict.PASSED, CheckResult("sends poll", Verdict.PASSED)),
    report(
        "x/warned[a=1]", Verdict.WARNED,
        found("backs_off {of: poll, by: 1.5}", SLOW.format(1), Verdict.WARNED, 24),
        cites=("x#V08", "x#V09"),
    ),
    report(
        "x/failed", Verdict.FAILED,
        found("jitter poll", "none", Verdict.WARNED, 9),
        found("receives poll 200", "it never\nhappened", Verdict.FAILED, 12, "", *EVIDENCE),
        found("gap between poll", "0.1 s", Verdict.FAILED, 13),
        trace_file="results/x/failed.trace.jsonl",
    ),
    report("x/warned[a=2]", Verdict.WARNED, found("backs_off {of: poll, by: 1.5}", SLOW.format(2), Verdict.WARNED, 24)),
    report("x/other", Verdict.WARNED, found("backs_off {of: poll, by: 2}", SLOW.format(3), Verdict.WARNED, 7)),
    report("x/skipped[a=2]", Verdict.SKIPPED, reason="it is about a device of yours"),
    report("x/skipped[a=3]", Verdict.SKIPPED, reason="the server lacks reference.faults"),
    report("x/known", Verdict.KNOWN, found("jitter poll", "none", Verdict.KNOWN, known="never draws (§7.1)")),
    report("x/fails[a=1]", Verdict.FAILED, found("gap between poll", "0.2 s", Verdict.FAILED, 13)),
    report("y/fails", Verdict.FAILED, found("gap between poll", "0.2 s", Verdict.FAILED, 13)),
    report("x/fails[a=2]", Verdict.FAILED, found("gap between poll", "0.3 s", Verdict.FAILED, 13)),
    report("x/broken", Verdict.BROKEN, reason="nobody listens at http://h:8080"),
]  # fmt: skip


def test_failures_stand_first_and_those_of_a_matrix_together() -> None:
    rows = list(closing_rows(REPORTS))
    assert [(row.verdict.value, row.names) for row in rows] == [
        ("failed", ["x/failed"]),
        ("failed", ["x/fails[a=1]", "x/fails[a=2]"]),
        ("failed", ["y/fails"]),
        ("broken", ["x/broken"]),
        ("warned", ["x/warned[a=1]", "x/warned[a=2]", "x/other"]),
        ("known deviation", ["x/known"]),
    ]


def test_a_row_says_why_in_sentences_of_one_line() -> None:
    failed, _, _, broken, warned, known = closing_rows(REPORTS)
    assert failed.why == ("something else; got: it never happened", "something else; got: 0.1 s")
    assert failed.title == "The title of x/failed"
    assert failed.open == "fleetrig trace results/x/failed.trace.jsonl --device X-1 --around server:27"
    assert (broken.title, broken.open) == ("", "")
    assert broken.why == ("nobody listens at http://h:8080",)
    assert warned.title == "The title of x/warned[a=1] (x#V08, x#V09)"
    assert warned.why == ("something else; got: its delays grew from 1 s to 1 s",)
    assert known.why == ("jitter poll: never draws (§7.1)",)


def test_what_is_expected_in_many_lines_is_told_by_its_title() -> None:
    order = CheckResult("order a → b", Verdict.FAILED, Finding("in this order\n1. a\n2. b", "X-1 waits for step 2: b"))
    (row,) = closing_rows([report("x/failed", Verdict.FAILED, order)])
    assert row.why == ("order a → b; got: X-1 waits for step 2: b",)


def test_the_same_is_counted_and_some_are_named() -> None:
    many = [replace(REPORTS[5], name=f"x/{number}") for number in range(13)]
    (row,) = closing_rows(many)
    assert row.others == "the same in 12 others: x/1, x/2, x/3 …"
    (row,) = closing_rows(many[:2])
    assert row.others == "the same in 1 other: x/1"
    (row,) = closing_rows(many[:1])
    assert row.others == ""


def test_a_run_that_was_repeated_is_named_once() -> None:
    (row,) = closing_rows([replace(REPORTS[5], seed=seed) for seed in (1, 2, 3)])
    assert row.names == ["x/other"]


def test_what_is_endless_is_cut() -> None:
    (row,) = closing_rows([report("x/broken", Verdict.BROKEN, reason="much " * 200)])
    assert len(row.why[0]) == MOST_CHARS
    assert row.why[0].endswith("…")


def test_a_row_of_a_contract_is_named_by_its_number() -> None:
    rows = [report(f"conform/x/auth/wrong-token[S{number}]", Verdict.BROKEN, reason="lacks mqtt") for number in (7, 41)]
    (row,) = closing_rows(rows, name_of_row)
    assert row.names == ["S7   auth/wrong-token", "S41  auth/wrong-token"]


def shown(reports: list[Report], width: int = 10_000, *, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    writer = ConsoleReport(console, verbose=verbose)
    for one in reports:
        writer.show(one)
    writer.finish(reports, {}, took_s=2.0)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


TABLE = """
FAIL x/failed
       The title of x/failed
       something else; got: it never happened
       something else; got: 0.1 s
       open  fleetrig trace results/x/failed.trace.jsonl --device X-1 --around server:27
FAIL x/fails[a=1]
       The title of x/fails[a=1]
       something else; got: 0.2 s
       the same in 1 other: [a=2]
FAIL y/fails
       The title of y/fails
       something else; got: 0.2 s
BROKEN x/broken
       nobody listens at http://h:8080
WARN x/warned[a=1]
       The title of x/warned[a=1] (x#V08, x#V09)
       something else; got: its delays grew from 1 s to 1 s
       the same in 2 others: [a=2], x/other
known x/known
       The title of x/known
       jitter poll: never draws (§7.1)

1 passed, 1 known deviation, 3 warned, 4 failed, 1 broken, 3 skipped in 2.0 s
"""


def test_the_table_stands_above_the_summary_and_the_causes_of_skips() -> None:
    assert TABLE + "why 3 were skipped, and what to do:\n" in shown(REPORTS)


def test_on_a_narrow_terminal_every_line_stays_below_its_row() -> None:
    lines = shown(REPORTS, width=40).partition("\nFAIL x/failed\n")[2].splitlines()
    assert "       something else; got: it never" in lines
    assert "       happened" in lines
    assert "       open  fleetrig trace results/x/failed.trace.jsonl --device X-1 --around server:27" in lines
    assert all(len(line) <= 40 for line in lines[:-7] if "open" not in line and "skip" not in line), (
        "what is copied stays whole"
    )


def test_a_few_runs_and_runs_that_passed_need_no_table() -> None:
    assert shown(REPORTS[:FEW]).count("\n\n") == 0
    assert shown([REPORTS[1]] * (FEW + 1)).count("\n\n") == 0
    assert shown([REPORTS[3]] * (FEW + 1)).count("\n\n") == 2


def test_a_warning_is_explained_once() -> None:
    live = shown(REPORTS).partition("\nFAIL x/failed\n       ")[0]
    assert live.count("its delays grew") == 1
    assert "WARN x/other  0.0 s\n  The title of x/other\n  the same as in x/warned[a=1]\n" in live
    assert shown(REPORTS, verbose=True).partition("\nFAIL x/failed\n       ")[0].count("its delays grew") == 3


def test_a_skip_is_explained_once() -> None:
    live = shown(REPORTS).partition("\nFAIL x/failed\n       ")[0]
    assert "skip x/skipped[a=1]\n  it is about a device of yours\n" in live
    assert live.count("it is about a device of yours") == 1
    assert "skip x/skipped[a=2]  for the same reason\n" in live
    apart = shown([REPORTS[0], REPORTS[7], REPORTS[6]])
    assert "skip x/skipped[a=2]  for the same reason as x/skipped[a=1]\n" in apart


INTERRUPTED = replace(report("x/long", Verdict.BROKEN, reason="interrupted"), took_s=2.34)
UNDER_WAY = replace(INTERRUPTED, phases=(PhaseResult("first contact", (), 2.0), PhaseResult("waits", (), 0.3, "stop")))


def stopped(*reports: Report) -> str:
    console = Console(file=io.StringIO(), width=10_000, highlight=False)
    writer = ConsoleReport(console)
    for one in reports:
        writer.show_interrupted(one)
    writer.finish([*REPORTS, *reports], {}, took_s=2.0, not_run=54)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_was_interrupted_is_one_line_and_no_row() -> None:
    said = stopped(UNDER_WAY)
    assert said.startswith("BROKEN x/long  interrupted in «waits» after 2.3 s\n\nFAIL x/failed\n")
    assert said.count("x/long") == 1
    assert "1 broken, 3 skipped, 1 interrupted, 54 not run in 2.0 s\n" in said


def test_what_had_found_something_when_it_was_interrupted_tells_it() -> None:
    said = stopped(replace(UNDER_WAY, phases=(REPORTS[3].phases[0], *UNDER_WAY.phases)))
    assert "receives poll 200" in said.partition("\nFAIL x/failed\n")[0]
    left = stopped(replace(INTERRUPTED, reason="interrupted; targets may be left behind on http://h"))
    assert "  interrupted; targets may be left behind on http://h\n" in left
