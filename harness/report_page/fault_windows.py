"""When faults were in force, as the trace tells it, and how often each bit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.trace import Lane, TraceEvent

SET: Final = re.compile(r"fault (\w+)(.*)", re.DOTALL)
LASTS: Final = re.compile(r"\bfor: ([0-9.]+)(us|ms|s|m|h|d)\b")
SECONDS: Final = {"us": 1e-6, "d": 86_400.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
MOST_WINDOWS: Final = 200


@dataclass(slots=True)
class _FaultWindow:
    kind: str
    sentence: str
    from_us: int
    to_us: int | None
    bites: int = 0


class FaultWindows:
    """Told every event. One that does not say how long it lasts ends with its phase."""

    def __init__(self) -> None:
        self._windows: list[_FaultWindow] = []
        self._open: list[_FaultWindow] = []

    def take(self, event: TraceEvent) -> None:
        if event.lane is Lane.BENCH:
            if event.kind == "note" and (found := SET.fullmatch(event.name)):
                self._begin(found[1], event)
            elif event.kind in ("verdict", "ended"):
                self._end(event.at_us)
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
        lasts = LASTS.search(event.name)
        ends_us = None if lasts is None else event.at_us + to_us(float(lasts[1]) * SECONDS[lasts[2]])
        window = _FaultWindow(kind, event.name, event.at_us, ends_us)
        self._windows.append(window)
        if ends_us is None:
            self._open.append(window)

    def _end(self, at_us: int) -> None:
        for window in self._open:
            window.to_us = at_us
        self._open.clear()

    def _bite(self, event: TraceEvent) -> None:
        """Of several of a kind the latest that is in force; one that has ended may still bite what is under way."""
        begun = [one for one in self._windows if one.kind == event.fault and one.from_us <= event.at_us]
        in_force = [one for one in begun if one.to_us is None or event.at_us <= one.to_us]
        for window in (in_force or begun)[-1:]:
            window.bites += 1
