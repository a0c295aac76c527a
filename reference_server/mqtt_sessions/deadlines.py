"""When something is due, by key: each key has one time at most."""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heapify, heappop, heappush
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

STALE_ENTRIES: Final = 64
"""So many more than keys may wait in the heap before it is made anew."""


class Deadlines(Generic[K]):
    """Of two that are due at the same time, that which was put first comes first."""

    def __init__(self) -> None:
        self._due: dict[K, tuple[int, int]] = {}
        self._heap: list[tuple[int, int, K]] = []
        self._puts = 0

    def put(self, key: K, due_us: int) -> None:
        """In place of the key's time so far."""
        self._puts += 1
        self._due[key] = (due_us, self._puts)
        heappush(self._heap, (due_us, self._puts, key))
        if len(self._heap) > 2 * len(self._due) + STALE_ENTRIES:
            self._heap = [(at_us, number, one) for one, (at_us, number) in self._due.items()]
            heapify(self._heap)

    def __contains__(self, key: K) -> bool:
        return key in self._due

    def cancel(self, key: K) -> None:
        self._due.pop(key, None)

    def next_due_us(self) -> int | None:
        if not self._heap:
            return None
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_us: int) -> K | None:
        """The first key whose time has come; it has none any more. None when there is none left."""
        self._drop_stale()
        if not self._heap or self._heap[0][0] > now_us:
            return None
        key = heappop(self._heap)[2]
        del self._due[key]
        return key

    def _drop_stale(self) -> None:
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][:2]:
            heappop(self._heap)
