"""A master and its workers in one process, without Locust between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from fleetrig.simulator.agent import Agent, CutPoint
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.load import messages
from fleetrig.simulator.drivers.load.bench import LoadBench
from fleetrig.simulator.drivers.load.worker import LoadWorker
from fleetrig.simulator.drivers.load.workers_bench import LATE_AFTER_S, LOST_AFTER_S, WorkersBench
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from fleetrig.simulator.stages import Stage
from tests.simulator.drivers.load.stub_thread import serving_in_a_thread
from tests.simulator.stub_hawkbit import TOKEN, StubHawkbit

pytestmark = pytest.mark.slow

GENEROUS_S = 20.0


class Crew:
    """A master with workers that hear it at once."""

    def __init__(self, origin: str, names: tuple[str, ...] = ("a", "b")) -> None:
        self.events: list[TraceEvent] = []
        trace = Trace()
        trace.listen(self.events.append)
        self.bench = WorkersBench(trace)
        self.benches: dict[str, LoadBench] = {}
        self._origin = origin
        self._workers = {name: LoadWorker(self._bench_of(name), self._teller(name), lambda: 0.1) for name in names}
        self.bench.send_with(lambda worker, message, data: self._workers[worker].heard(message, data))
        for name in names:
            self.bench.joins(name)
        self.bench.begin(1, is_open=True)

    def _bench_of(self, name: str) -> Callable[[int, bool], LoadBench]:
        def make(seed: int, is_open: bool) -> LoadBench:
            self.benches[name] = LoadBench(Trace(), gevent.spawn, lambda *_: None, seed=seed, is_open=is_open)
            return self.benches[name]

        return make

    def _teller(self, name: str) -> Callable[[str, Any], None]:
        def tell(message: str, data: Any) -> None:
            match message:
                case messages.TOLD:
                    self.bench.told(name, data)
                case messages.ARE_OFF:
                    self.bench.are_off(name)
                case messages.FAILED:
                    self.bench.failed(name, data)

        return tell

    def device(self, serial: str, gateway: str = "") -> Agent:
        settings = HawkbitSettings(self._origin)
        return Agent(DeviceIdentity(serial, gateway=gateway), HawkbitDevice(settings, TargetToken(TOKEN)))

    def count(self, kind: str, name: str = "") -> int:
        return sum(event.kind == kind and event.name == name for event in self.events if event.lane is Lane.DEVICE)

    def until(self, met: Callable[[], bool]) -> None:
        def director() -> Director[Any]:
            return (yield Until(met, GENEROUS_S))

        assert self.bench.run(director()), [event.kind for event in self.events]


@pytest.fixture
def crew() -> Iterator[Crew]:
    with serving_in_a_thread(StubHawkbit(sleep="00:01:00", asks_attributes=False).handle) as server:
        crew = Crew(server.origin)
        yield crew
        crew.bench.close()
        crew.bench.close_admin()


def test_devices_are_spread_and_their_events_come_in_the_order_of_time(crew: Crew) -> None:
    agents = [crew.device(f"dev-{number}") for number in range(6)]
    for agent in agents:
        crew.bench.power_on(agent)
    crew.until(lambda: crew.count("received", "poll") == 6)

    assert {name: bench.on for name, bench in crew.benches.items()} == {"a": 3, "b": 3}
    at_us = [event.at_us for event in crew.events if event.lane is Lane.DEVICE]
    assert at_us == sorted(at_us)
    assert all(agent.is_on and agent.stage is Stage.ONLINE for agent in agents), "the master knows how they are"


def test_all_behind_a_gateway_live_with_one_worker(crew: Crew) -> None:
    for serial in ("other", "gw", "child-1", "child-2"):
        crew.bench.power_on(crew.device(serial, gateway="" if serial == "other" else "gw"))
    crew.until(lambda: crew.count("received", "poll") == 4)

    assert sorted(bench.on for bench in crew.benches.values()) == [1, 3]


def test_what_a_device_remembers_stays_with_its_worker(crew: Crew) -> None:
    agent = crew.device("dev-1")
    crew.bench.power_on(agent)
    crew.until(lambda: crew.count("received", "poll") == 1)
    crew.bench.power_cut(agent)
    assert not agent.is_on
    crew.bench.power_on(agent)
    crew.until(lambda: crew.count("received", "poll") == 2)

    enrolling = [event for event in crew.events if event.kind == "entered" and event.stage == Stage.ENROLLING]
    assert len(enrolling) == 1, "it is enrolled once"
    crew.bench.power_cut(agent)
    crew.bench.forget(agent)
    crew.bench.power_on(agent)
    crew.until(lambda: crew.count("received", "poll") == 3)
    assert sum(event.kind == "entered" and event.stage == Stage.ENROLLING for event in crew.events) == 2


def test_a_trigger_travels_with_its_device(crew: Crew) -> None:
    trigger = PowerCutTrigger(CutPoint("poll", 1, "sent"), off_s=0.0)
    crew.bench.power_on(crew.device("dev-1"), trigger=trigger)
    crew.until(lambda: crew.count("received", "poll") == 1)

    assert crew.count("power_cut") == 1
    assert trigger.fired, "the scenario asks the trigger that it knows"


def test_a_worker_that_says_nothing_is_late_and_then_lost() -> None:
    bench, remarks = WorkersBench(Trace()), list[str]()
    bench.remark = remarks.append
    for name in ("a", "b"):
        bench.joins(name)
    start_s = bench.workers["a"].heard_s
    bench.power_on(Agent(DeviceIdentity("dev-1"), HawkbitDevice(HawkbitSettings("http://127.0.0.1:1"), None)))
    bench.workers["b"].heard_s += LOST_AFTER_S

    bench.look_for_missing(start_s + LATE_AFTER_S + 1)
    bench.look_for_missing(start_s + LOST_AFTER_S + 1)

    assert remarks == ["worker 1 is late", "worker 1 was lost with 1 devices"]
    assert bench.lost_sentence().startswith("lost in the middle of the run: worker 1 with 1 devices")
    assert bench.failure is None

    bench.look_for_missing(start_s + 3 * LOST_AFTER_S)
    assert isinstance(bench.failure, BrokenBench)


def test_a_worker_that_comes_when_the_run_has_begun_is_sent_away() -> None:
    bench, remarks = WorkersBench(Trace()), list[str]()
    bench.remark = remarks.append
    bench.begin(1, is_open=True)
    bench.joins("late")

    assert not bench.workers
    assert remarks == ["a worker came too late and was sent away"]
