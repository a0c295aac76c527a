"""The computed curve of an outage against the array engine's: the same mean, the same first peak, for every policy."""

from __future__ import annotations

import pytest

from fleetrig.simulator.backoff import Backoff, Policy, RetryBudget
from fleetrig.simulator.cohort import formulas
from fleetrig.simulator.cohort.model import Disruption, Unanswered
from tests.simulator.cohort.expected_rates import PollingFleet, expected_rates
from tests.simulator.cohort.herds import BEGINS_S, S, herd, mean_rates, tens

WAITS = [
    Backoff(Policy.NONE),
    Backoff(Policy.FIXED, base_s=30.0),
    Backoff(Policy.FIXED, base_s=60.0, first_s=(1.0, 11.0)),
    Backoff(Policy.LINEAR, base_s=10.0, cap_s=120.0),
    Backoff(Policy.FULL_JITTER, base_s=0.5, cap_s=30.0, floor_s=0.1),
    Backoff(Policy.EXPONENTIAL, base_s=5.0, cap_s=120.0),
    Backoff(Policy.EQUAL_JITTER, base_s=5.0, cap_s=120.0),
    Backoff(Policy.FULL_JITTER, base_s=5.0, cap_s=120.0),
    Backoff(Policy.DECORRELATED_JITTER, base_s=5.0, cap_s=120.0),
]
LAMBDA_MULTIPLES = {
    "fixed": (Backoff(Policy.FIXED, base_s=30.0), 8.87),
    "exponential": (Backoff(Policy.EXPONENTIAL), 2.24),
    "equal": (Backoff(Policy.EQUAL_JITTER), 2.53),
    "full": (Backoff(Policy.FULL_JITTER), 3.15),
    "decorrelated": (Backoff(Policy.DECORRELATED_JITTER), 3.53),
}
"""Mean rates that another engine has measured: a million devices, T = 300 s ± 10 %, 20 minutes, 5 s up to 300 s."""


@pytest.mark.parametrize("backoff", WAITS, ids=lambda backoff: f"{backoff.policy}-{backoff.base_s:g}")
def test_the_first_peak_is_where_the_formula_has_it(backoff: Backoff) -> None:
    """To 2 %: 40,000 devices, three seeds, means over ten seconds; the bench has 50,000 and twenty."""
    count = 40_000 if backoff.cap_s > 100 else 10_000  # of those that come four times as often
    fleet, outage_s, until_s = PollingFleet(count, 108.0, 132.0, backoff), 600, 900
    counted = tens(mean_rates(fleet, outage_s, until_s, range(1, 4)))
    computed = tens(expected_rates(fleet, outage_s, until_s))
    peak = outage_s + int(computed[outage_s : outage_s + 120].argmax())

    assert counted[peak] == pytest.approx(computed[peak], rel=0.02)
    assert counted[:outage_s].mean() == pytest.approx(computed[:outage_s].mean(), rel=0.005)


@pytest.mark.parametrize("name", LAMBDA_MULTIPLES)
def test_means_that_another_engine_has_measured(name: str) -> None:
    backoff, expected = LAMBDA_MULTIPLES[name]
    fleet = PollingFleet(1_000_000, 270.0, 330.0, backoff)
    assert expected_rates(fleet, 1200, 1200).mean() / fleet.steady_per_s == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("backoff", [each for each in WAITS if each.policy is not Policy.NONE and not each.first_s],
                         ids=lambda backoff: f"{backoff.policy}-{backoff.base_s:g}")  # fmt: skip
def test_a_long_outage_settles_at_the_plateau(backoff: Backoff) -> None:
    fleet = PollingFleet(10_000, 108.0, 132.0, backoff)
    late = expected_rates(fleet, 14_400, 14_400)[-1_200:]
    plateau = formulas.plateau_per_s(fleet.count, formulas.settled_delay_s(backoff, 108.0))
    assert late.mean() == pytest.approx(plateau, rel=0.01)


def test_in_the_first_second_those_come_too_who_have_not_noticed() -> None:
    """Of a short outage: the retries, and the usual polls of the others."""
    fleet = PollingFleet(300_000, 270.0, 330.0, Backoff(Policy.FIXED, base_s=10.0))
    for outage_s in (60, 120, 240):
        computed = expected_rates(fleet, outage_s, outage_s + 1)[outage_s]
        assert computed == pytest.approx(formulas.first_second_per_s(fleet.count, 10.0, outage_s, 300.0, 0.1), rel=0.02)


def test_a_front_that_names_a_time_has_its_own_curve() -> None:
    backoff = Backoff(Policy.FIXED, base_s=30.0, retry_after_spread_s=60.0)
    fleet = PollingFleet(40_000, 108.0, 132.0, backoff, retry_after_s=60.0)
    outage_us = (BEGINS_S * S, (BEGINS_S + 600) * S)
    told = Disruption(*outage_us, answer=Unanswered.TURNED_AWAY, retry_after_us=60 * S)
    counted = herd(fleet, 600, 600, disruption=told).cohorts[0].requests[BEGINS_S:]
    computed = expected_rates(fleet, 600, 600)
    assert counted.mean() == pytest.approx(computed.mean(), rel=0.005)
    assert computed[-60:].mean() == pytest.approx(formulas.plateau_per_s(40_000, 90.0), rel=0.02)


@pytest.mark.parametrize("backoff", [Backoff(Policy.IMMEDIATE), Backoff(budget=RetryBudget())])
def test_what_has_no_such_curve(backoff: Backoff) -> None:
    with pytest.raises(ValueError, match="expected a policy without a budget that waits at all"):
        expected_rates(PollingFleet(10, 100.0, 120.0, backoff), 60, 60)
