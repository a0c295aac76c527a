"""What a console tells, as trace events of the board lane: every line, every command, every start and panic.

Lines go out as they came, since every writer of a trace masks; the rare rest is masked here already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.hil.consoles.boot_watch import Notice, What
from fleetrig.hil.consoles.command_reading import CommandResult
from fleetrig.hil.consoles.console_text import LineSplitter
from fleetrig.hil.port import PortBytes, Way
from fleetrig.simulator.contract.clock import Clock
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, Trace

LANE: Final = Lane.BOARD
"""Looked up once: a member of an enumeration is dear, and lines come by the thousand."""
KINDS: Final[dict[What, str]] = {
    "started": "booted",
    "restarted": "reset_seen",
    "panicked": "panicked",
    "loops": "reset_seen",
}


@dataclass(frozen=True, slots=True)
class ConsoleTrace:
    """Its methods are a console's `on_notice` and `on_ran`; lines are `LineTelling`'s. `board` is its name."""

    trace: Trace
    clock: Clock
    board: str
    secrets: Secrets

    def notice(self, notice: Notice) -> None:
        name = "boot loop" if notice.what == "loops" else ""
        reason = self.secrets.hide_known(notice.line)
        self.trace.emit(self.clock.now_us(), Lane.BOARD, KINDS[notice.what], self.board, reason=reason, name=name)

    def ran(self, result: CommandResult) -> None:
        self.trace.emit(
            self.clock.now_us(),
            Lane.BOARD,
            "ran",
            self.board,
            name=self.secrets.hide_known(result.command),
            reason=f"status {result.status}",
            took_us=round(result.took_s * 1e6),
        )


class LineTelling:
    """A port's watcher: every line of the board's goes to the trace when it comes, also while nobody reads."""

    def __init__(self, told: ConsoleTrace) -> None:
        self._told = told
        self._splitter = LineSplitter()

    def hear(self, heard: PortBytes) -> None:
        told = self._told
        if heard.way is Way.FROM_BOARD and told.trace.wanted:
            for line in self._splitter.feed(heard.data):
                told.trace.emit(heard.at_us, LANE, "line", told.board, reason=line)
