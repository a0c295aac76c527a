"""Things that are remembered for a time, with a bound for their number and one for their bytes: the oldest go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Expiring(Generic[K, V]):
    def __init__(self, lifetime_us: int, most: int, most_bytes: int) -> None:
        self._lifetime_us = lifetime_us
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[K, tuple[int, int, V]] = OrderedDict()
        """Key -> (when it expires, how many bytes it counts for, value), the oldest first."""
        self.total_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: K, value: V, now_us: int, size_bytes: int = 0) -> None:
        """Remembers it from now on, in place of what the key stood for. A value over the bound is not kept."""
        self.drop(key)
        self._kept[key] = (now_us + self._lifetime_us, size_bytes, value)
        self.total_bytes += size_bytes
        while len(self._kept) > self._most or self.total_bytes > self._most_bytes:
            self._drop_oldest()

    def get(self, key: K, now_us: int) -> V | None:
        found = self._kept.get(key)
        return None if found is None or found[0] <= now_us else found[2]

    def drop(self, key: K) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.total_bytes -= found[1]

    def expire(self, now_us: int) -> None:
        while self._kept and next(iter(self._kept.values()))[0] <= now_us:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, (_, size_bytes, _) = self._kept.popitem(last=False)
        self.total_bytes -= size_bytes
