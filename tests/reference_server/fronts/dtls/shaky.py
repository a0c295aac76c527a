"""A network that loses, doubles and reorders the datagrams of a handshake, by a seed; and calms down again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

SHAKEN = 10
"""So many datagrams of both directions together are in danger: a handshake has about that many."""
LOST = 1
"""And those that are held back when no other comes after them."""


class ShakyNetwork:
    """One link. Which of its datagrams are lost is known from the start, so that it ends in bounded time."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._lost = frozenset(self._random.sample(range(SHAKEN), LOST))
        self._count = 0
        self._held: list[Callable[[], object]] = []

    def carry(self, deliver: Callable[[], object]) -> None:
        """Performs `deliver` when the datagram arrives: now, twice, after the next one, or never."""
        for each in self._arriving(deliver):
            each()

    def _arriving(self, deliver: Callable[[], object]) -> Iterator[Callable[[], object]]:
        number, self._count = self._count, self._count + 1
        fate = self._random.random() if number < SHAKEN else 1.0
        held, self._held = self._held, []
        if number in self._lost:
            pass
        elif fate < 0.2:
            yield deliver
            yield deliver
        elif fate < 0.3:
            self._held = [deliver]
        else:
            yield deliver
        yield from held

    def calm_down(self) -> None:
        """From now on everything arrives."""
        self._count = SHAKEN
