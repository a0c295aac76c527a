"""The textbook engine: one SimPy process for each device. Slow, and meant to be believed.

It shares with the array engine what a fleet is (`model`), chance by counting and the delays of one device; how a server
queues, what disruptions do and how things are counted is written down here once more, one request at a time. The tests
hold the array engine against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
import simpy
from numpy.typing import NDArray

from fleetrig.simulator.arrivals_shape import start_us
from fleetrig.simulator.cohort.chance import draw, part_of, second_draw, word
from fleetrig.simulator.cohort.figures import CohortFigures, FleetFigures
from fleetrig.simulator.cohort.model import MOST_FAILURES, Cohort, Disruption, FleetModel, Starts, Unanswered, in_order
from fleetrig.simulator.cohort.retries import earn, full_milli, retry_range, spend
from fleetrig.simulator.cohort.start_times import residual_us
from fleetrig.simulator.drivers.load.histogram import bucket_of

SECOND_US: Final = 1_000_000
DROP_PRIORITY: Final = 1
FIRST_DEVICE_PRIORITY: Final = 2
"""SimPy orders what happens at one moment by priority: devices by their number, as the array engine does."""


COUNTED: Final = tuple(each.name for each in fields(CohortFigures))


@dataclass(slots=True)
class DeviceProcess:
    number: int
    cohort: Cohort
    figures: _Seconds
    is_on: bool = False
    is_online: bool = False
    is_idle: bool = True
    """It waits for nothing."""
    life: int = 0
    """A process ends when the device's life is no longer the one that it began in."""
    draws: int = 0
    failures: int = 0
    previous_us: int = 0
    tokens_milli: int = 0
    offline_since_us: int = 0
    work: int = 0


