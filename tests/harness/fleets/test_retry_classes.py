"""Devices of every class are named right, their numbers are near the truth, and too few samples are said to be few."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.harness.fleets.retry_classes import RetryClass, TooFewSamples, classified, nice_s
from fleetrig.harness.fleets.retry_likelihood import NOISE_SHARE, Sample
from fleetrig.simulator.backoff import Backoff, Policy
from tests.harness.fleets.synthetic_retries import CLASSES, retries

SEEDS = 20
RIGHT = 0.95


@pytest.mark.parametrize("kind", [kind for kind in RetryClass if kind is not RetryClass.NONE])
def test_twelve_samples_name_at_least_95_of_100_right(kind: RetryClass) -> None:
    """Of each class, over its numbers and twenty seeds each; none is a constant pause that is the interval."""
    named = Counter(
        classified(retries(backoff, seed)).kind
        for wanted, backoff in CLASSES
        if wanted is kind
        for seed in range(SEEDS)
    )
    assert named[kind] >= RIGHT * sum(named.values()), named


@pytest.mark.parametrize(("kind", "backoff"), CLASSES, ids=range(len(CLASSES)))
def test_its_numbers_are_near_the_truth(kind: RetryClass, backoff: Backoff) -> None:
    """Sixty samples, five rows; of a cap and a base that are drawn from, to a fifth, else to a hundredth."""
    samples = [sample for seed in range(5) for sample in retries(backoff, seed)]
    law = classified(samples)
    assert law.kind is kind
    within = 0.2 if law.share else 0.01
    if kind not in (RetryClass.IMMEDIATE, RetryClass.CONSTANT_JITTER):
        assert law.backoff.base_s == pytest.approx(backoff.base_s, rel=within)
    if kind in (
        RetryClass.EXPONENTIAL,
        RetryClass.FULL_JITTER,
        RetryClass.EQUAL_JITTER,
        RetryClass.DECORRELATED_JITTER,
    ):
        assert law.backoff.cap_s == pytest.approx(backoff.cap_s, rel=within)
    if kind is RetryClass.CONSTANT_JITTER:
        assert (law.backoff.floor_s, law.backoff.cap_s) == pytest.approx((backoff.floor_s, backoff.cap_s), rel=0.05)


@given(
    base_s=st.floats(0.5, 60.0),
    cap_times=st.integers(3, 200),
    policy=st.sampled_from([Policy.LINEAR, Policy.EXPONENTIAL]),
    seed=st.integers(0, 1_000),
)
def test_a_law_without_chance_is_always_found(base_s: float, cap_times: int, policy: Policy, seed: int) -> None:
    """Where a cap cuts it off early, the two are the same curve."""
    law = classified(retries(Backoff(policy, base_s, base_s * cap_times, floor_s=0.1), seed))
    expected = [policy] if cap_times > 4 else [Policy.LINEAR, Policy.EXPONENTIAL]
    assert law.backoff.policy in expected
    assert law.backoff.base_s == pytest.approx(base_s, rel=2 * NOISE_SHARE, abs=0.1)


@given(pause_s=st.floats(0.5, 3_000.0), seed=st.integers(0, 1_000), count=st.integers(4, 30))
def test_a_constant_pause_is_always_found(pause_s: float, seed: int, count: int) -> None:
    law = classified(retries(Backoff(Policy.FIXED, pause_s, floor_s=0.1), seed, count))
    assert law.kind is RetryClass.CONSTANT
    assert law.backoff.base_s == pytest.approx(pause_s, rel=NOISE_SHARE, abs=0.1)
    assert law.samples == count


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=40))
def test_any_pauses_give_a_policy_or_a_sentence(pauses_s: list[float]) -> None:
    samples = [Sample(n, pause_s, pauses_s[n - 2] if n > 1 else None) for n, pause_s in enumerate(pauses_s, 1)]
    with suppress(TooFewSamples):
        least_s, most_s, _ = classified(samples).backoff.delay(3, interval_s=60.0)
        assert 0 <= least_s <= most_s


@pytest.mark.parametrize("stray", [0, 5, 11])
def test_one_sample_that_is_late_changes_nothing(stray: int) -> None:
    samples = retries(Backoff(Policy.EXPONENTIAL, 2.0, 60.0), 1)
    samples[stray] = samples[stray]._replace(pause_s=samples[stray].pause_s + 7.0)
    law = classified(samples)
    assert (law.kind, law.backoff.base_s, law.backoff.cap_s) == (RetryClass.EXPONENTIAL, 2.0, 60.0)


def test_a_device_that_pauses_as_after_an_answer_only_waits_for_its_next_poll() -> None:
    still = retries(Backoff(Policy.FIXED, 30.0), 1)
    assert classified(still, (30.01, 30.02, 30.0)).kind is RetryClass.NONE
    assert classified(still, (60.0, 60.1)).kind is RetryClass.CONSTANT
    drawn = retries(Backoff(Policy.FULL_JITTER, 33.0, 33.0, 27.0), 1)
    assert classified(drawn, (27.5, 32.8, 30.0, 31.0, 28.0)).kind is RetryClass.NONE
    assert classified(drawn, (30.0, 30.0)).kind is RetryClass.CONSTANT_JITTER


def test_a_cap_that_was_not_reached_is_said() -> None:
    law = classified(retries(Backoff(Policy.EXPONENTIAL, 1.0, 9_999.0), 1, 6))
    assert (law.backoff.cap_s, law.is_cap_seen) == (32.0, False)
    assert classified(retries(Backoff(Policy.EXPONENTIAL, 1.0, 8.0), 1, 6)).is_cap_seen


def test_of_many_samples_some_are_looked_at_and_all_are_counted() -> None:
    samples = [sample for seed in range(200) for sample in retries(Backoff(Policy.FULL_JITTER, 5.0, 300.0), seed)]
    law = classified(samples)
    assert (law.kind, law.samples, law) == (RetryClass.FULL_JITTER, 2_400, classified(samples))


@pytest.mark.parametrize("count", [1, 3])
def test_a_few_samples_are_too_few(count: int) -> None:
    with pytest.raises(TooFewSamples, match=f"{count} of at least 4 pauses between failed tries"):
        classified(retries(Backoff(Policy.FIXED), 1, count))


def test_samples_that_leave_two_kinds_are_too_few_and_say_what_they_look_like() -> None:
    with pytest.raises(TooFewSamples, match=r"^5 pauses between failed tries, which look like .*jitter \(\d\d%\)$"):
        classified(retries(Backoff(Policy.FULL_JITTER, 5.0, 300.0), 1, 5))


@pytest.mark.parametrize(("seconds", "even_s"), [(5.0033, 5.0), (119.8, 120.0), (64.1, 64.0), (1.55, 1.55), (0.0, 0.0)])
def test_numbers_are_told_with_as_few_digits_as_will_do(seconds: float, even_s: float) -> None:
    assert nice_s(seconds) == even_s
