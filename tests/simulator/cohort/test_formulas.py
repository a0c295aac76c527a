"""Each formula by what is known of it: the measured tables of the literature, limits, and sums that must be one."""

from __future__ import annotations

import math

import pytest

from fleetrig.simulator.backoff import Backoff, CircuitBreaker, Delay, Policy, RetryBudget
from fleetrig.simulator.cohort import formulas

T = 300.0


@pytest.mark.parametrize(("base_s", "of_cap"), [(5.0, 0.56), (1.0, 0.47)])
def test_decorrelated_jitter_settles_at_its_fixed_point(base_s: float, of_cap: float) -> None:
    assert formulas.decorrelated_mean_s(base_s, T) / T == pytest.approx(of_cap, abs=0.005)
    assert formulas.decorrelated_mean_s(T, T) == T


@pytest.mark.parametrize(
    ("delay", "mean_s"),
    [(Delay(5, 5), 5), (Delay(5, 15), 10), (Delay(0, 20, 10), 7.5), (Delay(20, 30, 10), 10), (Delay(5, 5, 9), 5)],
)
def test_the_mean_of_a_delay_counts_its_cap(delay: Delay, mean_s: float) -> None:
    assert formulas.mean_s(delay) == mean_s


@pytest.mark.parametrize(
    ("backoff", "settled_s"),
    [
        (Backoff(Policy.NONE), 300),
        (Backoff(Policy.FIXED, base_s=30.0), 30),
        (Backoff(Policy.LINEAR, base_s=5.0, cap_s=300.0), 300),
        (Backoff(Policy.EXPONENTIAL, base_s=5.0, cap_s=300.0), 300),
        (Backoff(Policy.FULL_JITTER, base_s=5.0, cap_s=300.0, floor_s=0.0), 150),
        (Backoff(Policy.EQUAL_JITTER, base_s=5.0, cap_s=300.0), 225),
        (Backoff(Policy.DECORRELATED_JITTER, base_s=5.0, cap_s=300.0), 0.562 * 300),
        (Backoff(Policy.FIXED, base_s=30.0, budget=RetryBudget()), 300),
        (Backoff(Policy.FIXED, base_s=30.0, breaker=CircuitBreaker(5, 600.0, 60.0)), 630),
        (Backoff(Policy.DECORRELATED_JITTER, breaker=CircuitBreaker(5, 600.0, 60.0)), 630),
    ],
)
def test_the_plateau_of_each_policy(backoff: Backoff, settled_s: float) -> None:
    assert formulas.settled_delay_s(backoff, T) == pytest.approx(settled_s, rel=1e-3)
    assert formulas.plateau_per_s(1_000_000, settled_s, 10.0) == pytest.approx(1_000_000 / (settled_s + 10))


def test_a_server_that_names_a_time_sets_the_plateau() -> None:
    obeys = Backoff(Policy.DECORRELATED_JITTER, retry_after_spread_s=240.0)
    assert formulas.settled_delay_s(obeys, T, retry_after_s=60.0) == 180
    deaf = Backoff(Policy.FIXED, base_s=30.0, honours_retry_after=False)
    assert formulas.settled_delay_s(deaf, T, retry_after_s=60.0) == 30
    assert formulas.settled_delay_s(Backoff(Policy.NONE), T, interval_jitter=0.2) == 330


def test_who_has_not_noticed_an_outage() -> None:
    shares = [formulas.unnoticed_share(outage_s, T, 0.1) for outage_s in (0, 150, 270, 300, 330, 900)]
    assert shares == pytest.approx([1, 0.5, 0.1, 30**2 / (2 * 60 * 300), 0, 0])
    assert formulas.unnoticed_share(150, T) == 0.5


@pytest.mark.parametrize(("outage_s", "per_s"), [(0, 1000), (150, 15_000 + 1000), (300, 9950 * 3 + 500), (600, 30_000)])
def test_the_first_second_of_a_recovery(outage_s: float, per_s: float) -> None:
    """300,000 devices that retry every 10 s: those who have noticed, and λ while anybody has not."""
    found = formulas.first_second_per_s(300_000, 10.0, outage_s, T, 0.1)
    assert found == pytest.approx(per_s, rel=0.03)
    assert formulas.first_second_per_s(300_000, 10.0, 150, T) == 16_000


@pytest.mark.parametrize(
    ("jitter", "factor", "cycles"), [(0.05, 0.984, 140), (0.1, 0.935, 34), (0.25, 0.637, 5.1), (0.5, 0, 0)]
)
def test_an_echo_shrinks_as_its_jitter_says(jitter: float, factor: float, cycles: float) -> None:
    """Factor of each cycle, and cycles until a tenth is left."""
    found = formulas.echo_factor(T * (1 - jitter), T * (1 + jitter))
    assert found == pytest.approx(factor, abs=0.001)
    assert formulas.cycles_until(0.1, found) == pytest.approx(cycles, rel=0.02, abs=0.1)


def test_one_sided_jitter_spreads_half_as_much() -> None:
    """T … T·(1 + J), as hawkBit's devices draw it, against T·(1 ± J)."""
    assert formulas.echo_factor(T, 1.2 * T) == pytest.approx(formulas.echo_factor(1.1 * T * 10 / 11, 1.1 * T * 12 / 11))
    assert formulas.echo_factor(T, T) == 1
    assert formulas.cycles_until(0.1, 1.0) == math.inf


def test_drains_and_capacities_are_each_others_reverse() -> None:
    assert formulas.drain_s(1_000_000, 3333, 5000) == pytest.approx(1_000_000 / 1667)
    assert formulas.drain_s(1_000, 100, 100) == math.inf
    needed = formulas.capacity_to_drain(1_000_000, 3333, 600)
    assert formulas.drain_s(1_000_000, 3333, needed) == pytest.approx(600)


def test_the_busiest_second_of_a_day() -> None:
    assert formulas.busiest_second_per_s(3333, 86_400) == pytest.approx(3580, rel=0.001)
