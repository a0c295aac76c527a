"""The ladder of a board: off, flashed, booted, provisioned. No I/O of its own: what climbs a rung is handed in.

A rung that failed stays failed: whoever asks again is told the same first failure, and nothing is tried on top of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from fleetrig.hil.board_failed import BoardFailed
from fleetrig.hil.units.unit_record import UnitPhase, UnitVerdict
from fleetrig.simulator.contract.clock import Clock, to_s
from fleetrig.simulator.contract.errors import FleetrigError


class Rung(StrEnum):
    """Each stands on those before it."""

    OFF = "off"
    FLASHED = "flashed"
    BOOTED = "booted"
    PROVISIONED = "provisioned"


LADDER: Final = tuple(Rung)
Climb = Callable[[], Awaitable[None]]
"""Brings the board from the rung below to this one. Raises BoardFailed (the board's fault) or FleetrigError."""
OnPhase = Callable[[UnitPhase], None]


class FirstFailure(NamedTuple):
    """Where the ladder broke, and whose fault it was."""

    rung: Rung
    error: BoardFailed | FleetrigError


class BringUp:
    """One board's ladder. Rungs without a climb are passed over: a board that needs no flash is booted as it is."""

    def __init__(self, climbs: Mapping[Rung, Climb], clock: Clock, on_phase: OnPhase = lambda phase: None) -> None:
        self._climbs = climbs
        self._clock = clock
        self._on_phase = on_phase
        self.rung: Rung | None = None
        """The highest one that was reached; None before the first."""
        self.first_failure: FirstFailure | None = None

    async def reach(self, goal: Rung) -> None:
        """Climbs from where it is. Raises what broke the ladder first, also when it is asked again."""
        if self.first_failure is not None:
            raise self.first_failure.error
        begun = 0 if self.rung is None else LADDER.index(self.rung) + 1
        for rung in LADDER[begun : LADDER.index(goal) + 1]:
            if (climb := self._climbs.get(rung)) is not None:
                await self._step(rung, climb)
            self.rung = rung

    async def _step(self, rung: Rung, climb: Climb) -> None:
        began_us = self._clock.now_us()
        verdict, reason = UnitVerdict.STOPPED, "stopped by a person, or by the end of the run"
        try:
            await climb()
            verdict, reason = UnitVerdict.PASSED, ""
        except (BoardFailed, FleetrigError) as error:
            self.first_failure = FirstFailure(rung, error)
            verdict, reason = verdict_of(error), str(error)
            raise
        finally:
            took_s = to_s(self._clock.now_us() - began_us)
            self._on_phase(UnitPhase(rung, verdict, took_s, reason))


def verdict_of(error: BoardFailed | FleetrigError) -> UnitVerdict:
    """Whose fault it was."""
    return UnitVerdict.FAILED if isinstance(error, BoardFailed) else UnitVerdict.BROKEN
