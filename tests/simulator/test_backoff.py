"""Each policy by its formula, floors and caps, and both forms of Retry-After (V07, V08)."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fleetrig.simulator.backoff import (
    RETRY_AFTER_LIMIT_S,
    Backoff,
    CircuitBreaker,
    Delay,
    Policy,
    RetryBudget,
    parse_retry_after,
)
from fleetrig.simulator.drivers.draw import draw


def ranges(policy: Policy, count: int = 6, previous_s: float | None = None) -> list[tuple[float, float]]:
    backoff = Backoff(policy, base_s=2.0, cap_s=20.0, floor_s=0.5)
    return [backoff.delay(failures, interval_s=30.0, previous_s=previous_s)[:2] for failures in range(1, count + 1)]


def test_the_formulas() -> None:
    assert ranges(Policy.NONE, 2) == [(30, 30), (30, 30)]
    assert ranges(Policy.FIXED, 3) == [(2, 2)] * 3
    assert ranges(Policy.LINEAR, 12)[::3] == [(2, 2), (8, 8), (14, 14), (20, 20)]
    assert ranges(Policy.LINEAR, 12)[-1] == (20, 20)
    assert ranges(Policy.EXPONENTIAL) == [(2, 2), (4, 4), (8, 8), (16, 16), (20, 20), (20, 20)]
    assert ranges(Policy.FULL_JITTER) == [(0.5, 2), (0.5, 4), (0.5, 8), (0.5, 16), (0.5, 20), (0.5, 20)]
    assert ranges(Policy.EQUAL_JITTER) == [(1, 2), (2, 4), (4, 8), (8, 16), (10, 20), (10, 20)]


def test_immediate_knows_no_floor() -> None:
    assert Backoff(Policy.IMMEDIATE).delay(3, interval_s=30.0) == Delay(0.0, 0.0)


def test_decorrelated_jitter_builds_on_the_delay_before() -> None:
    backoff = Backoff(Policy.DECORRELATED_JITTER, base_s=5.0, cap_s=300.0)
    assert backoff.delay(1, interval_s=30.0) == (5, 15, 300)
    assert backoff.delay(4, interval_s=30.0, previous_s=15.0) == (5, 45, 300)
    assert backoff.delay(9, interval_s=30.0, previous_s=290.0) == (5, 870, 300)


@pytest.mark.parametrize(("cap_over_base", "mean_over_cap"), [(60, 0.56), (300, 0.47)])
def test_decorrelated_jitter_settles_where_the_literature_says(cap_over_base: int, mean_over_cap: float) -> None:
    """First drawn, then capped. The other way round the means would be 0.34 and 0.27."""
    backoff = Backoff(Policy.DECORRELATED_JITTER, base_s=300.0 / cap_over_base, cap_s=300.0)
    settled: list[float] = []
    for device in range(2_000):
        previous_s = None
        for failures in range(1, 46):
            least_s, most_s, capped_s = backoff.delay(failures, interval_s=300.0, previous_s=previous_s)
            previous_s = min(capped_s, least_s + (most_s - least_s) * draw(1, f"HB-{device}", failures))
            if failures > 20:
                settled.append(previous_s)
    assert sum(settled) / len(settled) / 300.0 == pytest.approx(mean_over_cap, abs=0.02)


@pytest.mark.parametrize("policy", [policy for policy in Policy if policy is not Policy.IMMEDIATE])
@pytest.mark.parametrize("failures", [1, 2, 10, 64, 5_000])
def test_no_policy_spins_or_falls_silent(policy: Policy, failures: int) -> None:
    for base_s in (0.0, 1e-9, 5.0, 1e9):
        least_s, most_s, capped_s = Backoff(policy, base_s=base_s).delay(failures, interval_s=0.0, previous_s=0.0)
        assert 1.0 <= least_s <= most_s
        assert capped_s >= 1.0
        if base_s <= 300.0:
            assert min(most_s, capped_s) <= 300.0


@pytest.mark.parametrize("policy", Policy)
def test_a_server_that_names_a_time_is_obeyed(policy: Policy) -> None:
    backoff = Backoff(policy, retry_after_spread_s=5.0)
    assert backoff.delay(1, interval_s=30.0, retry_after_s=60.0) == (60, 65, math.inf)
    assert backoff.delay(1, interval_s=30.0, retry_after_s=0.0) == (1, 5, math.inf)


def test_a_server_is_not_obeyed_for_ever() -> None:
    assert Backoff().delay(1, interval_s=30.0, retry_after_s=1e12).at_least_s == RETRY_AFTER_LIMIT_S


def test_a_device_that_does_not_listen() -> None:
    deaf = Backoff(Policy.FIXED, honours_retry_after=False)
    assert deaf.delay(1, interval_s=30.0, retry_after_s=60.0)[:2] == (5, 5)


@pytest.fixture(params=["UTC", "Asia/Kathmandu", "America/New_York"])
def _time_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("_time_zone")
@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("120", None, 120.0),
        (" 0 ", None, 0.0),
        ("Sat, 21 Nov 2026 05:00:30 GMT", "Sat, 21 Nov 2026 05:00:00 GMT", 30.0),
        ("Saturday, 21-Nov-26 05:00:30 GMT", "Sat, 21 Nov 2026 05:00:00 GMT", 30.0),
        ("Sat Nov 21 05:00:30 2026", "Sat, 21 Nov 2026 05:00:00 GMT", 30.0),
        ("Sat, 21 Nov 2026 05:00:30", "Sat, 21 Nov 2026 05:00:00 GMT", 30.0),
        ("Sat, 21 Nov 2026 06:00:30 +0100", "Sat, 21 Nov 2026 05:00:00 GMT", 30.0),
        ("Sun, 08 Mar 2026 07:30:00 GMT", "Sun, 08 Mar 2026 06:30:00 GMT", 3600.0),
        ("Sat, 21 Nov 2026 04:00:00 GMT", "Sat, 21 Nov 2026 05:00:00 GMT", 0.0),
    ],
)
def test_both_forms_of_retry_after(value: str, date: str | None, seconds: float) -> None:
    """Whatever time zone the machine stands in: HTTP dates are GMT."""
    assert parse_retry_after(value, date) == seconds


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "-5", "+5", "1.5", "1e3", "soon", "٣", "²", "0x10", "12,13", "Sat, 99 Nov 2026 05:00:00 GMT",
     "Sat, 21 Nov 2026 05:00:30 GMT", "Sat, 21 Nov 99999999999999 05:00:30 GMT", "::", "a b c d e f", ","],
)  # fmt: skip
def test_what_cannot_be_obeyed(value: str | None) -> None:
    """A date is of no use without the answer's own Date: a device need not know what time it is."""
    assert parse_retry_after(value, None) is None


