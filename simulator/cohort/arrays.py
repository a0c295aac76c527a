"""The array engine: a fleet in arrays, and one SimPy process that steps from window to window.

Every device that waits has one key in the wheel. A window takes those that are due, in order, the body performs them,
and their successors go back into the wheel; those that fall into the same window are performed with the rest of it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from importlib.util import find_spec
from typing import Final, Protocol

import numpy as np
import simpy

from fleetrig.simulator.cohort.batch import ArrayBody
from fleetrig.simulator.cohort.chance import ChanceWords, Ints, draws, words
from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.cohort.ledger import HearsRequests, Ledger
from fleetrig.simulator.cohort.model import Disruption, FleetModel, Starts, in_order
from fleetrig.simulator.cohort.outcomes import Judge
from fleetrig.simulator.cohort.plan import Retries, failed_again
from fleetrig.simulator.cohort.retry_table import RetryTable
from fleetrig.simulator.cohort.start_times import residuals_us, starts_us
from fleetrig.simulator.cohort.state import OFF, ONLINE, DeviceArrays
from fleetrig.simulator.cohort.tally import CountOf, Tally
from fleetrig.simulator.cohort.wheel import BUCKET_US, Wheel

USUAL_BATCH: Final = 16_384
"""So many requests are expected in a window of the width that is chosen: what a window costs by itself is then small
beside them, and they fit into a processor's caches."""
LEAST_WINDOW_US: Final = 50_000
LEAST_BATCH: Final = 64
MOST_BATCH: Final = 1 << 16
BUILT_AT_ONCE: Final = 1 << 16


class FleetBody(Protocol):
    """Performs requests: `batch.ArrayBody`, or the same as machine code."""

    def perform(self, keys: Ints) -> tuple[int, Ints]:
        """Lets the first of these requests happen: how many it were, and the keys of their devices' next ones."""


