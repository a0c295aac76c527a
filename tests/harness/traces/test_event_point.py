"""Numbers and times, as people write them."""

from __future__ import annotations

import pytest

from fleetrig.harness.traces.event_point import EventPoint, TimePoint, event_point, place_in_trace
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.trace import Lane


@pytest.mark.parametrize("text", ["device:110", "device#110", "device #110"])
def test_a_number_of_a_lane(text: str) -> None:
    assert event_point("--around", text) == EventPoint(110, Lane.DEVICE)


@pytest.mark.parametrize("text", ["110", "#110"])
def test_a_number_of_any_lane(text: str) -> None:
    assert event_point("--around", text) == EventPoint(110)


@pytest.mark.parametrize(
    ("text", "said"),
    [("devise:1", "--around devise:1: there is no lane 'devise'; .*did you mean device?"),
     ("x", "--around: expected the number of an event, such as 110 or device:110, got 'x'"), ("-3", "expected"),
     ("9" * 19, "expected")],
)  # fmt: skip
def test_what_is_no_number(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        event_point("--around", text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("500ms", 0.5), ("1:30.5", 90.5), ("1:02:03.25", 3723.25), ("75:00", 4500)]
)
def test_times_since_the_beginning(text: str, seconds: float) -> None:
    place = place_in_trace("--from", text, is_clock=False)
    assert isinstance(place, TimePoint)
    assert place.at_us(VIRTUAL_EPOCH_US) == VIRTUAL_EPOCH_US + round(seconds * US_PER_S)


def test_times_of_the_day_are_those_that_the_clock_shows() -> None:
    begun_us = VIRTUAL_EPOCH_US + 23 * 3600 * US_PER_S
    for text, hours in (("23:30:00", 23.5), ("00:30:00", 24.5)):
        place = place_in_trace("--from", text, is_clock=True)
        assert isinstance(place, TimePoint)
        assert place.at_us(begun_us) == VIRTUAL_EPOCH_US + round(hours * 3600 * US_PER_S)


@pytest.mark.parametrize("text", ["2026-01-01T00:01:30Z", "2026-01-01T01:01:30+01:00", "2026-01-01 00:01:30"])
def test_dates(text: str) -> None:
    assert place_in_trace("--to", text, is_clock=False) == TimePoint(VIRTUAL_EPOCH_US + 90 * US_PER_S, "epoch")


@pytest.mark.parametrize("text", ["", "soon", "99999h", "2026-13-01"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="--to: expected a time since the beginning"):
        place_in_trace("--to", text, is_clock=False)
