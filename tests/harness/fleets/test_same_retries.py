"""Both engines wait alike: a backoff of a file, and the rule that the array engine makes of it, whatever it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.harness.fleets.retry_rule import retry_rule
from fleetrig.simulator.backoff import Backoff, CircuitBreaker, Policy, RetryBudget
from fleetrig.simulator.client_policies import CLIENT_POLICIES, RealClient
from fleetrig.simulator.cohort import retries
from fleetrig.simulator.cohort.model import Cohort

TIMES_S = st.integers(0, 600_000).map(lambda ms: ms / 1000)
INTERVAL_S, JITTER = 120.0, 0.25
MOST_US = 3
"""Of rounding: three delays of the last one, and half of an odd number."""

backoffs = st.builds(
    Backoff,
    policy=st.sampled_from(Policy),
    base_s=TIMES_S,
    cap_s=TIMES_S,
    floor_s=st.sampled_from([0.0, 0.1, 1.0, 30.0]),
    retry_after_spread_s=TIMES_S,
    honours_retry_after=st.booleans(),
    first_s=st.none() | st.tuples(TIMES_S, TIMES_S).map(lambda ends: (min(ends), max(ends))),
    budget=st.none() | st.builds(RetryBudget, st.sampled_from([0.001, 0.1, 0.125, 1.0]), st.integers(1, 1000)),
    breaker=st.none() | st.builds(CircuitBreaker, st.integers(1, 255), TIMES_S, TIMES_S),
)


def cohort_of(backoff: Backoff) -> Cohort:
    least_us = round(INTERVAL_S * 1e6)
    return Cohort("c", 1, (least_us, round(least_us * (1 + JITTER))), retry_rule(backoff))


@given(
    backoff=backoffs | st.sampled_from([CLIENT_POLICIES[client].backoff for client in RealClient]),
    failures=st.integers(1, 255),
    previous_s=st.none() | st.integers(1, 900_000).map(lambda ms: ms / 1000),
    retry_after_s=st.none() | st.integers(0, 90_000).map(float),
    has_token=st.booleans(),
)
def test_the_same_range_after_any_failures(
    backoff: Backoff, failures: int, previous_s: float | None, retry_after_s: float | None, has_token: bool
) -> None:
    exact = backoff.delay(
        failures,
        interval_s=INTERVAL_S,
        interval_jitter=JITTER,
        previous_s=previous_s,
        retry_after_s=retry_after_s,
        has_token=has_token,
    )
    array = retries.retry_range(
        cohort_of(backoff),
        failures,
        previous_us=0 if previous_s is None else round(previous_s * 1e6),
        has_token=has_token,
        retry_after_us=None if retry_after_s is None else round(retry_after_s * 1e6),
    )
    assert array.least_us == pytest.approx(exact.at_least_s * 1e6, abs=MOST_US)
    assert min(array.most_us, array.capped_at_us) == pytest.approx(
        min(exact.at_most_s, exact.capped_at_s) * 1e6, abs=MOST_US
    )


@given(backoffs, st.lists(st.integers(0, 255), max_size=60))
def test_the_same_tokens_through_any_story(backoff: Backoff, story: list[int]) -> None:
    """A number is a failure after so many in a row, 0 an answer."""
    rule, tokens_milli = retry_rule(backoff), backoff.full_milli
    assert retries.full_milli(rule) == tokens_milli
    for failures in story:
        if failures:
            assert retries.spend(rule, tokens_milli, failures) == backoff.spend(tokens_milli, failures)
            _, tokens_milli = backoff.spend(tokens_milli, failures)
        else:
            assert retries.earn(rule, tokens_milli) == backoff.earn(tokens_milli)
            tokens_milli = backoff.earn(tokens_milli)
