"""When faults were in force, as the trace tells it, and how often each bit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.contract.units import DURATION, duration_s

SET: Final = re.compile(r"fault (\w+)(.*)", re.DOTALL)
BEGINS: Final = re.compile(rf"[{{ ]at: ({DURATION.pattern})[,}}]")
LASTS: Final = re.compile(rf"[{{ ]for: ({DURATION.pattern})[,}}]")
TIMES: Final = re.compile(r"[{ ]times: (\d{1,9})[,}]")
MOST_WINDOWS: Final = 200


@dataclass(slots=True)
class _FaultWindow:
    kind: str
    sentence: str
    from_us: int
    to_us: int | None
    most_bites: int | None
    bites: int = 0

    def has(self, at_us: int) -> bool:
        return self.from_us <= at_us and (self.to_us is None or at_us <= self.to_us)

    def bite(self, at_us: int) -> None:
        self.bites += 1
        if self.bites == self.most_bites:
            self.to_us = at_us


class FaultWindows:
    """Told every event. One that says neither how long it lasts nor how often it bites is in force to the end."""

    def __init__(self) -> None:
        self._windows: list[_FaultWindow] = []

    def take(self, event: TraceEvent) -> None:
        if event.lane is Lane.BENCH and event.kind == "note" and (found := SET.fullmatch(event.name)):
            self._begin(found[1], event)
        elif event.kind == "fault" and event.lane is Lane.SERVER:
            self._bite(event)

    def documents(self) -> list[dict[str, Any]]:
        return [
            {"kind": one.kind, "sentence": one.sentence, "from_us": one.from_us, "to_us": one.to_us, "bites": one.bites}
            for one in self._windows
        ]

    def _begin(self, kind: str, event: TraceEvent) -> None:
        if len(self._windows) >= MOST_WINDOWS:
            return
        times = TIMES.search(event.name)
        from_us = event.at_us + (_said_us(BEGINS, event.name) or 0)
        lasts_us = _said_us(LASTS, event.name)
        ends_us = None if lasts_us is None else from_us + lasts_us
        self._windows.append(_FaultWindow(kind, event.name, from_us, ends_us, int(times[1]) if times else None))

    def _bite(self, event: TraceEvent) -> None:
        """Counts for the latest that was in force; by another clock, or told late, for the latest of its kind."""
        alike = [window for window in reversed(self._windows) if window.kind == event.fault]
        in_force = (window for window in alike if window.has(event.at_us))
        if bitten := next(in_force, alike[0] if alike else None):
            bitten.bite(event.at_us)


def _said_us(form: re.Pattern[str], sentence: str) -> int | None:
    """None where it says nothing, or what no scenario can say."""
    found = form.search(sentence)
    try:
        return to_us(duration_s(found[1])) if found else None
    except ValueError:
        return None
