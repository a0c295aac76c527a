"""Why much was skipped: counted by cause, the commonest first."""

from __future__ import annotations

from fleetrig.harness.report.skip_causes import MOST_CAUSES, cause_lines
from fleetrig.harness.verdict import Lack, Report, Verdict

POLLING = Lack("hawkbit.fast_polling", "say so in a SERVER.yaml")
FAULTS = Lack("reference.faults", "only fleetrig's own server has")


def skipped(*lacks: Lack, reason: str = "it lacks something") -> Report:
    return Report("hawkbit/x", "It works", Verdict.SKIPPED, reason, lacks=lacks)


def test_each_cause_is_counted_over_all_runs_with_what_to_do_about_it() -> None:
    reports = [skipped(FAULTS), skipped(POLLING), *[skipped(POLLING, FAULTS)] * 9, skipped(POLLING), *BOARD]
    assert list(cause_lines([*reports, Report("hawkbit/y", "It works", Verdict.PASSED)])) == [
        "why 14 were skipped, and what to do:",
        "  11 need hawkbit.fast_polling",
        "     say so in a SERVER.yaml",
        "  10 need reference.faults",
        "     only fleetrig's own server has",
        "   2 there is no board",
        "`fleetrig explain WORD` says what a word means",
    ]


BOARD = [skipped(reason="there is no board")] * 2


def test_runs_that_lack_leave_are_counted_too() -> None:
    leave = Lack("leave to change it", "say --change-it")
    broken = [Report("hawkbit/z", "It works", Verdict.BROKEN, "this would change it", lacks=(leave,))] * 3
    assert list(cause_lines([*broken, Report("hawkbit/y", "It works", Verdict.BROKEN, "the disk is full")])) == [
        "why 3 could not be judged, and what to do:",
        "  3 need leave to change it",
        "    say --change-it",
    ]
    assert (
        next(cause_lines([*broken, skipped(POLLING)]))
        == "why 1 were skipped and 3 could not be judged, and what to do:"
    )


def test_few_skips_were_told_enough() -> None:
    assert list(cause_lines([skipped(POLLING), skipped(POLLING)])) == []
    assert next(cause_lines([skipped(POLLING)] * 3)) == "why 3 were skipped, and what to do:"
    assert list(cause_lines([Report("hawkbit/y", "It works", Verdict.FAILED, "x")] * 9)) == []


def test_hundreds_of_causes_do_not_fill_the_screen() -> None:
    lines = list(cause_lines([skipped(reason=f"reason {number}") for number in range(MOST_CAUSES + 3)]))
    assert lines[-1] == "  … and 3 more causes"
    assert len(lines) == MOST_CAUSES + 2
