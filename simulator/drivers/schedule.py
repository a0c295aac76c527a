"""When a device means to start its next round: an open model.

A closed model waits for an answer, then for the interval: a server that is slow is asked less, and looks better than it
is. Here the next intended start is the previous one plus the interval, whenever the answer came. A start that is late
by more than a whole interval never happens: it is dropped, and the time for which nobody would have been answered
counts in the corrected latency.
"""

from __future__ import annotations

from typing import Final

from fleetrig.simulator.contract.trace import TraceEvent
from fleetrig.simulator.effects import Apply, Await, Pause

INTERVAL: Final = "interval"
"""How reasons of pauses end that are a rhythm (`poll interval`); others, such as a backoff, begin when they begin."""
IDLE: Final = "idle"
"""An `Await` of this name is a connected device's way to wait for its next round."""


def is_rhythm(wanted: Pause | Apply | Await) -> bool:
    """True for a wait that is the interval of a rhythm."""
    match wanted:
        case Pause(why=why):
            return why.endswith(INTERVAL)
        case Await(name=name):
            return name == IDLE
        case Apply():
            return False


def was_rhythm(event: TraceEvent) -> bool:
    """The same, of a wait in the device lane."""
    return event.name == IDLE or event.reason.endswith(INTERVAL)


class Schedule:
    """The intended starts of one device; all times in seconds of one monotonic clock."""

    __slots__ = ("_is_due", "_round_s", "_wait_s", "_waited_s", "intended_s", "is_open")

    def __init__(self, start_s: float, *, is_open: bool = True) -> None:
        """`is_open`: False for a closed model, in which each interval begins with the answer."""
        self.intended_s = start_s
        self.is_open = is_open
        self._is_due = True
        self._waited_s = 0.0
        """Of a round in parts: how long those before the last were."""
        self._wait_s = self._round_s = 0.0
        """How long the last wait was to be, and all parts of its round with it."""

    def begins(self, now_s: float) -> float:
        """A request goes out now; returns when it was meant to. Only the first after a pause can be late."""
        if not self._is_due:
            return now_s
        self._is_due = False
        return min(self.intended_s, now_s)

    def after(self, interval_s: float, now_s: float, left_s: float = 0.0) -> list[float]:
        """A round is over: sets the next intended start and returns those that were dropped meanwhile.

        `left_s`: only a part of it is, with so much behind it. At its end nothing was meant to start.
        """
        self._is_due = True
        self._wait_s, self._round_s = interval_s, self._waited_s + interval_s
        if not self.is_open or interval_s <= 0:
            self.intended_s = now_s + interval_s
            return []
        due_s = self.intended_s + interval_s
        round_s = self._round_s
        if left_s > 0:
            self.intended_s, self._waited_s = due_s, round_s
            return []
        self._waited_s = 0.0
        dropped = []
        while due_s + round_s < now_s:
            dropped.append(due_s)
            due_s += round_s
        self.intended_s = due_s
        return dropped

    def cut_short(self, after_s: float) -> None:
        """Something came so long after the last wait had begun: what is left of it is waited for next."""
        left_s = self._wait_s - after_s
        self.intended_s -= left_s
        self._waited_s = self._round_s - left_s

    def resumes(self, at_s: float) -> None:
        """Time passes that has nothing to do with the rhythm: the next round is meant to start then."""
        self._is_due = True
        self._waited_s = 0.0
        self.intended_s = at_s
