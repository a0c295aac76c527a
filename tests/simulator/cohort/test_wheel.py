"""The wheel gives keys back in order, whatever was put in when."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.cohort.wheel import BUCKET_US, Wheel

BITS = 4
KEYS = st.integers(0, 40 * BUCKET_US << BITS)
STEPS = st.lists(st.tuples(st.lists(KEYS, max_size=30), KEYS), min_size=1, max_size=8)


@given(STEPS)
def test_what_is_due_comes_in_order(steps: list[tuple[list[int], int]]) -> None:
    """Keys may be put in for a time that has been taken already: they come with the next."""
    wheel, before = Wheel(BITS), 0
    waiting: list[int] = []
    for keys, further in steps:
        wheel.put(np.array(keys, np.int64))
        waiting = sorted([*waiting, *keys])
        before = max(before, further)
        assert wheel.take(before).tolist() == [key for key in waiting if key < before]
        waiting = [key for key in waiting if key >= before]
    assert wheel.take(1 << 62).tolist() == waiting


@given(STEPS, st.integers(0, (1 << (1 << BITS)) - 1))
def test_devices_can_be_taken_out(steps: list[tuple[list[int], int]], gone: int) -> None:
    is_gone = np.array([bool(gone >> device & 1) for device in range(1 << BITS)])
    wheel = Wheel(BITS)
    waiting: list[int] = []
    for keys, before in steps:
        wheel.put(np.array(keys, np.int64))
        wheel.take(before)
        waiting = sorted(key for key in [*waiting, *keys] if key >= before)
    assert sorted(wheel.devices().tolist()) == sorted(key % (1 << BITS) for key in waiting)
    wheel.remove(is_gone)
    assert wheel.take(1 << 62).tolist() == [key for key in waiting if not is_gone[key % (1 << BITS)]]


def test_one_moment_is_in_the_order_of_the_devices() -> None:
    wheel = Wheel(BITS)
    wheel.put(np.array([7 << BITS | device for device in (3, 1, 2)], np.int64))
    assert (wheel.take(8 << BITS) & 15).tolist() == [1, 2, 3]
