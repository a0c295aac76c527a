"""Chance by counting: a device's numbers depend on nothing but seed, serial and count."""

from __future__ import annotations

import statistics

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.drivers.draw import draw, draw_pause
from fleetrig.simulator.effects import Await, Flow, Pause


def sleeper(serial: str) -> Agent:
    def program(*_: object) -> Flow:
        yield from ()

    return Agent(DeviceIdentity(serial), program)


def test_the_same_question_has_the_same_answer() -> None:
    assert draw(1, "HB-1", 0) == draw(1, "HB-1", 0)
    numbers = {draw(seed, serial, n) for seed in (1, 2) for serial in ("HB-1", "HB-2", "1/HB-1") for n in range(9)}
    assert len(numbers) == 2 * 3 * 9


def test_the_numbers_are_known() -> None:
    """A stored trace must be repeatable in years to come: these values never change."""
    assert [round(draw(1, "HB-0001", n), 6) for n in range(3)] == [0.159039, 0.649498, 0.794628]


def test_the_numbers_are_even() -> None:
    numbers = [draw(7, f"HB-{device:04d}", n) for device in range(500) for n in range(10)]
    assert all(0.0 <= number < 1.0 for number in numbers)
    assert abs(statistics.mean(numbers) - 0.5) < 0.02
    assert abs(statistics.pvariance(numbers) - 1 / 12) < 0.005
    tenths = [sum(tenth / 10 <= number < (tenth + 1) / 10 for number in numbers) for tenth in range(10)]
    assert 400 < min(tenths) <= max(tenths) < 600


def test_order_does_not_matter() -> None:
    wanted = Pause(1.0, 2.0, "why")
    one, two = sleeper("a"), sleeper("b")
    taken_in_turn = [draw_pause(1, agent, wanted) for _ in range(4) for agent in (one, two)]
    one, two = sleeper("a"), sleeper("b")
    first_all_of_two = [draw_pause(1, two, wanted) for _ in range(4)]
    assert taken_in_turn[1::2] == first_all_of_two
    assert taken_in_turn[0::2] == [draw_pause(1, one, wanted) for _ in range(4)]


def test_a_range_that_is_a_point_uses_no_number_up() -> None:
    agent = sleeper("a")
    assert draw_pause(1, agent, Pause(3.0, 3.0, "why")) == 3.0
    assert draw_pause(1, agent, Pause(3.0, 1.0, "why")) == 3.0
    assert draw_pause(1, agent, Pause(3.0, 3.0, "why", 2.0)) == 2.0
    assert agent.draws == 0
    draw_pause(1, agent, Pause(1.0, 2.0, "why"))
    assert agent.draws == 1


def test_what_lies_above_the_cap_becomes_the_cap() -> None:
    agent = sleeper("a")
    numbers = [draw_pause(1, agent, Pause(5.0, 900.0, "why", 300.0)) for _ in range(500)]
    assert min(numbers) >= 5.0
    assert max(numbers) == 300.0
    assert abs(numbers.count(300.0) / 500 - 600 / 895) < 0.06


def test_an_await_is_drawn_like_a_pause() -> None:
    one, two = sleeper("a"), sleeper("a")
    drawn = [draw_pause(1, one, Await("idle", ("*",), 5.0, 90.0, 30.0)) for _ in range(20)]
    assert drawn == [draw_pause(1, two, Pause(5.0, 90.0, "idle", 30.0)) for _ in range(20)]
    assert one.draws == 20
