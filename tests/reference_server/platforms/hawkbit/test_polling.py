"""Polling expressions: what they mean, what is refused and in which words, and what one answer says (§2.2)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.entropy import SeededEntropy
from fleetrig.reference_server.platforms.hawkbit.state.polling import (
    Interval,
    PollingTime,
    PollingTimeError,
    next_expected_ms,
    parse_duration,
    parse_polling_time,
    sleep_s,
    sleep_text,
    window_sleep_s,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:05:00", 300), ("05:00", 300), ("300", 300),
        ("PT5M", 300), ("PT1H30M", 5400), ("P1D", 86400), ("PT0S", 0),
        ("-00:01:00", 60), ("00:90:00", 5400), ("01:-30:00", 1800), ("-01:00:00", -3600), ("PT1.5S", 1.5),
        ("Pt5m", 300),
        ("+00:00:05", 5),
    ],
)  # fmt: skip
def test_a_duration_is_parsed(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * 1000


@pytest.mark.parametrize("text", ["", "x", "1:2:3:4", "00:00:0x", "P", "PT", "5M", "PT5X", "1.5", " 300"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:05:00", PollingTime(Interval(300_000))),
        ("00:10:00~10%", PollingTime(Interval(600_000, 10))),
        ("00:10:00~0%", PollingTime(Interval(600_000))),
        ("00:10:00~99% ", PollingTime(Interval(600_000, 99))),
        (
            "00:02:00, controllerid == 4711 -> 00:01:00, group == 'Europe' -> 00:05:05~5%",
            PollingTime(
                Interval(120_000),
                (("controllerid == 4711", Interval(60_000)), ("group == 'Europe'", Interval(305_000, 5))),
            ),
        ),
    ],
)
def test_an_expression_is_parsed(text: str, expected: PollingTime) -> None:
    assert parse_polling_time(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "Invalid pollingInterval: 'x', expecting: (HH:mm:ss|ISO-8601)(~\\d{1,2}%)?"),
        ("00:10:00~100%", "Invalid pollingInterval: '00:10:00~100%', expecting: (HH:mm:ss|ISO-8601)(~\\d{1,2}%)?"),
        ("00:05:00, group==a", "Invalid pollingTime override: 'group==a'"),
        ("00:05:00,a==1->y", "Invalid pollingInterval: 'y', expecting: (HH:mm:ss|ISO-8601)(~\\d{1,2}%)?"),
        ("00:05:00,", "Invalid pollingTime override: ''"),
    ],
)
def test_no_expression_in_the_servers_words(text: str, message: str) -> None:
    with pytest.raises(PollingTimeError) as refused:
        parse_polling_time(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00"), (300, "00:05:00"), (86399, "23:59:59"), (86400, "PT24H"), (90061, "PT25H1M1S")],
)
def test_sleep_is_a_clock_time_below_a_day_and_iso_from_then_on(seconds: int, text: str) -> None:
    assert sleep_text(seconds) == text


def test_a_deviation_spreads_the_answers_within_its_percentage() -> None:
    uniform = SeededEntropy(1).uniform
    drawn = {sleep_s(Interval(600_000, 10), 30, 86399, uniform) for _ in range(500)}
    assert min(drawn) >= 540
    assert max(drawn) <= 660
    assert len(drawn) > 50


def test_a_deviation_stays_within_the_limits_of_the_server() -> None:
    uniform = SeededEntropy(1).uniform
    assert min(sleep_s(Interval(30_000, 50), 30, 86399, uniform) for _ in range(100)) == 30
    assert max(sleep_s(Interval(86_399_000, 50), 30, 86399, uniform) for _ in range(100)) == 86399


@pytest.mark.parametrize(
    ("until_s", "count", "expected"),
    [(600, 3, 200), (601.9, 3, 200), (60, 3, 30), (3600, 3, 300), (-1, 3, 300), (600, 0, 300), (0.5, 3, 30)],
)
def test_before_a_maintenance_window_polls_come_more_often(until_s: float, count: int, expected: int) -> None:
    """S112: 10 minutes, 3 polls, interval 5 minutes gives 00:03:20."""
    assert window_sleep_s(300, until_s, count, 30) == expected


def test_the_next_poll_is_expected_after_interval_and_deviation() -> None:
    assert next_expected_ms(1000, Interval(60_000)) == 61_000
    assert next_expected_ms(1000, Interval(60_000, 10)) == 67_000
