"""Verdicts of wholes from those of their parts, and the exit codes that they become."""

from __future__ import annotations

import pytest

from fleetrig.harness.report.exits import Exit, ExitRules, exit_of, exit_of_all, remark_on_skips
from fleetrig.harness.verdict import (
    EXPECTS_NOTHING,
    CheckResult,
    Finding,
    PhaseResult,
    Report,
    Severity,
    Verdict,
    verdict_of,
    verdict_of_phases,
    worst_verdict,
)
from fleetrig.simulator.contract.errors import UsageError

BROKEN, FAILED, WARNED, KNOWN, PASSED, SKIPPED = (
    Verdict.BROKEN, Verdict.FAILED, Verdict.WARNED, Verdict.KNOWN, Verdict.PASSED, Verdict.SKIPPED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], PASSED),
        ([PASSED, SKIPPED], PASSED),
        ([SKIPPED, SKIPPED], SKIPPED),
        ([PASSED, WARNED], WARNED),
        ([WARNED, FAILED], FAILED),
        ([FAILED, BROKEN], BROKEN),
    ],
)
def test_the_worst_counts(parts: list[Verdict], whole: Verdict) -> None:
    assert worst_verdict(parts) is whole


@pytest.mark.parametrize(
    ("verdict", "strict", "code"),
    [
        (PASSED, False, 0), (WARNED, False, 0), (SKIPPED, False, 5), (FAILED, False, 1), (BROKEN, False, 3),
        (PASSED, True, 0), (WARNED, True, 1), (SKIPPED, True, 5), (FAILED, True, 1), (BROKEN, True, 3),
    ],
)  # fmt: skip
def test_exit_codes(verdict: Verdict, strict: bool, code: int) -> None:
    assert exit_of(verdict, strict=strict) == code


FAIL_ON_SKIP, ALLOW_SKIPPED = ExitRules(fail_on_skip=True), ExitRules(allow_skipped=True)


@pytest.mark.parametrize(
    ("verdicts", "plain", "fail_on_skip", "allow_skipped"),
    [
        ([], 5, 5, 5),
        ([SKIPPED], 5, 1, 0),
        ([SKIPPED, SKIPPED], 5, 1, 0),
        ([PASSED, SKIPPED], 0, 1, 0),
        ([PASSED], 0, 0, 0),
        ([KNOWN, SKIPPED], 0, 1, 0),
        ([WARNED, SKIPPED], 0, 1, 0),
        ([FAILED, SKIPPED], 1, 1, 1),
        ([BROKEN, SKIPPED], 3, 3, 3),
    ],
)
def test_exit_codes_of_a_whole_run_and_what_skips_mean(
    verdicts: list[Verdict], plain: int, fail_on_skip: int, allow_skipped: int
) -> None:
    assert exit_of_all(verdicts, ExitRules()) == plain
    assert exit_of_all(verdicts, FAIL_ON_SKIP) == fail_on_skip
    assert exit_of_all(verdicts, ALLOW_SKIPPED) == allow_skipped


def test_the_two_ways_to_take_skips_contradict_each_other() -> None:
    with pytest.raises(UsageError, match="--fail-on-skip and --allow-skipped contradict each other"):
        ExitRules(fail_on_skip=True, allow_skipped=True)


def test_a_remark_says_what_skips_mean_for_the_exit_code() -> None:
    assert remark_on_skips([PASSED], FAIL_ON_SKIP) == remark_on_skips([PASSED, SKIPPED], ExitRules()) == ""
    assert remark_on_skips([SKIPPED], ExitRules()).endswith("The exit code is 5; --allow-skipped makes it 0")
    assert remark_on_skips([SKIPPED], ALLOW_SKIPPED).endswith("everything was skipped, for the reasons above")
    assert remark_on_skips([PASSED, SKIPPED], FAIL_ON_SKIP) == "1 skipped: with --fail-on-skip that is a failure"


def test_a_run_that_judged_nothing_is_no_pass() -> None:
    judged, open_ = CheckResult("sends", PASSED), CheckResult("sends", SKIPPED)
    assert verdict_of_phases([PhaseResult("p", (judged,), 1.0), PhaseResult("q", (), 1.0)]) == (PASSED, "")
    assert verdict_of_phases([]) == (SKIPPED, EXPECTS_NOTHING)
    assert verdict_of_phases([PhaseResult("p", (), 1.0)]) == (SKIPPED, EXPECTS_NOTHING)
    assert verdict_of_phases([PhaseResult("p", (open_,), 1.0), PhaseResult("q", (), 1.0)])[0] is SKIPPED
    assert verdict_of_phases([PhaseResult("p", (), 1.0, "the server is gone")])[0] is BROKEN


def test_the_codes_are_those_of_the_manual() -> None:
    codes = (Exit.PASSED, Exit.FAILED, Exit.INTERRUPTED, Exit.BROKEN, Exit.WRONG_USAGE, Exit.NOTHING_JUDGED)
    assert codes == (0, 1, 2, 3, 4, 5)


def test_a_finding_fails_or_warns_by_its_severity() -> None:
    finding = Finding("a", "b")
    assert verdict_of(None, Severity.ERROR) is PASSED
    assert verdict_of(finding, Severity.ERROR) is FAILED
    assert verdict_of(finding, Severity.WARNING) is WARNED


def test_a_phase_that_could_not_be_judged_is_broken_whatever_its_checks() -> None:
    checks = (CheckResult("sends", PASSED),)
    assert PhaseResult("p", checks, 1.0).verdict is PASSED
    assert PhaseResult("p", checks, 1.0, "the server is gone").verdict is BROKEN
    assert PhaseResult("p", (), 1.0).verdict is PASSED


@pytest.mark.parametrize(
    ("name", "folder"),
    [("hawkbit/a", "hawkbit"), ("hawkbit/deep/a[x=b/c]", "hawkbit/deep"), ("a", ""), ("a[x=b/c]", "")],
)
def test_the_folder_of_a_run(name: str, folder: str) -> None:
    assert Report(name, "", PASSED).folder == folder
