"""When sleeping devices go on: one timer for all of them, since one for each costs as much as half a request.

Who is due within `EARLY_S` goes on with the first. After `MOST_AT_ONCE` of them answers have their turn: a thousand
devices that are due at once must not make a server look slow.
"""

from __future__ import annotations

import time
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

import gevent

EARLY_S: Final = 0.001
"""Timers of an event loop may be that early."""
MOST_AT_ONCE: Final = 16


class WakeUps:
    """Those of the greenlets of a process."""

    def __init__(self) -> None:
        self._sleeping: list[list[Any]] = []
        """A heap of [due_s, number, greenlet]; no greenlet where it has gone on otherwise, as when it is killed."""
        self._numbers = count()
        self._timer: Any = None
        self._is_ringing = False

    def sleep_until(self, due_s: float) -> None:
        """The greenlet that calls lets others run until then (`time.monotonic`), or until something is thrown in."""
        entry = [due_s, next(self._numbers), gevent.getcurrent()]
        heappush(self._sleeping, entry)
        if not self._is_ringing and self._sleeping[0] is entry:
            self._ring_at(due_s)
        try:
            gevent.get_hub().switch()
        finally:
            entry[2] = None

    def _ring_at(self, due_s: float) -> None:
        if self._timer is not None:
            self._timer.close()
        self._timer = gevent.get_hub().loop.timer(max(0.0, due_s - time.monotonic()))
        self._timer.start(self._ring, update=True)

    def _ring(self) -> None:
        """Runs in gevent's hub, which a greenlet that is switched to gives back as soon as it waits again."""
        self._is_ringing = True
        until_s = time.monotonic() + EARLY_S
        sleeping, left = self._sleeping, MOST_AT_ONCE
        try:
            while sleeping and left and sleeping[0][0] <= until_s:
                greenlet = heappop(sleeping)[2]
                if greenlet is not None:
                    left -= 1
                    greenlet.switch()
        finally:
            self._is_ringing = False
            if sleeping:
                self._ring_at(sleeping[0][0])
