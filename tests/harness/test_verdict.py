"""Verdicts of wholes from those of their parts, and the exit codes that they become."""

from __future__ import annotations

import pytest

from fleetrig.harness.report.exits import Exit, exit_of
from fleetrig.harness.verdict import (
    CheckResult,
    Finding,
    PhaseResult,
    Report,
    Severity,
    Verdict,
    verdict_of,
    worst_verdict,
)

BROKEN, FAILED, WARNED, PASSED, SKIPPED = (
    Verdict.BROKEN, Verdict.FAILED, Verdict.WARNED, Verdict.PASSED, Verdict.SKIPPED,
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
        (PASSED, False, 0), (WARNED, False, 0), (SKIPPED, False, 0), (FAILED, False, 1), (BROKEN, False, 3),
        (PASSED, True, 0), (WARNED, True, 1), (SKIPPED, True, 0), (FAILED, True, 1), (BROKEN, True, 3),
    ],
)  # fmt: skip
def test_exit_codes(verdict: Verdict, strict: bool, code: int) -> None:
    assert exit_of(verdict, strict=strict) == code


def test_the_codes_are_those_of_the_manual() -> None:
    codes = (Exit.PASSED, Exit.FAILED, Exit.INTERRUPTED, Exit.BROKEN, Exit.WRONG_USAGE, Exit.NO_SUCH_ID)
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
