"""Deadlines: what is due, in its order, and no more memory than keys need."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.mqtt_sessions.deadlines import STALE_ENTRIES, Deadlines

K = TypeVar("K", bound=Hashable)


def all_due(deadlines: Deadlines[K], now_us: int) -> list[K]:
    return list(iter(lambda: deadlines.pop_due(now_us), None))


def test_the_last_time_of_a_key_counts() -> None:
    deadlines = Deadlines[str]()
    deadlines.put("a", 10)
    deadlines.put("b", 20)
    deadlines.put("a", 30)
    assert (deadlines.next_due_us(), all_due(deadlines, 25)) == (20, ["b"])
    deadlines.cancel("a")
    assert (deadlines.next_due_us(), all_due(deadlines, 99)) == (None, [])


def test_of_two_at_the_same_time_the_first_comes_first() -> None:
    deadlines = Deadlines[str]()
    for key in "bca":
        deadlines.put(key, 7)
    assert all_due(deadlines, 7) == ["b", "c", "a"]


STEPS = st.lists(st.tuples(st.sampled_from("pcd"), st.integers(0, 5), st.integers(0, 50)), max_size=200)


@settings(deadline=None)
@given(STEPS)
def test_they_are_a_table_of_times(steps: list[tuple[str, int, int]]) -> None:
    deadlines, model = Deadlines[int](), dict[int, int]()
    for what, key, at_us in steps:
        match what:
            case "p":
                deadlines.put(key, at_us)
                model[key] = at_us
            case "c":
                deadlines.cancel(key)
                model.pop(key, None)
            case _:
                due = all_due(deadlines, at_us)
                assert set(due) == {one for one, due_us in model.items() if due_us <= at_us}
                times_us = [model.pop(one) for one in due]
                assert times_us == sorted(times_us)
        assert deadlines.next_due_us() == min(model.values(), default=None)


def test_a_key_that_is_put_for_ever_takes_no_more_memory() -> None:
    deadlines = Deadlines[int]()
    for at_us in range(10_000):
        deadlines.put(at_us % 3, at_us)
    assert len(deadlines._heap) <= 2 * 3 + STALE_ENTRIES
