"""Durations are counted within 3 %, and two histograms add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.simulator.drivers.load.histogram import Histogram, bucket_of, middle_us

DURATIONS_US = st.integers(0, 10**10)


@given(DURATIONS_US)
def test_the_middle_of_a_bucket_is_close_to_what_is_in_it(duration_us: int) -> None:
    assert middle_us(bucket_of(duration_us)) == pytest.approx(duration_us, rel=1 / 32)


@given(DURATIONS_US, DURATIONS_US)
def test_longer_durations_are_in_no_smaller_bucket(one_us: int, other_us: int) -> None:
    assert bucket_of(min(one_us, other_us)) <= bucket_of(max(one_us, other_us))


def test_percentiles_are_those_of_the_numbers() -> None:
    histogram = Histogram()
    for duration_ms in range(1, 1001):
        histogram.add(duration_ms * 1000)

    assert histogram.percentile_s(0.5) == pytest.approx(0.5, rel=0.03)
    assert histogram.percentile_s(0.99) == pytest.approx(0.99, rel=0.03)
    assert histogram.count == 1000


def test_what_was_not_measured_has_no_percentile() -> None:
    assert Histogram().percentile_s(0.99) is None


@given(st.lists(DURATIONS_US), st.lists(DURATIONS_US))
def test_two_of_them_added_up_are_one_of_all(ones: list[int], others: list[int]) -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for histogram, durations in ((one, ones), (other, others), (both, [*ones, *others])):
        for duration_us in durations:
            histogram.add(duration_us)
    one.add_all(other.buckets())

    assert one.buckets() == both.buckets()
    assert one.count == both.count
    assert Histogram(dict(both.buckets())).count == both.count
