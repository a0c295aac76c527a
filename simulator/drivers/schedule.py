"""The open model: the pauses of a device are a schedule, and a slow answer does not put off what comes next.

The next intended start is the previous intended start plus the interval. A start that is later than a whole interval
has been dropped: it is counted, and the one after it is next. A backoff is no schedule: it counts from its failure.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from fleetrig.simulator.effects import Await, Pause

INTERVALS: Final = frozenset({"poll interval", "telemetry interval", "idle"})
"""What flows call the waits of a schedule."""


def is_interval(wanted: Pause | Await) -> bool:
    """True for a wait whose end a schedule sets."""
    return (wanted.why if isinstance(wanted, Pause) else wanted.name) in INTERVALS


class NextStart(NamedTuple):
    """When a device goes on."""

    wait_us: int
    late_us: int
    """How much later than intended that is."""
    dropped: int
    """Starts before it that fell out."""


class Schedule:
    """The intended starts of one device, from its power-on."""

    __slots__ = ("intended_us",)

    def __init__(self, now_us: int) -> None:
        self.intended_us = now_us

    def restart(self, start_us: int) -> None:
        """The schedule counts from this start: the first one, or one that a backoff has set."""
        self.intended_us = start_us

    def next(self, interval_us: int, now_us: int) -> NextStart:
        """The start after the previous one. `interval_us` is as it was drawn."""
        self.intended_us += interval_us
        late_us = now_us - self.intended_us
        if late_us <= 0:
            return NextStart(-late_us, 0, 0)
        dropped = late_us // interval_us if interval_us > 0 else 0
        self.intended_us += dropped * interval_us
        return NextStart(0, now_us - self.intended_us, dropped)
