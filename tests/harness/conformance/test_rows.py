"""Which rows a command means, how they are listed, and what becomes of a run whose rows end one way or another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.conformance.expect import (
    Mismatch,
    MissingCapability,
    expect,
    expect_has,
    expect_keys,
    expect_that,
)
from fleetrig.harness.conformance.row import Resource, Row, listing, number_of, select
from fleetrig.harness.conformance.run_rows import run_rows
from fleetrig.harness.platforms.hawkbit.conformance.suite import ROWS
from fleetrig.harness.report.exits import Exit, exit_of
from fleetrig.harness.verdict import Finding, Report, Severity, Verdict, worst_verdict
from fleetrig.simulator.contract.errors import BrokenBench, NoSuchId, UsageError

BLANK = Report("conform/toaster", "", Verdict.PASSED, target="http://toaster", profile="2", rerun="conform toaster")
SLICES: Resource[list[str]] = Resource("toaster", "slices")
HEAT: Resource[list[str]] = Resource("toaster", "heat")


@SLICES.row("S02", "in", "A slice goes in")
def slice_in(_: list[str]) -> None:
    pass


@SLICES.row("S10", "out", "A slice comes out")
def slice_out(_: list[str]) -> None:
    expect("slices", 1, 2)


@HEAT.row("S09", "brown", "It is brown", severity=Severity.WARNING)
def brown(_: list[str]) -> None:
    expect("colour", "brown", "black")


ALL = (*SLICES.rows, *HEAT.rows)


def numbers(rows: list[Row[Any]]) -> list[str]:
    return [row.number for row in rows]


def row(check: Callable[[list[str]], None], *, needs: tuple[str, ...] = (), number: str = "S99") -> Row[list[str]]:
    resource: Resource[list[str]] = Resource("toaster", "odd")
    resource.row(number, f"row-{number}", "An odd row", needs=needs)(check)
    return resource.rows[0]


def raising(error: BaseException) -> Callable[[list[str]], None]:
    def check(_: list[str]) -> None:
        raise error

    return check


def run(*rows: Row[list[str]], can: frozenset[str] = frozenset()) -> list[Report]:
    """Each row gets a list; the name of each use goes into it when it ends."""

    @contextlib.contextmanager
    def use(_: Row[list[str]]) -> Iterator[list[str]]:
        yield []

    return list(run_rows(rows, use, can, BLANK))


def test_a_platform_says_in_its_own_words_why_a_row_is_skipped() -> None:
    """Words that it says nothing of are declared in a SERVER.yaml."""
    rows = [row(raising(AssertionError()), needs=needs) for needs in (("bread",), ("bread", "mqtt"), ("butter",))]
    reports = list(run_rows(rows, lambda _: contextlib.nullcontext([]), frozenset(), BLANK, {"bread": "buy bread"}))
    assert [report.verdict for report in reports] == [Verdict.SKIPPED] * 3
    assert [report.reason for report in reports[:2]] == ["buy bread", "buy bread"]
    assert "`can: [toaster.butter]`" in reports[2].reason


def test_a_device_s_token_in_an_answer_is_in_no_report() -> None:
    found = Finding("a name", 'GET /targets answered 200 {"name":null,"securityToken":"0123456789abcdef"}')
    (judged,) = run(row(raising(Mismatch(found))))
    (broken,) = run(row(raising(BrokenBench("http://u:hunter2@h is not there"))))
    assert judged.phases[0].checks[0].finding is not None
    assert judged.phases[0].checks[0].finding.got.endswith('{"name":null,"securityToken":"unknown:1/16"}')
    assert broken.reason == "http://u:unknown:1@h is not there"


def test_rows_are_meant_by_number_path_or_the_beginning_of_a_path() -> None:
    assert numbers(select(ALL, [])) == ["S02", "S09", "S10"]
    assert numbers(select(ALL, ["S10"])) == ["S10"]
    assert numbers(select(ALL, ["slices/in"])) == ["S02"]
    assert numbers(select(ALL, ["slices"])) == numbers(select(ALL, ["slices/"])) == ["S02", "S10"]


def test_rows_named_twice_run_once_and_in_the_order_of_the_contract() -> None:
    assert numbers(select(ALL, ["S10", "heat", "slices", "S02"])) == ["S02", "S09", "S10"]


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("slice", "slices"), ("S2", "S02"), ("s02", "S02"), ("slices/inn", "slices/in"), ("haet", "heat")],
)
def test_a_name_that_means_nothing_is_answered_with_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(NoSuchId, match=rf"^no row is called {wrong}; did you mean {near}\?$"):
        select(ALL, ["S02", wrong])


@pytest.mark.parametrize("wrong", ["qqqqqqq", "", "/", "slic"])
def test_part_of_a_word_is_no_prefix(wrong: str) -> None:
    with pytest.raises(NoSuchId, match="no row is called"):
        select(ALL, [wrong])


def test_the_command_says_so_too_with_the_exit_code_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "hawkbit", "S411", "--list"]) == Exit.NOTHING_JUDGED
    assert "did you mean S41?" in capsys.readouterr().err
    assert main(["conform", "hawkbit", "--profile", "1.2"]) == Exit.WRONG_USAGE
    assert "1.1, 0.9 or as-documented" in capsys.readouterr().err


def test_a_listing_has_one_line_per_row_and_no_header() -> None:
    assert list(listing(select(ALL, []))) == [
        "S02   slices/in   error    A slice goes in",
        "S09   heat/brown  warning  It is brown",
        "S10   slices/out  error    A slice comes out",
    ]


def test_the_command_lists_without_any_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "hawkbit", "--list", "--against", "http://127.0.0.1:1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ROWS)
    assert lines[0].split()[:3] == ["S01", "targets/create", "error"]


def test_no_number_and_no_path_stands_for_two_rows() -> None:
    assert len({row.number for row in ROWS}) == len({row.path for row in ROWS}) == len(ROWS)
    assert list(ROWS) == sorted(ROWS, key=number_of)


def test_a_row_that_needs_what_the_server_lacks_is_skipped_with_the_word() -> None:
    needy = row(raising(AssertionError("not to be run")), needs=("toast", "butter"))
    [report] = run(needy, can=frozenset({"butter"}))
    assert (report.verdict, report.reason) == (
        Verdict.SKIPPED,
        "the server lacks toaster.toast; if it has, say so in a SERVER.yaml: `can: [toaster.toast]`",
    )


def test_a_row_can_find_out_by_itself_that_something_is_lacking() -> None:
    [report] = run(row(raising(MissingCapability("an account reader"))))
    assert (report.verdict, report.reason) == (Verdict.SKIPPED, "the server lacks an account reader")


def test_a_row_that_needs_another_listener_is_skipped_with_its_name() -> None:
    [report] = run(row(raising(AssertionError("not to be run")), needs=("mqtt",)), can=frozenset({"http"}))
    assert report.verdict is Verdict.SKIPPED
    assert report.reason == ("the server lacks mqtt; if it listens there, say so in a SERVER.yaml: `mqtt: HOST:PORT`")
    [report] = run(row(slice_in, needs=("mqtt",)), can=frozenset({"http", "mqtt"}))
    assert report.verdict is Verdict.PASSED


def test_a_row_that_needs_what_the_server_has_is_run() -> None:
    [report] = run(row(slice_in, needs=("toast",)), can=frozenset({"toast"}))
    assert report.verdict is Verdict.PASSED


def test_what_is_wrong_is_a_failure_with_its_clause_and_how_to_see_it_again() -> None:
    [report] = run(*select(ALL, ["S10"]))
    finding = report.phases[0].checks[0].finding
    assert finding is not None
    assert (finding.expected, finding.got, finding.clause) == ("slices: 1", "2", "toaster#S10")
    assert report.verdict is Verdict.FAILED
    assert (report.name, report.rerun) == ("conform/toaster/slices/out[S10]", "conform toaster S10")


def test_a_mere_recommendation_warns_and_fails_when_strict() -> None:
    reports = run(*select(ALL, ["S02", "S09"]))
    assert [report.verdict for report in reports] == [Verdict.PASSED, Verdict.WARNED]
    overall = worst_verdict(report.verdict for report in reports)
    assert (exit_of(overall), exit_of(overall, strict=True)) == (Exit.PASSED, Exit.FAILED)


def test_a_finding_may_weigh_less_than_its_row() -> None:
    mild = Mismatch(Finding("400", "500"), Severity.WARNING)
    assert [report.verdict for report in run(row(raising(mild)))] == [Verdict.WARNED]


def test_a_failure_does_not_stop_the_run() -> None:
    assert [report.verdict for report in run(*select(ALL, ["S10", "S02"]))] == [Verdict.PASSED, Verdict.FAILED]
    assert len(run(row(slice_out, number="S1"), row(slice_in, number="S2"))) == 2


@pytest.mark.parametrize("error", [BrokenBench("nobody listens"), UsageError("nobody listens")])
def test_a_broken_bench_stops_the_run_with_the_first_cause(error: Exception) -> None:
    first, second = row(raising(error), number="S1"), row(raising(BrokenBench("still nobody")), number="S2")
    [report] = run(first, second)
    assert (report.verdict, report.reason) == (Verdict.BROKEN, "nobody listens")
    assert exit_of(report.verdict) is Exit.BROKEN


def test_an_interruption_is_not_a_verdict() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(row(raising(KeyboardInterrupt())))


@pytest.mark.parametrize(
    ("check", "expected", "got"),
    [
        (lambda: expect("flag", True, 1), "flag: True", "1"),
        (lambda: expect("flag", 0, False), "flag: 0", "False"),
        (lambda: expect("body", "", "x" * 500), "body: ''", "x" * 300 + " …"),
        (lambda: expect_that([], "something", []), "something", "[]"),
        (lambda: expect_keys("it", ["a", "b"], {"b": 1, "c": 2}), "it: exactly ['a', 'b']",
         "missing ['a'], unexpected ['c']"),
        (lambda: expect_has("it", {"a": 1}, {"b": 1}), "it has a = 1", "no a; there are ['b']"),
        (lambda: expect_has("it", {"a": 1}, {"a": 2}), "it.a: 1", "2"),
    ],
)  # fmt: skip
def test_expectations_say_what_was_expected_and_what_came(check: Callable[[], None], expected: str, got: str) -> None:
    [report] = run(row(lambda _: check()))
    finding = report.phases[0].checks[0].finding
    assert finding is not None
    assert (finding.expected, finding.got) == (expected, got)
