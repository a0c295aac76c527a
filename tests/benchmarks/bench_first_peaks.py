"""The first peak after an outage of 20 minutes, counted and computed: 50,000 devices that poll every 5 minutes ± 10 %.

Twenty seeds of each policy. A peak is the highest mean over ten seconds of the first interval: the computed curve says
where it is, and the counted one is looked at there.
"""

from __future__ import annotations

import pytest

from fleetrig.harness.fleets.confidence import estimate
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.client_policies import CLIENT_POLICIES
from fleetrig.simulator.cohort.formulas import settled_delay_s
from tests.benchmarks.measure import show
from tests.simulator.cohort.expected_rates import PollingFleet, expected_rates
from tests.simulator.cohort.herds import BEGINS_S, herd, tens

DEVICES, SEEDS = 50_000, 20
OUTAGE_S, AFTER_S = 1_200, 310
WITHIN = 0.02
OFTEN_S = 15.0
"""Who comes so often makes so many requests that two seeds say as much as twenty of the others."""

POLICIES = {
    "none": Backoff(Policy.NONE),
    "fixed 30 s": Backoff(Policy.FIXED, base_s=30.0),
    "linear 10 s to 300 s": Backoff(Policy.LINEAR, base_s=10.0),
    "exponential 5 s to 300 s": Backoff(Policy.EXPONENTIAL),
    "equal jitter 5 s to 300 s": Backoff(Policy.EQUAL_JITTER),
    "full jitter 5 s to 300 s": Backoff(Policy.FULL_JITTER),
    "decorrelated jitter 5 s to 300 s": Backoff(Policy.DECORRELATED_JITTER),
    **{f"as {client}": policy.backoff for client, policy in CLIENT_POLICIES.items()},
}


def bench_first_peaks() -> None:
    print()
    for name, backoff in POLICIES.items():
        fleet = PollingFleet(DEVICES, 270.0, 330.0, backoff)
        computed = tens(expected_rates(fleet, OUTAGE_S, OUTAGE_S + AFTER_S))
        at_s = OUTAGE_S + int(computed[OUTAGE_S : OUTAGE_S + 300].argmax())
        seeds = SEEDS if settled_delay_s(backoff, 270.0) > OFTEN_S else 2
        counted = estimate([_counted(fleet, seed, at_s) for seed in range(1, seeds + 1)])
        expected = float(computed[at_s]) / fleet.steady_per_s
        off = counted.mean / expected - 1
        show(
            f"first peak, {name}",
            f"{counted} times the steady rate, computed {expected:.3g} ({off:+.1%}), {at_s - OUTAGE_S} s after",
            f"within {WITHIN:.0%}",
        )
        assert counted.mean == pytest.approx(expected, rel=WITHIN), name


def _counted(fleet: PollingFleet, seed: int, at_s: int) -> float:
    requests = herd(fleet, OUTAGE_S, at_s + 10, seed=seed).cohorts[0].requests[BEGINS_S:]
    return float(requests[at_s : at_s + 10].mean()) / fleet.steady_per_s
