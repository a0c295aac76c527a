"""The environment with buckets does what SimPy's does, in the same order, whatever happens in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from functools import partial

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from simpy.events import NORMAL, URGENT

from fleetrig.simulator.drivers.bucketed_environment import BUCKET_BITS, Alarm, BucketedEnvironment

SECOND = 1 << BUCKET_BITS
DELAYS = (0, 0, 1, 2, 1_000, SECOND - 1, SECOND, SECOND + 1, 3 * SECOND, 300 * SECOND)

Told = list[tuple[float, str]]


def played(env: simpy.Environment, seed: int, until: int) -> Told:
    """A program of processes, events and interrupts, drawn from `seed`, on one clock."""
    draw, told = random.Random(seed), Told()

    def device(name: str, rounds: int) -> Generator[simpy.Event, None, None]:
        for turn in range(rounds):
            told.append((env.now, f"{name} {turn}"))
            try:
                yield from one_wait(name)
            except simpy.Interrupt as why:
                told.append((env.now, f"{name} {why.cause}"))
            if draw.random() < 0.2:
                processes.append(env.process(device(f"{name}.{turn}", draw.randrange(3))))

    def one_wait(name: str) -> Generator[simpy.Event, None, None]:
        match draw.randrange(4):
            case 0:
                yield env.timeout(draw.choice(DELAYS)) | env.timeout(draw.choice(DELAYS))
            case 1:
                other = draw.choice(processes)
                if other.is_alive and other is not env.active_process:
                    other.interrupt(f"by {name}")
                yield env.timeout(draw.choice(DELAYS))
            case 2:
                event = env.event()
                env.timeout(draw.choice(DELAYS)).callbacks.append(event.trigger)
                yield event
            case _:
                yield env.timeout(draw.choice(DELAYS))

    processes = [env.process(device(str(number), 6)) for number in range(8)]
    env.run(until)
    told.append((env.now, "so far"))
    env.run()
    return [*told, (env.now, "over")]


@given(st.integers(0, 2**32), st.integers(1, 400 * SECOND))
def test_everything_happens_as_in_simpys_environment(seed: int, until: int) -> None:
    assert played(BucketedEnvironment(), seed, until) == played(simpy.Environment(), seed, until)


Schedules = Callable[[int, int, str], None]


def scheduled(env: simpy.Environment, told: Told, draw: random.Random) -> Schedules:
    """Schedules bare events, each of which may schedule more."""

    def schedule(delay: int, priority: int, name: str) -> None:
        event = simpy.Event(env)
        event._ok, event._value = True, name
        assert event.callbacks is not None
        event.callbacks.append(happened)
        env.schedule(event, simpy.events.EventPriority(priority), delay)

    def happened(event: simpy.Event) -> None:
        told.append((env.now, str(event.value)))
        if draw.random() < 0.6:
            schedule(draw.choice(DELAYS), draw.choice((URGENT, NORMAL, 5)), f"{event.value}+")

    return schedule


@given(st.integers(0, 2**32))
def test_time_priority_and_order_of_scheduling_decide(seed: int) -> None:
    """Stepped by hand, with a look at what comes next before each step."""
    said = []
    for env in (BucketedEnvironment(7), simpy.Environment(7)):
        draw, told = random.Random(seed), Told()
        schedule = scheduled(env, told, draw)
        for number in range(30):
            schedule(draw.choice(DELAYS), draw.choice((URGENT, NORMAL, 5)), str(number))
        while (at := env.peek()) != simpy.core.Infinity:
            told.append((at, "is next"))
            env.step()
        with pytest.raises(simpy.core.EmptySchedule):
            env.step()
        said.append(told)
    assert said[0] == said[1]


def test_all_that_is_due_and_what_comes_of_it_and_no_more() -> None:
    env = BucketedEnvironment()
    told = Told()
    schedule = scheduled(env, told, random.Random(1))
    for delay in (5, SECOND + 5, SECOND + 6, 9 * SECOND):
        schedule(delay, NORMAL, f"at {delay}")
    count = env.run_through(SECOND + 5)
    assert count == len(told)
    assert [name for _, name in told if "+" not in name] == ["at 5", f"at {SECOND + 5}"]
    assert env.now == max(at for at, _ in told) <= SECOND + 5 < env.peek()


def test_a_look_far_ahead_fetches_nothing() -> None:
    """Else all that is scheduled until then would go into the heap."""
    env = BucketedEnvironment()
    env.timeout(1_000 * SECOND)
    assert env.peek() == 1_000 * SECOND
    env.timeout(SECOND)
    assert env._queue == []
    assert env.peek() == SECOND


def test_an_alarm_is_used_again() -> None:
    env, alarm, rang = BucketedEnvironment(), Alarm(), []

    def ring(again: list[Callable[[Alarm], None]], _: Alarm) -> None:
        rang.append(env.now)
        alarm.callbacks = again
        env.schedule(alarm, delay=SECOND)

    again: list[Callable[[Alarm], None]] = []
    again.append(partial(ring, again))
    alarm.callbacks = again
    env.schedule(alarm)
    assert env.run_through(3 * SECOND) == 4
    assert rang == [0, SECOND, 2 * SECOND, 3 * SECOND]
