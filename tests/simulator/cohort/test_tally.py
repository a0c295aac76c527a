"""Counting second by second, and durations by their size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.cohort.tally import CountOf, Tally, buckets_of
from fleetrig.simulator.drivers.load.histogram import bucket_of
from tests.simulator.cohort.fleets import S


@given(st.lists(st.integers(0, 2**52), min_size=1))
def test_buckets_are_those_of_each(durations_us: list[int]) -> None:
    assert buckets_of(np.array(durations_us, np.int64)).tolist() == [bucket_of(each) for each in durations_us]


def test_moments_count_in_their_second() -> None:
    tally = Tally(2)
    tally.make_room(200 * S)
    tally.count(1, CountOf.REFUSED, np.array([S - 1, S, S, 3 * S + 1, 150 * S], np.int64))
    tally.count(1, CountOf.REFUSED, np.zeros(0, np.int64))
    refused = tally.figures(151 * S).cohorts[1].refused
    assert refused.nonzero()[0].tolist() == [0, 1, 3, 150]
    assert refused[1] == 2
    assert not tally.figures(151 * S).cohorts[0].refused.any()


def test_only_seconds_that_have_begun_are_shown() -> None:
    tally = Tally(1)
    assert tally.figures(0).cohorts[0].requests.size == 0
    assert tally.figures(S).cohorts[0].requests.size == 1
    assert tally.figures(S + 1).cohorts[0].requests.size == 2
    assert tally.figures(900 * S).slowest_us.size == 900


def test_what_was_counted_stays_when_room_is_made() -> None:
    tally = Tally(1)
    tally.count_at(0, CountOf.WENT_OFFLINE, 5 * S, 3)
    tally.answered(np.array([5 * S], np.int64), 70)
    tally.make_room(10_000 * S)
    tally.count_at(0, CountOf.WENT_OFFLINE, 9_999 * S, 1)
    figures = tally.figures(10_000 * S)
    assert figures.cohorts[0].went_offline.nonzero()[0].tolist() == [5, 9_999]
    assert figures.slowest_us[5] == 70


def test_the_slowest_answer_of_each_second_is_kept() -> None:
    tally = Tally(1)
    tally.answered(np.array([0, 1, S, S + 1], np.int64), np.array([3, 9, 8, 2], np.int64))
    tally.answered(np.array([S + 5], np.int64), 7)
    figures = tally.figures(2 * S)
    assert figures.slowest_us.tolist() == [9, 8]
    assert figures.took == {2: 1, 3: 1, 7: 1, 8: 1, 9: 1}
