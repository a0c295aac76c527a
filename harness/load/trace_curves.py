"""The curves of a run as its trace tells them: of one in virtual time, they foretell those of a load run.

Reads the device lane with the rules by which a load run counts (`simulator/drivers/load/device.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fleetrig.harness.checks.threshold_folds import EXCHANGE_ENDS, has_failed
from fleetrig.harness.load.curves import LoadCurves
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.drivers.load.figures import LoadFigures, SecondOfLoad
from fleetrig.simulator.drivers.schedule import IDLE, Schedule, was_rhythm
from fleetrig.simulator.stages import Stage

PROCESS = "run"
PING = "ping"
OFF = frozenset({"power_cut", "ended"})


@dataclass(slots=True)
class DeviceCourse:
    """A device that is on: its schedule, and the exchange that is under way."""

    schedule: Schedule
    asked: str = ""
    sent_s: float = 0.0
    waited: tuple[float, float] | None = None
    """The last wait of its rhythm, and when it was over: a ping behind it tells that it was a part of a round."""


class TraceCurves:
    """A listener of the trace: `take` is told each event."""

    def __init__(self, *, is_open: bool) -> None:
        """`is_open`: whether the devices of the run kept to a schedule."""
        self._is_open = is_open
        self._curves = LoadCurves()
        self._figures: LoadFigures | None = None
        self._courses: dict[str, DeviceCourse] = {}
        self._online: set[str] = set()
        self._online_at: dict[int, int] = {}
        """Second -> how many were online at its end; what began in it may be added later."""
        self._began_us = 0
        self._second = 0

    def take(self, event: TraceEvent) -> None:
        """The next event."""
        figures = self._figures
        if figures is None:
            self._began_us = event.at_us
            figures = self._figures = LoadFigures(0.0)
        now_s = to_s(event.at_us - self._began_us)
        if (second := int(now_s)) > self._second:
            self._end_second(figures, now_s)
            self._second = second
        if event.lane is Lane.DEVICE:
            self._note_stage(event, now_s)
            self._note_exchange(figures, event, now_s)

    def _end_second(self, figures: LoadFigures, now_s: float) -> None:
        figures.at(self._second)  # so that it is there, and says who is online, if nobody asked
        for number, second in sorted(figures.take_until(now_s).items()):
            self._add(number, second)

    def _add(self, number: int, second: SecondOfLoad) -> None:
        self._curves.add(PROCESS, number, second, self._online_at.setdefault(number, len(self._online)))

    def _note_stage(self, event: TraceEvent, now_s: float) -> None:
        if event.kind in OFF:
            self._online.discard(event.device)
            self._courses.pop(event.device, None)
        elif event.kind == "power_on":
            self._courses[event.device] = DeviceCourse(Schedule(now_s, is_open=self._is_open))
        elif event.kind == "entered":
            (self._online.add if event.stage == Stage.ONLINE else self._online.discard)(event.device)

    def _note_exchange(self, figures: LoadFigures, event: TraceEvent, now_s: float) -> None:
        course = self._courses.get(event.device)
        if course is None:
            return
        if course.waited is not None:
            self._note_round(figures, course, *course.waited, is_part=event.kind == "sent" and event.name == PING)
        if event.kind == "sent":
            course.asked, course.sent_s = event.name, now_s
        elif event.kind in EXCHANGE_ENDS and event.name == course.asked:
            # Only now is it known that it had an answer: of what is only told (QoS 0) a trace says no more.
            intended_s = course.schedule.begins(course.sent_s)
            figures.started(course.sent_s, intended_s)
            figures.ended(now_s, course.sent_s, intended_s, is_error=has_failed(event))
            course.asked = ""
        elif event.kind == "received" and event.name == IDLE:
            self._note_round(figures, course, to_s(event.took_us), now_s, is_part=True)
        elif event.kind in ("paused", "applied", "waited"):
            self._note_wait(figures, course, event, now_s)

    def _note_wait(self, figures: LoadFigures, course: DeviceCourse, event: TraceEvent, now_s: float) -> None:
        interval_s = to_s(event.took_us)
        if was_rhythm(event):
            course.waited = (interval_s, now_s)
        elif event.kind != "waited":
            course.schedule.resumes(now_s)

    def _note_round(
        self, figures: LoadFigures, course: DeviceCourse, interval_s: float, now_s: float, *, is_part: bool
    ) -> None:
        course.waited = None
        before_s = now_s if self._is_open else now_s - interval_s
        for dropped_s in course.schedule.after(interval_s, before_s, math.inf if is_part else 0.0):
            figures.dropped(now_s, dropped_s)

    def ended(self) -> LoadCurves:
        """The curves, when the run is over."""
        if self._figures is not None:
            self._figures.at(self._second)
            for number, second in sorted(self._figures.take_all().items()):
                self._add(number, second)
            self._curves.settle_all()
        return self._curves
