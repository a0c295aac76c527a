"""Window arithmetic (§2.2, S112, S113)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleetrig.reference_server.platforms.hawkbit.state import maintenance
from fleetrig.reference_server.platforms.hawkbit.state.maintenance import BadWindow, check, window_of


def us(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1_000_000


NOON = us(2026, 11, 21, 12, 0, 0)


def test_the_next_window_starts_in_its_own_time_zone():
    window = window_of("0 0 3 ? * *", "01:00:00", "+02:00")
    assert window is not None
    assert window.next_start_us(NOON) == us(2026, 11, 22, 1, 0, 0)


def test_an_open_window_is_the_one_in_question():
    window = window_of("0 30 11 ? * *", "01:00:00", "Z")
    assert window is not None
    assert window.next_start_us(NOON) == us(2026, 11, 21, 11, 30, 0)
    assert window.is_open(NOON)


@pytest.mark.parametrize(
    ("offset_us", "is_open"),
    [(-1, False), (0, False), (1, True), (599_999_999, True), (600_000_000, False)],
)
def test_a_window_is_open_between_its_ends_both_excluded(offset_us, is_open):
    window = window_of("0 0 12 21 11 ? 2026", "00:10:00", "+00:00")
    assert window is not None
    assert window.is_open(NOON + offset_us) is is_open


def test_a_schedule_lapses_when_its_last_window_has_closed():
    window = window_of("0 0 12 21 11 ? 2026", "00:10:00", "+00:00")
    assert window is not None
    assert window.next_start_us(NOON + 599_999_999) == NOON
    assert window.next_start_us(NOON + 600_000_000) is None


def test_all_or_none_must_be_given():
    check(None, None, None, NOON)
    check("", "", "", NOON)
    with pytest.raises(BadWindow, match="either be null or non empty"):
        check("0 0 3 ? * *", None, None, NOON)
    with pytest.raises(BadWindow, match="either be null or non empty"):
        check("0 0 3 ? * *", "01:00:00", "", NOON)


@pytest.mark.parametrize(
    ("schedule", "duration", "timezone", "text"),
    [
        ("0 0 0 1 1 ? 2020", "00:10:00", "+00:00", maintenance.NONE_LEFT),
        ("0 0 0 ? * 2-L", "00:10:00", "+00:00", maintenance.NONE_LEFT),
        ("0 0 23-2/2 * * ?", "00:10:00", "+00:00", maintenance.NONE_LEFT),
        (" ", "00:10:00", "+00:00", maintenance.NONE_LEFT),
        ("0 0 3 ? * *", "00:10:00", "Europe/Berlin", maintenance.NONE_LEFT),
        ("0 0 3 ? * *", "00:10:00", "+19:00", maintenance.NONE_LEFT),
        ("0 0 3 ? * *", "24:00:00", "+00:00", maintenance.BAD_DURATION),
        ("0 0 3 ? * *", "10 minutes", "+00:00", maintenance.BAD_DURATION),
    ],
)
def test_a_schedule_without_a_window_is_refused(schedule, duration, timezone, text):
    with pytest.raises(BadWindow) as caught:
        check(schedule, duration, timezone, NOON)
    assert str(caught.value) == text


def test_a_schedule_longer_than_is_kept_is_refused():
    """So the costliest of them, with many parts and no time at all, is a short one."""
    check("0" + ",2" * 50 + " 0 3 ? * *", "00:10:00", "+00:00", NOON)
    with pytest.raises(BadWindow, match="at most 128"):
        check("||".join(["0 0 3 30 2 ?"] * 1000), "00:10:00", "+00:00", NOON)


def test_a_bad_cron_is_named():
    with pytest.raises(BadWindow, match="3 parts"):
        check("0 0 3", "00:10:00", "+00:00", NOON)


@pytest.mark.parametrize("timezone", ["Z", "+02:00", "-0230", "+2", "+18:00", "-01:30:30"])
def test_offsets(timezone):
    check("0 0 3 ? * *", "00:10", timezone, NOON)
