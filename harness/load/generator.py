"""What drives the devices of a load run: this process alone, or workers that this one directs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from fleetrig.harness.load.cpu_meter import CpuMeter
from fleetrig.harness.load.curves import LoadCurves
from fleetrig.simulator.drivers.director import LoadDriver
from fleetrig.simulator.drivers.load.bench import LoadBench
from fleetrig.simulator.drivers.load.workers_bench import WorkersBench

ITSELF: Final = "the generator"
MASTER: Final = "the master"


class LoadGenerator(Protocol):
    """A driver, and what it has measured."""

    @property
    def bench(self) -> LoadDriver: ...

    def fetch(self, curves: LoadCurves, *, is_over: bool = False) -> int:
        """Once a second: hands over what was measured. Returns the number of the second before which all is there."""

    def cpu_shares(self) -> Mapping[str, Sequence[float]]:
        """For each process, second by second its share of a core."""

    def trouble(self) -> str:
        """What makes the figures incomplete; empty when nothing does."""

    def close(self) -> None:
        """After the run, when the server needs nothing more."""


class OneProcess:
    """This process has all devices."""

    def __init__(self, bench: LoadBench) -> None:
        self.bench = bench
        self._cpu = CpuMeter()
        self._online = 0

    def fetch(self, curves: LoadCurves, *, is_over: bool = False) -> int:
        """See `LoadGenerator`."""
        self._cpu.tick()
        figures = self.bench.figures
        now_s = time.monotonic()
        for number, second in sorted((figures.take_all() if is_over else figures.take_until(now_s)).items()):
            if second.online is not None:
                self._online = second.online
            curves.add(ITSELF, number, second, self._online)
        return int(now_s - figures.start_s)

    def cpu_shares(self) -> Mapping[str, Sequence[float]]:
        """See `LoadGenerator`."""
        return {ITSELF: self._cpu.shares}

    def trouble(self) -> str:
        """See `LoadGenerator`."""
        return ""

    def close(self) -> None:
        """See `LoadGenerator`."""
        self.bench.close_admin()


class WithWorkers:
    """Other processes have the devices."""

    def __init__(self, bench: WorkersBench) -> None:
        self.bench = bench
        self._cpu = CpuMeter()
        self._start_s = time.monotonic()

    def fetch(self, curves: LoadCurves, *, is_over: bool = False) -> int:
        """See `LoadGenerator`. A worker that is late or lost is not waited for."""
        self._cpu.tick()
        untils = []
        for seen in self.bench.workers.values():
            for number in sorted(seen.seconds):
                curves.add(seen.name, number, seen.seconds.pop(number), seen.online)
            if seen.is_lost:
                curves.gone(seen.name)
            elif not seen.is_late:
                untils.append(seen.until)
        now = int(time.monotonic() - self._start_s)
        self.bench.remark = partial(curves.remark, now)
        return min(untils, default=now)

    def cpu_shares(self) -> Mapping[str, Sequence[float]]:
        """See `LoadGenerator`."""
        return {MASTER: self._cpu.shares, **{seen.name: seen.cpu_shares for seen in self.bench.workers.values()}}

    def trouble(self) -> str:
        """See `LoadGenerator`."""
        return self.bench.lost_sentence()

    def close(self) -> None:
        """See `LoadGenerator`."""
        self.bench.close_admin()