class ArrayFleet:
    """A `FleetEngine`. `window_us` and `compiled` are a matter of speed alone.

    Raises ImportError when it shall be compiled and Numba is not there: `can_be_compiled` knows.
    """

    def __init__(self, model: FleetModel, *, window_us: int | None = None, compiled: bool = False) -> None:
        self._model = model
        self._state = DeviceArrays(model)
        self._wheel = Wheel(self._state.device_bits)
        self._judge = Judge(model.server, model.round_trip_us)
        self._tally = Tally(len(model.cohorts))
        self._ledger = Ledger(self._state, self._tally)
        self._tables = [RetryTable(cohort) for cohort in model.cohorts]
        self._body = self._compiled_body() if compiled else self._array_body()
        self._window_us = window_us or usual_window_us(model)
        self._most = MOST_BATCH
        self._until_us = 0
        self._drops_us: list[int] = []
        self._env = simpy.Environment()
        self._env.process(self._clock())

    def _array_body(self) -> FleetBody:
        return ArrayBody(self._model, self._tables, self._state, self._judge, self._ledger)

    def _compiled_body(self) -> FleetBody:
        from fleetrig.simulator.cohort.compiled_body import CompiledBody

        return CompiledBody(self._model, self._tables, self._state, self._judge, self._ledger, self._tally)

    @property
    def now_us(self) -> int:
        return int(self._env.now)

    @property
    def figures(self) -> FleetFigures:
        return self._tally.figures(self.now_us)

    def tell(self, hears: HearsRequests) -> None:
        """Tells of all requests from now on, part by part; how large parts are, nothing should depend on."""
        self._ledger.hears = hears

    def run_until(self, until_us: int) -> None:
        if until_us <= self.now_us:
            return
        self._state.check_moment(until_us)
        self._tally.make_room(until_us)
        self._until_us = until_us
        self._env.run(until=until_us)

    def _clock(self) -> Generator[simpy.Event]:
        while True:
            now_us = self.now_us
            if now_us in self._drops_us:
                self._drop_connections(now_us)
            ends_us = (now_us - now_us % self._window_us + self._window_us, self._until_us, *self._drops_us)
            end_us = min(each for each in ends_us if each > now_us)
            self._perform(end_us << self._state.device_bits)
            yield self._env.timeout(end_us - now_us)

    def _perform(self, before: int) -> None:
        """All requests below this key, and those that follow from them below it."""
        keys = self._wheel.take(before)
        while keys.size:
            batch = keys[: self._most]
            done, successors = self._body.perform(batch)
            self._most = min(MOST_BATCH, 2 * self._most if done == batch.size else max(LEAST_BATCH, 2 * done))
            self._wheel.put(successors)
            late = self._wheel.take(before)
            keys = np.sort(np.concatenate((keys[done:], late))) if late.size else keys[done:]

    def start(self, devices: range, starts: Starts) -> None:
        self._tally.make_room(self.now_us)
        for number, some in self._by_cohort(devices):
            some = some[self._state.offline_since_us[some] == OFF]
            if starts.in_equilibrium:
                self._begin_steady(number, some)
            else:
                at_us = self.now_us + starts_us(starts.points, some - devices.start, len(devices))
                self._state.offline_since_us[some] = at_us
                self._state.offline_count += some.size
                self._put(at_us + self._waits_to_start(number, some), some)

    def _waits_to_start(self, number: int, devices: Ints) -> int | Ints:
        if not self._model.cohorts[number].waits_to_start:
            return 0
        return self._back_off(number, devices)

    def _back_off(self, number: int, devices: Ints) -> Ints:
        """One more failure of each: how long they wait."""
        failed = failed_again(self._state, devices, None)
        delay_us, pays = self._tables[number].delay_us(failed, draws(self._chance(devices)))
        self._ledger.backs_off(devices, Retries(devices, failed.failures, delay_us, pays))
        return delay_us

    def _begin_steady(self, number: int, devices: Ints) -> None:
        """As if they had been on for long."""
        cohort = self._model.cohorts[number]
        self._state.offline_since_us[devices] = ONLINE
        self._tally.count_at(number, CountOf.CAME_ONLINE, self.now_us, devices.size)
        if cohort.has_rhythm:
            self._put(self.now_us + residuals_us(cohort.interval_us, self._chance(devices)), devices)

    def stop(self, devices: range) -> None:
        state, is_gone = self._state, np.zeros(self._model.count, np.bool_)
        self._tally.make_room(self.now_us)
        is_gone[devices.start : devices.stop] = True
        for number, some in self._by_cohort(devices):
            since_us = state.offline_since_us[some]
            online, is_off = int(np.count_nonzero(since_us == ONLINE)), int(np.count_nonzero(since_us == OFF))
            self._tally.count_at(number, CountOf.WENT_OFFLINE, self.now_us, online)
            state.offline_count -= some.size - online - is_off
            state.offline_since_us[some] = OFF
            state.forget(some, self._model.cohorts[number])
        self._wheel.remove(is_gone)

    def disrupt(self, disruption: Disruption) -> None:
        if disruption.begin_us < self.now_us:
            raise ValueError(f"a disruption that begins at {disruption.begin_us} µs: it is {self.now_us} µs already")
        going_on = [each for each in self._judge.disruptions if each.end_us > self.now_us]
        self._judge.disruptions = in_order([*going_on, disruption])
        if disruption.drops_connections:
            self._drops_us = [*(each for each in self._drops_us if each >= self.now_us), disruption.begin_us]

    def give_work(self, devices: range, requests: int) -> None:
        if self._state.work is None:
            self._state.work = np.zeros(self._model.count, np.int32)
        part, work = slice(devices.start, devices.stop), self._state.work
        work[part] = np.maximum(work[part], requests)
        is_idle = self._state.offline_since_us == ONLINE
        is_idle[self._wheel.devices()] = False
        idle = devices.start + np.flatnonzero(is_idle[part] & (work[part] > 0))
        work[idle] -= 1
        self._put(np.full(idle.size, self.now_us + self._model.round_trip_us), idle)

    def _drop_connections(self, now_us: int) -> None:
        state = self._state
        is_dropped = state.offline_since_us == ONLINE
        for number, cohort in enumerate(self._model.cohorts):
            if not cohort.is_connected:
                is_dropped[state.bounds[number] : state.bounds[number + 1]] = False
        if state.work is not None or any(each.is_connected and each.has_rhythm for each in self._model.cohorts):
            self._wheel.remove(is_dropped)
        for number, some in self._by_cohort(range(self._model.count)):
            device = some[is_dropped[some]]
            self._ledger.went_offline(number, device, np.full(device.size, now_us))
            self._put(now_us + self._back_off(number, device), device)

    def _chance(self, devices: Ints) -> ChanceWords:
        """One draw of each."""
        number = self._state.draws[devices]
        self._state.draws[devices] = number + np.uint32(1)
        return words(self._model.seed, devices, number)

    def _put(self, at_us: Ints, devices: Ints) -> None:
        if at_us.size:
            self._state.check_moment(int(at_us.max()))
            self._wheel.put(at_us << self._state.device_bits | devices)

    def _by_cohort(self, devices: range) -> Iterator[tuple[int, Ints]]:
        """A part after the other, so that a large fleet needs no large arrays on the way."""
        for number in range(len(self._model.cohorts)):
            cohort = self._state.range_of(number)
            for first in range(max(cohort.start, devices.start), min(cohort.stop, devices.stop), BUILT_AT_ONCE):
                yield number, np.arange(first, min(first + BUILT_AT_ONCE, cohort.stop, devices.stop), dtype=np.int64)


def can_be_compiled() -> bool:
    """Whether the extra `compiled` is installed."""
    return find_spec("numba") is not None


def usual_window_us(model: FleetModel) -> int:
    """Wide enough for `USUAL_BATCH` requests of a steady fleet."""
    per_s = sum(2e6 * each.count / max(1, sum(each.interval_us)) for each in model.cohorts if each.has_rhythm)
    return max(LEAST_WINDOW_US, min(BUCKET_US, round(USUAL_BATCH / max(per_s, 1.0) * 1e6)))
