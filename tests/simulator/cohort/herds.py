"""A polling fleet that meets an outage, with several seeds: its mean requests a second, and the figures of a run."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fleetrig.simulator.backoff import Backoff
from fleetrig.simulator.cohort.arrays import ArrayFleet
from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.cohort.model import Cohort, Disruption, FleetModel, RetryRule, ServerModel, Starts
from tests.simulator.cohort.expected_rates import PollingFleet

S = 1_000_000
BEGINS_S = 10
"""The fleet is steady from the first second on; so long it is left alone."""


def retry_rule(backoff: Backoff) -> RetryRule:
    first_s = backoff.first_s
    return RetryRule(
        backoff.policy,
        base_us=round(backoff.base_s * S),
        cap_us=round(backoff.cap_s * S),
        floor_us=round(backoff.floor_s * S),
        retry_after_spread_us=round(backoff.retry_after_spread_s * S),
        honours_retry_after=backoff.honours_retry_after,
        first_us=None if first_s is None else (round(first_s[0] * S), round(first_s[1] * S)),
    )


def herd(
    fleet: PollingFleet,
    outage_s: float,
    until_s: int,
    *,
    seed: int = 1,
    server: ServerModel | None = None,
    timeout_s: float = 10.0,
    disruption: Disruption | None = None,
) -> FleetFigures:
    """Runs until so many seconds after the beginning of the outage."""
    interval_us = (round(fleet.least_s * S), round(fleet.most_s * S))
    cohort = Cohort("herd", fleet.count, interval_us, retry_rule(fleet.backoff), timeout_us=round(timeout_s * S))
    engine = ArrayFleet(FleetModel((cohort,), server or ServerModel(), seed=seed))
    engine.start(range(fleet.count), Starts(in_equilibrium=True))
    engine.disrupt(disruption or Disruption(BEGINS_S * S, round((BEGINS_S + outage_s) * S)))
    engine.run_until((BEGINS_S + until_s) * S)
    return engine.figures


def mean_rates(fleet: PollingFleet, outage_s: float, until_s: int, seeds: Iterable[int]) -> np.ndarray:
    """Requests a second, from the beginning of the outage on, in the mean of several seeds."""
    runs = [herd(fleet, outage_s, until_s, seed=seed).cohorts[0].requests[BEGINS_S:] for seed in seeds]
    return np.asarray(np.mean(runs, axis=0), np.float64)


def tens(rates: np.ndarray) -> np.ndarray:
    """Means over ten seconds: element i is of those from second i on."""
    return np.convolve(rates, np.full(10, 0.1), "valid")
