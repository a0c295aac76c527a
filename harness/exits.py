"""What the command's exit codes mean: the one table."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    PASSED = 0  # also warned, and everything skipped
    FAILED = 1
    INTERRUPTED = 2
    BROKEN = 3  # the bench could not judge: unreachable, port in use, wrong credentials
    WRONG_USAGE = 4  # also a file that is invalid or missing
    NO_SUCH_ID = 5
    BUG = 70
