"""How a run went, in figures over its time: questions, what was refused or failed, and how long answers took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.traces.event_words import span_text
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.failures import is_failure
from fleetrig.simulator.contract.trace import Lane, TraceEvent

WINDOWS: Final = 240
"""At most so many."""
STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000)
"""How long a window may be (ms), to be read easily; beyond it is whole minutes."""
MOST_ANSWERS: Final = 4_096
SHARES: Final = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
ANSWERS: Final = frozenset({"received", "downloaded", "no_reply"})


def window_of(span_us: int) -> int:
    """How long a window is (us)."""
    least_ms = -(-span_us // WINDOWS // US_PER_MS)
    minutes_ms = -(-least_ms // STEPS[-1]) * STEPS[-1]
    return US_PER_MS * next((step for step in STEPS if step >= least_ms), minutes_ms)


@dataclass(slots=True)
class _Window:
    asked: int = 0
    failed: int = 0
    took_us: list[int] = field(default_factory=list)
    every: int = 1
    answers: int = 0

    def took(self, took_us: int) -> None:
        """Of very many answers every second, fourth, … stands for the rest."""
        self.answers += 1
        if self.answers % self.every == 0:
            self.took_us.append(took_us)
        if len(self.took_us) >= MOST_ANSWERS:
            self.took_us, self.every = self.took_us[::2], self.every * 2


class RunCurves:
    """Told every event. Counts what devices ask; where none of them tells it, what came to the server."""

    def __init__(self, began_us: int, window_us: int) -> None:
        self._began_us, self._window_us = began_us, window_us
        self._of_devices: dict[int, _Window] = {}
        self._of_server: dict[int, _Window] = {}

    def take(self, event: TraceEvent) -> None:
        if event.lane is Lane.DEVICE:
            if event.kind == "sent":
                self._window(self._of_devices, event).asked += 1
            elif event.kind in ANSWERS:
                window = self._window(self._of_devices, event)
                window.failed += event.kind == "no_reply" or is_failure(event.envelope)
                if event.kind != "no_reply":
                    window.took(event.took_us)
        elif event.lane is Lane.SERVER and event.kind in ("received", "refused"):
            window = self._window(self._of_server, event)
            window.asked += event.kind == "received"
            window.failed += event.kind == "refused"

    def curves(self) -> list[dict[str, Any]]:
        """Each with its unit and its series; a value for each window, None where there is none."""
        windows = self._of_devices or self._of_server
        if not windows:
            return []
        all_of_them = [windows.get(number) for number in range(max(windows) + 1)]
        counts = [{"name": name, "values": values} for name, values in _counts(all_of_them)]
        found = [self._curve("requests", f"in each {span_text(self._window_us)}", counts)]
        if any(window is not None and window.took_us for window in all_of_them):
            shares = [{"name": name, "values": _share(all_of_them, share)} for name, share in SHARES]
            found.append(self._curve("time to the answer", "ms", shares))
        return found

    def _curve(self, name: str, unit: str, series: list[dict[str, Any]]) -> dict[str, Any]:
        return {"name": name, "unit": unit, "step_us": self._window_us, "series": series}

    def _window(self, windows: dict[int, _Window], event: TraceEvent) -> _Window:
        number = max(0, event.at_us - self._began_us) // self._window_us
        return windows.setdefault(number, _Window())


def _counts(windows: Sequence[_Window | None]) -> Iterator[tuple[str, list[int]]]:
    yield "asked", [0 if window is None else window.asked for window in windows]
    yield "failed or refused", [0 if window is None else window.failed for window in windows]


def _share(windows: Sequence[_Window | None], share: float) -> list[float | None]:
    """Milliseconds within which that share of the answers of a window came."""
    found: list[float | None] = []
    for window in windows:
        took = sorted(window.took_us) if window is not None else []
        found.append(round(took[min(len(took) - 1, int(share * len(took)))] / US_PER_MS, 3) if took else None)
    return found
