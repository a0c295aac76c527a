"""The figures of a simulated fleet, second by second: those of a load run, in a closed model.

Each interval begins with the answer, as it does for real devices. So nothing is dropped, and the corrected time of an
answer differs from the raw one only by this machine's own lateness.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import Final

from fleetrig.harness.load.cpu_meter import CpuMeter
from fleetrig.harness.load.curves import CurveRow, LoadCurves, LoadTotals
from fleetrig.harness.load.health import WINDOW_S, GeneratorUse
from fleetrig.harness.simulation.exchange_times import ExchangeTimes
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.trace import Lane, TraceEvent
from fleetrig.simulator.drivers.load.figures import LoadFigures, SecondOfLoad

ITSELF: Final = "fleetrig"


class SimulationFigures:
    """Hears the device lane and the driver; `tick` it once a second."""

    def __init__(self, began_us: int, waits: Collection[str]) -> None:
        """`waits`: what devices await as an answer to something that they have sent under another name."""
        self.curves = LoadCurves()
        self.exchanges: dict[str, ExchangeTimes] = {}
        self.cpu = CpuMeter()
        self._began_us = began_us
        self._waits = waits
        self._figures = LoadFigures(0.0)
        self._due_us: dict[str, int] = {}
        """Device -> when its next request was meant to go out."""
        self.lasted_s = 0.0
        """From the first start to the moment when the fleet was switched off; known at the end."""
        self._asked: dict[str, tuple[str, float, float]] = {}
        """Device -> the name of what it asked last, when it meant to and when it did, in seconds."""
        self.told = 0
        """Requests that were sent and have no answer, such as messages with QoS 0."""
        self._lately: deque[tuple[int, SecondOfLoad]] = deque(maxlen=WINDOW_S)
        """The last seconds."""

    def woke(self, serial: str, due_us: int, at_us: int) -> None:
        """A device goes on after a pause that was to end at `due_us`."""
        self._due_us[serial] = due_us
        self._figures.woke(self._s(at_us), self._s(due_us))

    def sent(self, event: TraceEvent) -> None:
        """A listener for `sent`: a request goes out."""
        if event.lane is not Lane.DEVICE:
            return
        now_s = self._s(event.at_us)
        due_us = self._due_us.pop(event.device, None)
        intended_s = now_s if due_us is None else min(now_s, self._s(due_us))
        self.told += event.device in self._asked
        self._asked[event.device] = (event.name, intended_s, now_s)
        self._figures.started(now_s, intended_s)

    def ended(self, event: TraceEvent, is_good: bool) -> None:
        """An exchange has ended. What only came along, and a session that ended while it idled, answers nothing."""
        now_s = self._s(event.at_us)
        asked = self._asked.get(event.device)
        if asked is not None and asked[0] == event.name:
            _, intended_s, sent_s = self._asked.pop(event.device)
        elif event.name in self._waits:
            self._asked.pop(event.device, None)
            intended_s = sent_s = now_s - to_s(event.took_us)
        else:
            return
        self._figures.ended(now_s, sent_s, intended_s, is_error=not is_good)
        self.exchanges.setdefault(event.name, ExchangeTimes()).add(int((now_s - sent_s) * 1e6), is_good=is_good)

    def tick(self, now_us: int, online: int) -> list[CurveRow]:
        """Takes in the seconds that are over. Returns their rows."""
        self.cpu.tick()
        now_s = self._s(now_us)
        for number, second in sorted(self._figures.take_until(now_s).items()):
            self.curves.add(ITSELF, number, second, online)
            self._lately.append((number, second))
        return self.curves.settle(int(now_s))

    def end(self, now_us: int, online: int) -> list[CurveRow]:
        """The last rows, when nothing more will be told: a second that is not over has one if anything happened."""
        before = len(self.curves.rows)
        self.lasted_s = self._s(now_us)
        for number, second in sorted(self._figures.take_all().items()):
            self.curves.add(ITSELF, number, second, online)
        self.curves.settle(int(self.lasted_s))
        self.curves.settle_all()
        return self.curves.rows[before:]

    def use(self) -> GeneratorUse:
        """What this machine did in the whole run, as far as it judges itself."""
        return GeneratorUse([(ITSELF, self.cpu.shares)], self.curves.totals.waking)

    def recent(self, now_us: int) -> LoadTotals:
        """What was measured in the last seconds."""
        sums, from_s = LoadTotals(), self._s(now_us) - WINDOW_S - 1
        for number, second in self._lately:
            if number >= from_s:
                sums.add(second)
        return sums

    def recent_use(self, recent: LoadTotals) -> GeneratorUse:
        """What this machine did in the last seconds."""
        return GeneratorUse([(ITSELF, self.cpu.shares[-WINDOW_S:])], recent.waking)

    def _s(self, at_us: int) -> float:
        return to_s(at_us - self._began_us)
