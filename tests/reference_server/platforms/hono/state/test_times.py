"""Times as Java reads and writes them; the odd ones were tried against a running Hono 2.7."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hono.state.times import instant_text, read_time, time_text
from fleetrig.simulator.contract.clock import US_PER_S


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2019-10-03T13:45:16+02:00", "2019-10-03T11:45:16Z"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("2020-01-01t00:00z", "2020-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00.999999999Z", "2020-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00.Z", "2020-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00+02", "2019-12-31T22:00:00Z"),
        ("2020-01-01T00:00:00-18:00", "2020-01-01T18:00:00Z"),
        ("2020-01-01T00:00:00+02:00:30", "2019-12-31T21:59:30Z"),
        ("2020-02-29T23:59:59Z", "2020-02-29T23:59:59Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
        ("9999-12-31T23:59:59-01:00", "+10000-01-01T00:59:59Z"),
        ("+12020-01-01T00:00:00Z", "+12020-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+01:00", "0001-12-31T23:00:00Z"),
        ("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("-0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z"),
    ],
)
def test_what_is_read_and_shown(said: str, shown: str) -> None:
    assert time_text(read_time(said)) == shown


@pytest.mark.parametrize(
    "said",
    [
        "",
        "2020-01-01",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:00+0200",
        "2020-01-01T00:00:00 Z",
        "20200101T000000Z",
        "2020-01-01T24:00:00Z",
        "2020-01-01T23:59:60Z",
        "2020-01-01T00:60:00Z",
        "2020-02-30T00:00:00Z",
        "2020-13-01T00:00:00Z",
        "2020-01-01T00:00:00+18:01",
        "2020-01-01T00:00:00+01:60",
        "12020-01-01T00:00:00Z",
        "2020-1-1T0:0:0Z",
        "2020-01-01T00:00:00.1234567890Z",
        "2020-01-01T00:00:00Z[UTC]",
        "1577836800",
    ],
)
def test_what_is_no_time(said: str) -> None:
    with pytest.raises(ValueError, match=r"is no time|must be in|day is out of range|day .* must be in range"):
        read_time(said)


@given(st.datetimes(timezones=st.just(UTC)))
def test_the_calendar_is_that_of_python(at: datetime) -> None:
    at_us = (at - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400 * US_PER_S
    at_us += (at - at.replace(hour=0, minute=0, second=0, microsecond=0)).seconds * US_PER_S + at.microsecond
    assert time_text(at_us) == at.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    assert read_time(time_text(at_us)) == at_us - at_us % US_PER_S
    assert read_time(at.isoformat()) == at_us


def test_instants_have_as_many_digits_as_java_prints() -> None:
    assert instant_text(1_500_000) == "1970-01-01T00:00:01.500Z"
    assert instant_text(1_000_001) == "1970-01-01T00:00:01.000001Z"
    assert instant_text(1_000_000) == "1970-01-01T00:00:01Z"
