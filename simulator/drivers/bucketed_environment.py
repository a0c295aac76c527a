"""SimPy's environment with another queue: what is due later lies in buckets, unsorted, until its second has come.

SimPy keeps all events in one heap. With a hundred thousand of them most of the time goes into reading memory all over
it. Here only the events of about one second are in SimPy's heap, which is then small enough for the processor's cache,
and SimPy itself takes them from there. All others are appended to the bucket of their second: that costs the same
however many there are, and eight bytes for each instead of a hundred.

Events happen in exactly SimPy's order: by time, by priority, and as they were scheduled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, Final

import simpy
from simpy.core import Infinity
from simpy.events import NORMAL, EventPriority

BUCKET_BITS: Final = 20
"""A bucket is 2^20 microseconds long: a million devices that poll every five minutes put 3,500 events into one."""


class Alarm:
    """All that the environment needs of an event: half as large as SimPy's, and can be scheduled again when it is over.

    SimPy takes the callbacks away when it calls them; whoever schedules it again puts them back.
    """

    __slots__ = ("callbacks", "due")

    _ok: Final = True
    """It cannot fail."""

    def __init__(self) -> None:
        self.callbacks: Sequence[Callable[[Any], None]] | None = None
        self.due: float = 0
        """Set by the environment."""


class BucketedEnvironment(simpy.Environment):
    """SimPy's environment; only `run_through` is not in SimPy's."""

    def __init__(self, initial_time: int = 0) -> None:
        super().__init__(initial_time)
        self._near_until: float = 0
        """What is due before then is in the heap, all else in a bucket."""
        self._buckets: dict[int, list[Any]] = {}
        """In the order in which they were scheduled."""
        self._urgent: dict[int, list[tuple[EventPriority, Any]]] = {}
        """Those of another priority than NORMAL, as SimPy's processes have them."""
        self._numbers: list[int] = []
        """Of the buckets that hold something, as a heap."""

    def schedule(self, event: simpy.Event | Alarm, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """As SimPy's."""
        due = self._now + delay
        if due < self._near_until:
            heappush(self._queue, (due, priority, next(self._eid), event))  # type: ignore[misc] # an alarm, too
            return
        event.due = due  # type: ignore[union-attr] # SimPy's events take any attribute
        number = int(due) >> BUCKET_BITS
        if (bucket := self._buckets.get(number)) is None:
            bucket = self._buckets[number] = []
            heappush(self._numbers, number)
        if priority == NORMAL:
            bucket.append(event)
        else:
            self._urgent.setdefault(number, []).append((priority, event))

    def peek(self) -> float:
        """As SimPy's. Looking ahead fetches nothing: what is scheduled until then still goes into its bucket."""
        if self._queue:
            return self._queue[0][0]
        if not self._numbers:
            return Infinity
        number = self._numbers[0]
        waiting = self._buckets[number] + [event for _, event in self._urgent.get(number, ())]
        due: float = min(event.due for event in waiting)
        return due

    def step(self) -> None:
        """As SimPy's."""
        if not self._queue and self._numbers:
            self._fetch()
        super().step()

    def run_through(self, until: float) -> int:
        """Lets all happen that is due by then, and what comes of it by then. Returns how many events that were."""
        queue, step, count = self._queue, super().step, 0
        while True:
            while queue and queue[0][0] <= until:
                step()
                count += 1
            if queue or not self._numbers or self._numbers[0] << BUCKET_BITS > until:
                return count
            self._fetch()

    def _fetch(self) -> None:
        """Takes the next bucket into the heap, which is empty."""
        number, take = heappop(self._numbers), self._queue.append
        self._near_until = (number + 1) << BUCKET_BITS
        for event in self._buckets.pop(number):
            take((event.due, NORMAL, next(self._eid), event))
        for priority, event in self._urgent.pop(number, ()):
            take((event.due, priority, next(self._eid), event))
        heapify(self._queue)
