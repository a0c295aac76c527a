"""A bounded cache that forgets what has not been asked for lately."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from typing import Final, Generic, Literal, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class NotKept(Enum):
    MISSING = 0


MISSING: Final = NotKept.MISSING
"""Told apart from None, which is what a cache knows of a record that does not exist."""


class Recent(Generic[K, V]):
    """Two generations: when the young one is full, it becomes the old one and what was old goes.

    What is asked for in the old one becomes young again. A hit costs one dict lookup, and at most `capacity` are kept.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, capacity: int) -> None:
        self._half = max(1, capacity // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | Literal[NotKept.MISSING]:
        value: V | Literal[NotKept.MISSING] = self._young.get(key, MISSING)
        if value is MISSING:
            value = self._old.pop(key, MISSING)
            if value is not MISSING:
                self.put(key, value)
        return value

    def peek(self, key: K) -> V | Literal[NotKept.MISSING]:
        """As `get`, but the generations stay as they are: for going through many."""
        value: V | Literal[NotKept.MISSING] = self._young.get(key, MISSING)
        return self._old.get(key, MISSING) if value is MISSING else value

    def put(self, key: K, value: V) -> None:
        if len(self._young) >= self._half and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def offer(self, key: K, value: V) -> None:
        """Keeps it while there is room, so that a long scan pushes nothing out."""
        if len(self._young) < self._half:
            self.put(key, value)

    def pop(self, key: K) -> None:
        self._young.pop(key, None)
        self._old.pop(key, None)

    def clear(self) -> None:
        self._young.clear()
        self._old.clear()

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
