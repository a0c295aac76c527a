"""Events of several workers come out in the order of time, and nobody waits for ever."""

from __future__ import annotations

from typing import Any

from fleetrig.simulator.drivers.load.event_merge import EventMerge


def times(events: list[list[Any]]) -> list[int]:
    return [event[0] for event in events]


def test_what_all_have_told_comes_out_in_order() -> None:
    merge = EventMerge()
    merge.joins("a", 0)
    merge.joins("b", 0)
    merge.add("a", [[1], [5], [9]], until_us=10)
    merge.add("b", [[2], [6]], until_us=7)

    assert merge.settled_us(now_us=100) == 7
    assert times(merge.take(merge.settled_us(100))) == [1, 2, 5, 6]

    merge.add("b", [[8]], until_us=12)
    assert times(merge.take(merge.settled_us(100))) == [8, 9]


def test_a_silent_worker_holds_the_others_up_until_it_is_left_out() -> None:
    merge = EventMerge()
    merge.joins("a", 0)
    merge.joins("b", 0)
    merge.add("a", [[1]], until_us=10)
    assert merge.take(merge.settled_us(100)) == []

    merge.leaves("b")

    assert times(merge.take(merge.settled_us(100))) == [1]


def test_where_nobody_is_waited_for_everything_is_there() -> None:
    assert EventMerge().settled_us(now_us=100) == 100


def test_what_a_worker_that_was_left_out_tells_later_still_counts() -> None:
    merge = EventMerge()
    merge.add("b", [[1]], until_us=10)

    assert times(merge.take(merge.settled_us(100))) == [1]
