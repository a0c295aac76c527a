"""The exit codes of the command, and what becomes of runs that were skipped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from fleetrig.harness.verdict import Verdict, worst_verdict
from fleetrig.simulator.contract.errors import UsageError


class Exit(IntEnum):
    PASSED = 0  # also warned; also skipped, as long as something was judged
    FAILED = 1
    INTERRUPTED = 2
    BROKEN = 3  # the bench could not judge: unreachable, port in use, wrong credentials
    WRONG_USAGE = 4  # also a file that is invalid or missing
    NOTHING_JUDGED = 5  # everything was skipped, or an ID or tag selects nothing
    BUG = 70


@dataclass(frozen=True, slots=True)
class ExitRules:
    """What the options of a command make of warnings and skips. Raises UsageError for two that contradict."""

    strict: bool = False
    """A warning is a failure (`--strict`)."""
    fail_on_skip: bool = False
    """A skip is a failure (`--fail-on-skip`)."""
    allow_skipped: bool = False
    """A run in which everything was skipped is fine (`--allow-skipped`)."""

    def __post_init__(self) -> None:
        if self.fail_on_skip and self.allow_skipped:
            raise UsageError("--fail-on-skip and --allow-skipped contradict each other: give one of them")


def exit_of(verdict: Verdict, *, strict: bool = False) -> Exit:
    """The exit code for one verdict; with `strict` a warning is a failure. SKIPPED means that nothing was judged."""
    match verdict:
        case Verdict.BROKEN:
            return Exit.BROKEN
        case Verdict.FAILED:
            return Exit.FAILED
        case Verdict.WARNED if strict:
            return Exit.FAILED
        case Verdict.SKIPPED:
            return Exit.NOTHING_JUDGED
        case _:
            return Exit.PASSED


def fails(verdict: Verdict, rules: ExitRules) -> bool:
    """True for a verdict that only the options make a failure."""
    return (verdict is Verdict.WARNED and rules.strict) or (verdict is Verdict.SKIPPED and rules.fail_on_skip)


def exit_of_all(verdicts: Collection[Verdict], rules: ExitRules) -> Exit:
    """The exit code of a whole run, from the verdicts of its parts."""
    code = exit_of(worst_verdict(verdicts), strict=rules.strict) if verdicts else Exit.NOTHING_JUDGED
    skipped = Verdict.SKIPPED in verdicts and code in (Exit.PASSED, Exit.NOTHING_JUDGED)
    if skipped and rules.fail_on_skip:
        return Exit.FAILED
    return Exit.PASSED if skipped and rules.allow_skipped else code


def nothing_judged(verdicts: Collection[Verdict]) -> bool:
    """True when every part was skipped, or there was none."""
    return all(verdict is Verdict.SKIPPED for verdict in verdicts)


def remark_on_skips(verdicts: Collection[Verdict], rules: ExitRules) -> str:
    """What skips mean for the exit code, for people; empty when they mean nothing."""
    skipped = sum(verdict is Verdict.SKIPPED for verdict in verdicts)
    if not skipped:
        return ""
    if rules.fail_on_skip:
        return f"{skipped} skipped: with --fail-on-skip that is a failure"
    if not nothing_judged(verdicts):
        return ""
    what = "nothing was judged: everything was skipped, for the reasons above"
    code = f". The exit code is {Exit.NOTHING_JUDGED:d}; --allow-skipped makes it 0"
    return what if rules.allow_skipped else what + code
