"""Held requests in virtual time: to the microsecond, and nobody waits for a device that has gone."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Ask, Effect, Flow, NoReply, Outcome, Pause, Reply
from tests.held.doorbell import Doorbell

RING = Ask("ring", HttpRequest("POST", "http://door.test", "/ring", (), b"dong"), 5.0)


def wait(ms: int, within_s: float = 30.0) -> Ask:
    return Ask("wait", HttpRequest("GET", "http://door.test", f"/wait?{ms}"), within_s)


class House:
    """A door, and devices that perform effects one after the other."""

    def __init__(self, *faults: Fault) -> None:
        store = MemoryStore()
        self.door = Doorbell(store)
        plan = FaultPlan(lambda: 0.0)
        for fault in faults:
            plan.add(fault, VIRTUAL_EPOCH_US)
        self.bench = VirtualBench(Server(self.door, store, plan, Trace(), Secrets()), Trace(), seed=1)
        self.outcomes: list[tuple[float, str]] = []
        """When (s since the start) and what, of every device."""

    @property
    def now_s(self) -> float:
        return (self.bench.now_us() - VIRTUAL_EPOCH_US) / 1_000_000

    def device(self, serial: str, *effects: Effect) -> Agent:
        agent = Agent(DeviceIdentity(serial), lambda device, remembered: self._flow(effects))
        self.bench.power_on(agent)
        return agent

    def _flow(self, effects: Iterable[Effect]) -> Flow:
        for effect in effects:
            outcome = yield effect
            self.note(outcome)

    def note(self, outcome: Outcome) -> None:
        match outcome:
            case Reply(envelope, after_s):
                self.outcomes.append((self.now_s, f"{envelope.line} after {after_s:g} s"))
            case NoReply(why, after_s):
                self.outcomes.append((self.now_s, f"{why} after {after_s:g} s"))


def test_a_request_is_answered_when_its_time_is_over() -> None:
    house = House()
    house.device("a", wait(1000))
    house.bench.run_for(5)
    assert house.outcomes == [(1.0, "408 after 1 s")]


def test_and_before_when_something_comes() -> None:
    house = House()
    house.device("a", wait(10_000), wait(500))
    house.device("b", Pause(2.0, 2.0, "a walk"), RING)
    house.bench.run_for(20)
    assert house.outcomes == [(2.0, "200 after 2 s"), (2.002, "200 after 0.002 s"), (2.5, "408 after 0.5 s")]


def test_a_device_waits_only_so_long() -> None:
    house = House()
    house.device("a", wait(10_000, within_s=3.0), Pause(1.0, 1.0, "a walk"), RING)
    house.bench.run_for(20)
    assert house.outcomes == [(3.0, "timeout after 3 s"), (4.002, "200 after 0.002 s")]
    assert house.door.gone == [1], "the server hears that nobody waits"


def test_nobody_waits_for_a_device_without_power() -> None:
    house = House()
    agent = house.device("a", wait(10_000))
    house.bench.run_for(1)
    house.bench.power_cut(agent)
    house.bench.run_for(20)
    assert (house.outcomes, house.door.gone, house.door.waiting) == ([], [1], {})


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Fault(FaultKind.LATENCY, parameters={"delay_s": 2}), (3.0, "408 after 3 s")),
        (Fault(FaultKind.LATENCY, parameters={"delay_s": 40}), (30.0, "timeout after 30 s")),
        (Fault(FaultKind.LOST_REPLY), (1.0, "closed after 1 s")),
    ],
    ids=["late", "too late", "lost"],
)
def test_a_fault_hits_the_late_answer(fault: Fault, seen: tuple[float, str]) -> None:
    house = House(fault)
    house.device("a", wait(1000))
    house.bench.run_for(60)
    assert house.outcomes == [seen]


def test_a_director_waits_too_while_all_goes_on() -> None:
    house = House()
    house.device("b", Pause(2.0, 2.0, "a walk"), RING)

    def director() -> Director[None]:
        for effect in (wait(10_000), wait(100), wait(10_000, within_s=1.0)):
            outcome = yield effect
            assert isinstance(outcome, Reply | NoReply)
            house.note(outcome)

    house.bench.run(director())
    assert house.outcomes == [
        (2.0, "200 after 2 s"),
        (2.002, "200 after 0.002 s"),
        (2.1, "408 after 0.1 s"),
        (3.1, "timeout after 1 s"),
    ]
    assert house.door.gone == [3]
