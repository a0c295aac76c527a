"""How fast a fleet is switched on: as planned, and no faster than this machine can."""

from __future__ import annotations

import asyncio

import pytest

from fleetrig.harness.simulation.starts import FIRST_BATCH, MOST_BATCH, FleetStarts, StartRate
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.effects import Flow


def nothing(*_: object) -> Flow:
    yield from ()


def fleet(count: int) -> list[Agent]:
    return [Agent(DeviceIdentity(f"A{n}"), nothing) for n in range(count)]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def now_us(self) -> int:
        return to_us(self.now_s)


def started(due: list[tuple[float, Agent]], clock: Clock, steps_s: list[float]) -> tuple[FleetStarts, list[str]]:
    """Runs to the end; each look at the clock comes later by the next of these steps, then by a millisecond."""
    names: list[str] = []
    left = iter(steps_s)

    def now_us() -> int:
        clock.now_s += next(left, 0.001)
        return clock.now_us()

    starts = FleetStarts(due, lambda agent, _: names.append(agent.identity.serial), now_us)
    asyncio.run(starts.run())
    return starts, names


def test_they_are_started_when_they_are_due_and_the_first_one_first():
    due = [(0.0, one) for one in fleet(FIRST_BATCH + 3)]
    starts, names = started(due, Clock(), [])
    assert names == [f"A{n}" for n in range(FIRST_BATCH + 3)]
    assert starts.sentence() == ""


def test_a_machine_that_is_late_starts_them_more_slowly_and_says_so():
    due = [(0.0, one) for one in fleet(FIRST_BATCH)] + [(0.1, one) for one in fleet(4)]
    starts, names = started(due, Clock(), [0.8] * 12)
    assert len(names) == FIRST_BATCH + 4
    assert "this machine switched the devices on over" in starts.sentence()
    assert "not 0.1 s as --spread says" in starts.sentence()


def test_those_that_wait_are_counted_from_a_second_on():
    clock = Clock()
    starts = FleetStarts([(float(n), one) for n, one in enumerate(fleet(5))], lambda *_: None, clock.now_us)
    clock.now_s = 3.5
    assert starts.waiting == 3
    assert "never switched on" in starts.sentence()
    assert starts.held_up() == "it starts devices more slowly than --spread says (3 wait)"


@pytest.mark.parametrize(("late_s", "cpu_share"), [(0.06, 0.1), (0.0, 0.75)])
def test_no_more_are_started_while_the_machine_has_enough_to_do(late_s, cpu_share):
    assert StartRate().after_step(late_s, cpu_share) == 0


def test_the_rate_grows_slowly_and_is_halved_by_lateness():
    rate = StartRate()
    sizes = [rate.after_step(0.0, 0.1) for _ in range(60)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == MOST_BATCH
    rate.after_step(0.2, 0.1)
    assert rate.after_step(0.0, 0.1) == MOST_BATCH // 2 + MOST_BATCH // 16
