"""The events of several workers as one stream in the order of time.

Each worker says until when it has told everything. What is older than that of all of them comes out; who is late holds
the others up only until it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class EventMerge:
    """Collects events; the first value of each is its time."""

    def __init__(self) -> None:
        self._held: list[list[Any]] = []
        self._until_us: dict[str, int] = {}

    def joins(self, worker: str, now_us: int) -> None:
        """A worker that is waited for from now on."""
        self._until_us[worker] = now_us

    def leaves(self, worker: str) -> None:
        """Nobody waits for it any more."""
        self._until_us.pop(worker, None)

    def add(self, worker: str, events: Iterable[list[Any]], until_us: int) -> None:
        """What a worker tells, and until when that is all."""
        self._held.extend(events)
        if worker in self._until_us:
            self._until_us[worker] = max(until_us, self._until_us[worker])

    def settled_us(self, now_us: int) -> int:
        """Until when everything is there; now, where nobody is waited for."""
        return min(self._until_us.values(), default=now_us)

    def take(self, until_us: int) -> list[list[Any]]:
        """The events until then, in order."""
        if not self._held:
            return []
        self._held.sort(key=time_of)
        count = next((at for at, event in enumerate(self._held) if event[0] > until_us), len(self._held))
        taken, self._held = self._held[:count], self._held[count:]
        return taken


def time_of(event: list[Any]) -> int:
    at_us: int = event[0]
    return at_us