@pytest.mark.parametrize("value", ["Sat, 99 Nov 2026 05:00:00 GMT", "Sat, 21 Foo 2026 05:00:00 GMT", "21", "x" * 9_999])
def test_an_answer_whose_own_date_is_unreadable(value: str) -> None:
    assert parse_retry_after("Sat, 21 Nov 2026 05:00:30 GMT", value) is None


def test_an_absurd_number_is_a_number() -> None:
    asked_s = parse_retry_after("9" * 400, None)
    assert asked_s is not None
    assert Backoff().delay(1, interval_s=1.0, retry_after_s=asked_s).at_least_s == RETRY_AFTER_LIMIT_S


PATIENT = Backoff(
    Policy.FIXED,
    base_s=2.0,
    budget=RetryBudget(share=0.25, burst=2),
    breaker=CircuitBreaker(after=4, open_s=300.0, spread_s=60.0),
)


def waits(backoff: Backoff, failures: int, retry_after_s: float | None = None, *, has_token: bool = True) -> Any:
    return backoff.delay(
        failures, interval_s=30.0, interval_jitter=0.2, retry_after_s=retry_after_s, has_token=has_token
    )[:2]


def test_the_first_delay_has_a_range_of_its_own() -> None:
    kura = Backoff(Policy.FIXED, base_s=60.0, first_s=(0.0, 11.0))
    assert [waits(kura, failures) for failures in (1, 2, 3)] == [(1, 11), (60, 60), (60, 60)]
    assert waits(kura, 1, 20.0) == (20, 25), "what the server asks for is stronger"


def test_a_device_that_only_waits_for_its_next_poll_keeps_its_jitter() -> None:
    assert waits(Backoff(Policy.NONE), 3) == (30, 36)


def test_a_retry_costs_a_token_and_an_answer_earns_a_share_of_one() -> None:
    tokens_milli = PATIENT.full_milli
    spent = []
    for _ in range(3):
        has_token, tokens_milli = PATIENT.spend(tokens_milli, failures=1)
        spent.append((has_token, tokens_milli))
    assert spent == [(True, 1000), (True, 0), (False, 0)]
    for expected in (250, 500, 750, 1000, 1250, 1500, 1750, 2000, 2000):
        tokens_milli = PATIENT.earn(tokens_milli)
        assert tokens_milli == expected


def test_without_a_token_it_waits_for_its_interval() -> None:
    assert waits(PATIENT, 1) == (2, 2)
    assert waits(PATIENT, 1, has_token=False) == (30, 36)
    first = Backoff(first_s=(0.0, 9.0), budget=RetryBudget())
    assert waits(first, 1, has_token=False) == (30, 36)


def test_a_breaker_opens_after_so_many_failures_and_costs_nothing() -> None:
    assert [waits(PATIENT, failures) for failures in (3, 4, 5, 900)] == [(2, 2), *[(300, 360)] * 3]
    assert PATIENT.spend(1500, failures=3) == (True, 500)
    assert PATIENT.spend(1500, failures=4) == (True, 1500)
    assert PATIENT.spend(0, failures=4) == (True, 0)


@pytest.mark.parametrize(
    ("asked_s", "failures", "has_token", "span"),
    [(10.0, 4, True, (300, 360)), (600.0, 4, True, (600, 605)), (10.0, 1, False, (30, 36)), (33.0, 1, False, (33, 38)),
     (10.0, 1, True, (10, 15))],
)  # fmt: skip
def test_nobody_comes_back_earlier_than_the_server_asked(
    asked_s: float, failures: int, has_token: bool, span: tuple[float, float]
) -> None:
    assert waits(PATIENT, failures, asked_s, has_token=has_token) == span


def test_without_budget_and_breaker_nothing_is_counted() -> None:
    plain = Backoff()
    assert plain.full_milli == plain.earn(0) == 0
    assert plain.spend(0, failures=900) == (True, 0)
    assert not plain.is_open(900)