@dataclass(slots=True)
class _Seconds:
    """The name of a field of `CohortFigures` -> second -> how often."""

    counts: dict[str, Counter[int]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})

    def count(self, what: str, at_us: int) -> None:
        self.counts[what][at_us // SECOND_US] += 1


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a request. `what`: a field of `CohortFigures`."""

    what: str
    seen_us: int
    retry_after_us: int | None = None


class ProcessFleet:
    """A `FleetEngine`."""

    def __init__(self, model: FleetModel) -> None:
        self._model = model
        self._env = _Ordered()
        self._server = _Server(model)
        self._seconds = [_Seconds() for _ in model.cohorts]
        self._took: Counter[int] = Counter()
        self._time_to_online: Counter[int] = Counter()
        self._slowest_us: dict[int, int] = {}
        self._devices: list[DeviceProcess] = []
        for cohort, seconds in zip(model.cohorts, self._seconds, strict=True):
            for _ in range(cohort.count):
                self._devices.append(DeviceProcess(len(self._devices), cohort, seconds))

    @property
    def now_us(self) -> int:
        return int(self._env.now)

    @property
    def figures(self) -> FleetFigures:
        until = -(-self.now_us // SECOND_US)
        cohorts = [
            CohortFigures(**{name: _array(counts, until) for name, counts in seconds.counts.items()})
            for seconds in self._seconds
        ]
        took, to_online = dict(sorted(self._took.items())), dict(sorted(self._time_to_online.items()))
        return FleetFigures(cohorts, took, to_online, _array(self._slowest_us, until))

    def run_until(self, until_us: int) -> None:
        if until_us > self.now_us:
            self._env.run(until=until_us)

    def start(self, devices: range, starts: Starts) -> None:
        for position, number in enumerate(devices):
            device = self._devices[number]
            if device.is_on:
                continue
            device.is_on = True
            device.tokens_milli = full_milli(device.cohort.retry)
            if starts.in_equilibrium:
                self._begin_steady(device)
            else:
                device.offline_since_us = self.now_us + start_us(starts.points, position, len(devices))
                self._wake(device, device.offline_since_us + self._waits_to_start(device))

    def _waits_to_start(self, device: DeviceProcess) -> int:
        if not device.cohort.waits_to_start:
            return 0
        chance = draw(self._model.seed, device.number, device.draws)
        device.draws += 1
        return self._fail(device, chance, None)

    def _begin_steady(self, device: DeviceProcess) -> None:
        """As if it had been on for long."""
        device.is_online = True
        device.figures.count("came_online", self.now_us)
        if device.cohort.has_rhythm:
            chance = word(self._model.seed, device.number, device.draws)
            device.draws += 1
            self._wake(device, self.now_us + residual_us(device.cohort.interval_us, chance))

    def stop(self, devices: range) -> None:
        for number in devices:
            device = self._devices[number]
            if device.is_online:
                device.figures.count("went_offline", self.now_us)
            device.is_on = device.is_online = False
            device.is_idle = True
            device.life += 1
            device.failures = device.previous_us = 0

    def disrupt(self, disruption: Disruption) -> None:
        self._server.disruptions = in_order([*self._server.disruptions, disruption])
        if disruption.drops_connections:
            self._env.process(self._drop_connections(disruption.begin_us))

    def give_work(self, devices: range, requests: int) -> None:
        for number in devices:
            device = self._devices[number]
            device.work = max(device.work, requests)
            if device.is_online and device.is_idle and device.work:
                device.work -= 1
                self._wake(device, self.now_us + self._model.round_trip_us)

    def _wake(self, device: DeviceProcess, at_us: int) -> None:
        """It will ask at that moment."""
        device.is_idle = False
        self._env.process(self._live(device, device.life, at_us))

    def _live(self, device: DeviceProcess, life: int, next_us: int) -> Generator[simpy.Event]:
        while True:
            yield self._moment(next_us, FIRST_DEVICE_PRIORITY + device.number)
            if device.life != life:
                return
            follows_us = self._ask(device)
            if follows_us is None:
                device.is_idle = True
                return
            next_us = follows_us

    def _moment(self, at_us: int, priority: int) -> simpy.Event:
        return self._env.timeout(at_us - self.now_us, priority)

    def _ask(self, device: DeviceProcess) -> int | None:
        """One request now: when the next one is due."""
        now_us, seed = self.now_us, self._model.seed
        chance, second = draw(seed, device.number, device.draws), second_draw(seed, device.number, device.draws)
        device.draws += 1
        device.figures.count("requests", now_us)
        if device.failures:
            device.figures.count("retries", now_us)
        outcome = self._server.ask(now_us, device.cohort.timeout_us, second)
        device.figures.count(outcome.what, now_us)
        if outcome.what == "answered":
            return self._answered(device, outcome.seen_us, chance)
        return outcome.seen_us + self._fail(device, chance, outcome.retry_after_us)

    def _answered(self, device: DeviceProcess, seen_us: int, chance: int) -> int | None:
        now_us = self.now_us
        second, took_us = now_us // SECOND_US, seen_us - now_us
        self._took[bucket_of(took_us)] += 1
        self._slowest_us[second] = max(self._slowest_us.get(second, 0), took_us)
        if not device.is_online:
            device.is_online = True
            device.figures.count("came_online", now_us)
            self._time_to_online[bucket_of(seen_us - device.offline_since_us)] += 1
        device.failures = device.previous_us = 0
        device.tokens_milli = earn(device.cohort.retry, device.tokens_milli)
        if device.work:
            device.work -= 1
            return seen_us + self._model.round_trip_us
        if not device.cohort.has_rhythm:
            return None
        low_us, high_us = device.cohort.interval_us
        return seen_us + low_us + part_of(high_us - low_us, chance)

    def _fail(self, device: DeviceProcess, chance: int, retry_after_us: int | None) -> int:
        """How long it waits now."""
        if device.is_online:
            device.is_online = False
            device.offline_since_us = self.now_us
            device.figures.count("went_offline", self.now_us)
        device.failures = min(device.failures + 1, MOST_FAILURES)
        has_token, device.tokens_milli = spend(device.cohort.retry, device.tokens_milli, device.failures)
        waits = retry_range(
            device.cohort,
            device.failures,
            previous_us=device.previous_us,
            has_token=has_token,
            retry_after_us=retry_after_us,
        )
        device.previous_us = waits.drawn_us(chance)
        return device.previous_us

    def _drop_connections(self, begin_us: int) -> Generator[simpy.Event]:
        yield self._moment(begin_us, DROP_PRIORITY)
        for device in self._devices:
            if device.cohort.is_connected and device.is_online:
                device.life += 1
                chance = draw(self._model.seed, device.number, device.draws)
                device.draws += 1
                self._wake(device, begin_us + self._fail(device, chance, None))


class _Ordered(simpy.Environment):
    """The value of a timeout is its priority."""

    def schedule(self, event: simpy.Event, priority: Any = 1, delay: float = 0) -> None:
        given: Any = event.value if isinstance(event, simpy.Timeout) else priority
        super().schedule(event, given, delay)


class _Server:
    """Disruptions first, then a queue: first come, first served."""

    def __init__(self, model: FleetModel) -> None:
        self._model, self._round_trip_us = model.server, model.round_trip_us
        self._busy_until_us = 0
        self.disruptions: list[Disruption] = []

    def ask(self, at_us: int, timeout_us: int, chance: int) -> Fate:
        """`chance` decides whether a disruption affects this request."""
        covering = (each for each in self.disruptions if each.begin_us <= at_us < each.end_us)
        disruption = next(covering, None)
        travel_us = self._round_trip_us
        if disruption is not None and part_of(1000, chance) < disruption.share_milli:
            travel_us += disruption.latency_us
            seen_us = at_us + min(travel_us, timeout_us)
            match disruption.answer:
                case Unanswered.SILENT:
                    return Fate("silent", at_us + timeout_us)
                case Unanswered.REFUSED:
                    return Fate("refused", seen_us)
                case Unanswered.TURNED_AWAY:
                    return Fate("turned_away", seen_us, disruption.retry_after_us)
        return self._serve(at_us, travel_us, timeout_us)

    def _serve(self, at_us: int, travel_us: int, timeout_us: int) -> Fate:
        server = self._model
        service_us, wait_us = 0, 0
        if server.service_us is not None:
            service_us, wait_us = server.service_us, max(0, self._busy_until_us - at_us)
            if server.waiting_us is not None and wait_us > server.waiting_us:
                return Fate("turned_away", at_us + min(self._round_trip_us, timeout_us), server.retry_after_us)
            if server.sheds_after_us is not None and wait_us > server.sheds_after_us:
                return Fate("late", at_us + timeout_us)
            self._busy_until_us = at_us + wait_us + service_us
        took_us = wait_us + service_us + travel_us
        if took_us > timeout_us:
            return Fate("late", at_us + timeout_us)
        return Fate("answered", at_us + took_us)


def _array(by_second: Mapping[int, int], until: int) -> NDArray[np.int64]:
    counted = np.zeros(until, np.int64)
    for second, count in by_second.items():
        if second < until:
            counted[second] = count
    return counted
