"""The fold of `prints`, and the question of `unit`: what boards say, and what became of them."""

from __future__ import annotations

import re

from fleetrig.harness.checks.fold import RecentEvents, Status, format_amount, format_bounds, format_count
from fleetrig.harness.run.context import RunContext
from fleetrig.harness.scenario_file.board_check_words import UnitRecordSays
from fleetrig.harness.scenario_file.values import Times
from fleetrig.harness.verdict import Finding, Measured
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.drivers.director import AdminCall

SAID_NOTHING = "it said nothing at all, so it could not have"


class PrintsFold:
    """A board's console says a line as often as the bounds say. That it never says one is true only if it speaks."""

    def __init__(self, board: str, shown: str, line: re.Pattern[str], bounds: Times) -> None:
        """`shown` is the line as people read it."""
        self._board, self._shown, self._line, self._bounds = board, shown, line, bounds
        self._lines = self._found = 0
        self._recent = RecentEvents()
        self._latest = RecentEvents()

    def step(self, event: TraceEvent) -> None:
        if event.lane is not Lane.BOARD or event.kind != "line" or event.device != self._board:
            return
        self._lines += 1
        self._latest.keep(event)
        if self._line.search(event.reason):
            self._found += 1
            self._recent.keep(event)

    def status(self) -> Status:
        if self._bounds.at_most is not None and self._found > self._bounds.at_most:
            return Status.VIOLATED
        return Status.MET if self._lines and self._found >= self._bounds.at_least else Status.OPEN

    @property
    def expected(self) -> str:
        return f"{self._board} prints a line with {self._shown!r}, {format_bounds(self._bounds)}"

    def finding(self) -> Finding:
        if not self._lines:
            return Finding(self.expected, SAID_NOTHING)
        got = f"{format_count(self._found)}, in {format_amount(self._lines, 'line')}"
        return Finding(self.expected, got, (self._recent if self._found else self._latest).evidence())

    def measured(self) -> str:
        return f"{format_count(self._found)} in {format_amount(self._lines, 'line')} of {self._board}"


def query_unit(context: RunContext, words: UnitRecordSays) -> AdminCall[Finding | Measured]:
    """What became of the unit that a board was to be, as its record says, or who refused to make it."""
    yield from ()
    assert context.boards is not None
    role = words.board or next(iter(context.boards.names))
    unit = context.boards.units.get(role)
    if unit is None:
        return Finding(words.describe(), f"nothing was brought up on {context.boards.names[role]}")
    said = f"{unit.serial} on {context.boards.names[role]} is {unit.verdict}" + (
        f": {unit.reason}" if unit.reason else ""
    )
    if unit.verdict != words.verdict or (words.reason_has or "") not in unit.reason:
        return Finding(words.describe(), said)
    return Measured(said)
