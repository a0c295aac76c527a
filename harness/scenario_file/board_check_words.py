"""The words of `expect` for boards: what their consoles say, and what the records of units say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import model_validator

from fleetrig.harness.scenario_file.board_words import BoardSelector, Regex
from fleetrig.harness.scenario_file.check_words import CheckWord
from fleetrig.harness.scenario_file.values import AT_LEAST_ONCE, HowOften, Text


class BoardCheckWord(CheckWord):
    """A check that is about one board."""

    def roles(self) -> Iterator[str]:
        yield from ()


class Prints(BoardSelector, BoardCheckWord):
    """A board says a line like this by itself, on its console, during this phase."""

    line: Regex
    """A regular expression that is found in the line."""
    times: HowOften = AT_LEAST_ONCE
    """How often: an exact number, or bounds."""

    def waits(self) -> bool:
        return self.times.at_least > 0


class UnitRecordSays(BoardSelector, BoardCheckWord):
    """The record of what a board was to become says this, after `bring_up`."""

    verdict: Literal["passed", "failed", "broken", "stopped", "refused"] = "passed"
    """`failed`: the board's fault; `broken`: the bench's; `refused`: it must not be made (again), so nothing was."""
    reason_has: Text | None = None
    """A part of the reason."""

    @model_validator(mode="after")
    def _has_a_reason(self) -> Self:
        if self.verdict == "passed" and self.reason_has is not None:
            raise ValueError("a unit that has passed has no reason: leave reason_has away")
        return self

    def describe(self) -> str:
        why = f", because of {self.reason_has!r}" if self.reason_has else ""
        return f"the unit on {self.whom} is {self.verdict}{why}"
