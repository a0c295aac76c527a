"""How long requests may take: one timer looks after all of them, since one for each costs as much as sending it.

A request ends up to `LOOKS_EVERY_S` later than it should; what must be punctual takes `gevent.Timeout`.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Final

import gevent

LOOKS_EVERY_S: Final = 0.05


class TimeLimits:
    """Those of the greenlets of a process. `with time_limits.within(10.0): …` raises TimeoutError inside the block."""

    def __init__(self) -> None:
        self._due_s: dict[Any, float] = {}
        self._timer: Any = None

    def within(self, seconds: float) -> TimeLimit:
        """One block; a greenlet can be in one at a time."""
        return TimeLimit(self, time.monotonic() + seconds)

    def begin(self, greenlet: Any, due_s: float) -> None:
        """The same without a block: TimeoutError is thrown into `greenlet` until it ends its limit."""
        if self._timer is None:
            self._timer = gevent.get_hub().loop.timer(LOOKS_EVERY_S, LOOKS_EVERY_S, ref=False)
            self._timer.start(self._look)
        self._due_s[greenlet] = due_s

    def end(self, greenlet: Any) -> None:
        """It has no limit any more."""
        self._due_s.pop(greenlet, None)

    def _look(self) -> None:
        """Runs in gevent's hub, which a greenlet that is thrown into gives back as soon as it waits again."""
        now_s = time.monotonic()
        for greenlet in [one for one, due_s in self._due_s.items() if due_s <= now_s]:
            if self._due_s.pop(greenlet, None) is not None:
                greenlet.throw(TimeoutError)


class TimeLimit:
    """One block of one greenlet."""

    __slots__ = ("_due_s", "_greenlet", "_limits")

    def __init__(self, limits: TimeLimits, due_s: float) -> None:
        self._limits = limits
        self._due_s = due_s
        self._greenlet: Any = None

    def __enter__(self) -> None:
        self._greenlet = gevent.getcurrent()
        self._limits.begin(self._greenlet, self._due_s)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._limits.end(self._greenlet)
