"""The exit codes of the command."""

from __future__ import annotations

from enum import IntEnum

from fleetrig.harness.verdict import Verdict


class Exit(IntEnum):
    PASSED = 0  # also warned, and everything skipped
    FAILED = 1
    INTERRUPTED = 2
    BROKEN = 3  # the bench could not judge: unreachable, port in use, wrong credentials
    WRONG_USAGE = 4  # also a file that is invalid or missing
    NO_SUCH_ID = 5
    BUG = 70


def exit_of(verdict: Verdict, *, strict: bool = False) -> Exit:
    """The exit code of a whole run; with `strict` a warning is a failure."""
    match verdict:
        case Verdict.BROKEN:
            return Exit.BROKEN
        case Verdict.FAILED:
            return Exit.FAILED
        case Verdict.WARNED if strict:
            return Exit.FAILED
        case _:
            return Exit.PASSED
