"""What is the fault of a program under test, where only an action finds it out: a finding, as a board's would be."""

from __future__ import annotations


class ProgramFailed(Exception):
    """`str()` is a sentence: what was waited for, and what the program did."""


def never_called(serial: str, waited_s: float, *, is_on: bool) -> ProgramFailed:
    """For an update nobody is there. What the program has printed stands in the report."""
    if not is_on:
        return ProgramFailed(f"{serial} has not called the server, and its program has ended or is switched off")
    return ProgramFailed(f"{serial} did not call the server within {waited_s:g} s")
