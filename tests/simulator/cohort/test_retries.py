"""Delays after failures: those of `Backoff` in whole microseconds, and for many devices those of each."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.simulator.backoff import Backoff, CircuitBreaker, Policy, RetryBudget
from fleetrig.simulator.cohort.model import MOST_FAILURES, Breaker, Budget, Cohort, RetryRule
from fleetrig.simulator.cohort.retries import UNCAPPED_US, earn, full_milli, retry_range, spend
from fleetrig.simulator.cohort.retry_table import NOT_ASKED_US, Failed, RetryTable
from tests.simulator.cohort.fleets import S
from tests.simulator.cohort.test_random_fleets import RULES, SPANS

SECONDS = st.integers(0, 400)
PAIRS = st.tuples(SECONDS, SECONDS).map(sorted)


@given(
    policy=st.sampled_from(list(Policy)),
    base_s=st.integers(1, 60),
    cap_s=SECONDS,
    floor_s=st.integers(0, 5),
    interval_s=st.integers(1, 400),
    first=st.none() | PAIRS,
    breaker=st.none() | st.tuples(st.integers(1, 6), SECONDS, SECONDS),
    failures=st.integers(1, MOST_FAILURES),
    previous_s=st.none() | st.integers(1, 400),
    has_token=st.booleans(),
    asked_s=st.none() | st.integers(0, 100_000),
    honours=st.booleans(),
)
def test_ranges_are_those_of_backoff(
    policy, base_s, cap_s, floor_s, interval_s, first, breaker, failures, previous_s, has_token, asked_s, honours
) -> None:
    backoff = Backoff(
        policy, base_s, cap_s, floor_s, 7.0, honours, tuple(first) if first else None,
        breaker=CircuitBreaker(*breaker) if breaker else None,
    )  # fmt: skip
    rule = RetryRule(
        policy, base_s * S, cap_s * S, floor_s * S, 7 * S, honours, (first[0] * S, first[1] * S) if first else None,
        breaker=Breaker(breaker[0], breaker[1] * S, breaker[2] * S) if breaker else None,
    )  # fmt: skip
    expected = backoff.delay(
        failures, interval_s=interval_s, previous_s=previous_s, has_token=has_token, retry_after_s=asked_s
    )
    got = retry_range(
        Cohort("some", 1, (interval_s * S, interval_s * S), rule),
        failures,
        previous_us=(previous_s or 0) * S,
        has_token=has_token,
        retry_after_us=None if asked_s is None else asked_s * S,
    )
    # Half of an odd number of seconds is no whole number of seconds, but one of microseconds.
    assert got.least_us == expected.at_least_s * S
    assert got.most_us == expected.at_most_s * S
    capped_at_us = UNCAPPED_US if math.isinf(expected.capped_at_s) else expected.capped_at_s * S
    assert min(got.capped_at_us, got.most_us) == min(capped_at_us, got.most_us)


@given(st.integers(0, 300), st.integers(0, 5_000), st.integers(1, 9), st.none() | st.integers(1, 9))
def test_tokens_are_those_of_backoff(gain_milli: int, tokens_milli: int, failures: int, after: int | None) -> None:
    backoff = Backoff(
        budget=RetryBudget(gain_milli / 1000, 4), breaker=CircuitBreaker(after) if after is not None else None
    )
    rule = RetryRule(
        Policy.FIXED, budget=Budget(4_000, gain_milli), breaker=Breaker(after, 0, 0) if after is not None else None
    )
    assert full_milli(rule) == backoff.full_milli
    assert earn(rule, tokens_milli) == backoff.earn(tokens_milli)
    assert spend(rule, tokens_milli, failures) == backoff.spend(tokens_milli, failures)


class Case(NamedTuple):
    """One device that has just failed."""

    failures: int
    previous_us: int
    tokens_milli: int
    asked_us: int
    chance: int


CASES = st.builds(
    Case,
    st.integers(1, 12) | st.just(MOST_FAILURES),
    st.just(0) | st.integers(1, 40 * S),
    st.integers(0, 3_000),
    st.just(NOT_ASKED_US) | st.integers(0, 200_000 * S),
    st.integers(0, 2**32 - 1),
)


@settings(max_examples=300)
@given(RULES, SPANS, st.lists(CASES, min_size=1, max_size=8))
def test_the_table_has_the_delay_of_each(rule: RetryRule, interval_us: tuple[int, int], cases: list[Case]) -> None:
    cohort = Cohort("some", 1, interval_us, rule)
    failures, previous_us, tokens_milli, asked_us, chance = (np.array(each) for each in zip(*cases, strict=True))
    failed = Failed(failures.astype(np.uint8), previous_us, tokens_milli.astype(np.int32), asked_us)
    delay_us, pays = RetryTable(cohort).delay_us(failed, chance)
    assert delay_us.tolist() == [delay_of(cohort, case) for case in cases]
    spent = [spend(rule, case.tokens_milli, case.failures)[1] != case.tokens_milli for case in cases]
    assert ([False] * len(cases) if pays is None else pays.tolist()) == spent


def delay_of(cohort: Cohort, case: Case) -> int:
    has_token, _ = spend(cohort.retry, case.tokens_milli, case.failures)
    asked_us = None if case.asked_us == NOT_ASKED_US else case.asked_us
    drawn = retry_range(
        cohort, case.failures, previous_us=case.previous_us, has_token=has_token, retry_after_us=asked_us
    )
    return drawn.drawn_us(case.chance)


@pytest.mark.parametrize("policy", [Policy.EXPONENTIAL, Policy.FULL_JITTER, Policy.EQUAL_JITTER])
def test_delays_stop_growing_at_the_cap(policy: Policy) -> None:
    table = RetryTable(Cohort("some", 1, (S, S), RetryRule(policy, 5 * S, 300 * S)))
    assert table.most_us[1] == 5 * S
    assert set(table.most_us[7:].tolist()) == {300 * S}
