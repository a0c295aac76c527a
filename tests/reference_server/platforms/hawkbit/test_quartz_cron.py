"""Quartz cron against dates worked out by hand from a calendar of 2026 (1 January is a Thursday)."""

from __future__ import annotations

from datetime import datetime

import pytest

from fleetrig.reference_server.platforms.hawkbit.state.quartz_cron import parse
from fleetrig.reference_server.platforms.hawkbit.state.quartz_field import BadCron

START = datetime.fromisoformat("2026-11-21T05:00:00")  # a Saturday


def next_after(expression: str, moment: datetime) -> str | None:
    found = parse(expression).next_after(moment)
    return None if found is None else found.isoformat()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 3 ? * *", "2026-11-22T03:00:00"),
        ("0 0 5 * * ?", "2026-11-22T05:00:00"),  # strictly after
        ("1 0 5 * * ?", "2026-11-21T05:00:01"),
        ("* * * * * ?", "2026-11-21T05:00:01"),
        ("0 0/15 * ? * *", "2026-11-21T05:15:00"),
        ("0 /20 * ? * *", "2026-11-21T05:20:00"),
        ("0 10-30/10,55 4,6 ? * *", "2026-11-21T06:10:00"),
        ("0 0 3 ? * 2", "2026-11-23T03:00:00"),  # 2 is Monday, unlike in Unix cron
        ("0 0 3 ? * MON-FRI", "2026-11-23T03:00:00"),
        ("0 0 3 ? * 1", "2026-11-22T03:00:00"),
        ("0 0 3 ? * sat", "2026-11-28T03:00:00"),
        ("0 0 3 ? * L", "2026-11-28T03:00:00"),
        ("0 0 0 L * ?", "2026-11-30T00:00:00"),
        ("0 0 0 L-3 * ?", "2026-11-27T00:00:00"),
        ("0 0 0 LW * ?", "2026-11-30T00:00:00"),
        ("0 0 0 LW FEB ?", "2027-02-26T00:00:00"),  # 28 February 2027 is a Sunday
        ("0 0 0 22W * ?", "2026-11-23T00:00:00"),  # a Sunday, so the Monday after
        ("0 0 0 1W AUG ?", "2027-08-02T00:00:00"),  # a Sunday; never back into July
        ("0 0 0 31W MAY ?", "2027-05-31T00:00:00"),
        ("0 0 0 30W JAN ?", "2027-01-29T00:00:00"),  # a Saturday, so the Friday before
        ("0 0 0 ? * 6L", "2026-11-27T00:00:00"),
        ("0 0 0 ? * FRIL", "2026-11-27T00:00:00"),
        ("0 0 0 ? * 6#3", "2026-12-18T00:00:00"),
        ("0 0 0 ? * FRI#5", "2027-01-29T00:00:00"),  # November and December 2026 have four Fridays
        ("0 0 0 31 * ?", "2026-12-31T00:00:00"),
        ("0 0 0 29 2 ?", "2028-02-29T00:00:00"),
        ("15 30 4 22 11 ? 2026", "2026-11-22T04:30:15"),
        ("0 0 0 1 1 ? 2027-2030", "2027-01-01T00:00:00"),
        ("0 0 0 1 JAN,MAR ? 2028/2", "2028-01-01T00:00:00"),
        ("0 0 0 1 1 ? 2020", None),
        ("0 0 0 30 2 ?", None),
        ("59 59 23 31 12 ? 2099", "2099-12-31T23:59:59"),
    ],
)
def test_next(expression, expected):
    assert next_after(expression, START) == expected


def test_a_fraction_of_a_second_is_not_lost():
    assert next_after("1 0 5 * * ?", START.replace(microsecond=999_999)) == "2026-11-21T05:00:01"
    assert next_after("0 0 5 * * ?", START.replace(microsecond=1)) == "2026-11-22T05:00:00"


@pytest.mark.parametrize(
    "expression",
    [
        "", "0 0 3 * *", "0 0 3 * * * * *", "0 0 3 * * *", "0 0 3 ? * ?", "60 0 3 ? * *", "0 0 24 ? * *", "0 0 3 0 * ?",
        "0 0 3 32 * ?", "0 0 3 ? 13 *", "0 0 3 ? * 8", "0 0 3 ? * 0", "0 0 3 ? * XYZ", "a 0 3 ? * *",
        "0 0/0 3 ? * *", "0 0/x 3 ? * *", "0 0 3 ? * 6#8", "0 0 3 ? * * 2100", "0 0 ² ? * *",
    ],
)  # fmt: skip
def test_what_is_not_quartz_is_refused(expression):
    with pytest.raises(BadCron):
        parse(expression)
