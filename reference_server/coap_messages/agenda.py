"""What is to happen later, with one time for all of it: when the earliest is due."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

Call = Callable[[int], None]
"""Called with the time at which it happens (us)."""

TIDY_FROM: Final = 1_024


class Appointment:
    """`cancel` makes it never happen."""

    __slots__ = ("at_us", "call", "order")

    def __init__(self, at_us: int, order: int, call: Call) -> None:
        self.at_us = at_us
        self.order = order
        self.call: Call | None = call

    def __lt__(self, other: Appointment) -> bool:
        return (self.at_us, self.order) < (other.at_us, other.order)

    def cancel(self) -> None:
        self.call = None


class Agenda:
    """Of two things that are due at the same time the first ordered happens first."""

    def __init__(self) -> None:
        self._heap: list[Appointment] = []
        self._ordered = 0

    def at(self, at_us: int, call: Call) -> Appointment:
        self._ordered += 1
        made = Appointment(at_us, self._ordered, call)
        heappush(self._heap, made)
        if self._ordered % TIDY_FROM == 0:
            self._tidy()
        return made

    def next_us(self) -> int | None:
        """When `run` has something to do next."""
        while self._heap and self._heap[0].call is None:
            heappop(self._heap)
        return self._heap[0].at_us if self._heap else None

    def run(self, now_us: int) -> None:
        """Lets everything happen that is due, what is ordered meanwhile for now or earlier too."""
        while (due_us := self.next_us()) is not None and due_us <= now_us:
            call = heappop(self._heap).call
            if call is not None:
                call(now_us)

    def _tidy(self) -> None:
        """What was cancelled must not lie here until its time has come."""
        self._heap = [one for one in self._heap if one.call is not None]
        heapify(self._heap)
