"""Devices of every class, made with the draws of a `Backoff` and a little noise of a network."""

from __future__ import annotations

import random

from fleetrig.harness.fleets.retry_classes import RetryClass
from fleetrig.harness.fleets.retry_likelihood import Sample
from fleetrig.simulator.backoff import Backoff, Policy

WANTED = 12
NOISE_S = 0.03
INTERVAL_S = 300.0


def jitter(policy: Policy, base_s: float, cap_s: float, floor_s: float = 1.0) -> Backoff:
    return Backoff(policy, base_s, cap_s, floor_s)


CLASSES: list[tuple[RetryClass, Backoff]] = [
    (RetryClass.IMMEDIATE, Backoff(Policy.IMMEDIATE)),
    (RetryClass.CONSTANT, Backoff(Policy.FIXED, 30.0)),
    (RetryClass.CONSTANT, Backoff(Policy.FIXED, 1.0)),
    (RetryClass.LINEAR, jitter(Policy.LINEAR, 5.0, 300.0)),
    (RetryClass.LINEAR, jitter(Policy.LINEAR, 10.0, 60.0)),
    (RetryClass.EXPONENTIAL, jitter(Policy.EXPONENTIAL, 1.0, 120.0)),
    (RetryClass.EXPONENTIAL, jitter(Policy.EXPONENTIAL, 5.0, 300.0)),
    (RetryClass.EXPONENTIAL, jitter(Policy.EXPONENTIAL, 2.0, 30.0)),
    (RetryClass.FULL_JITTER, jitter(Policy.FULL_JITTER, 5.0, 300.0)),
    (RetryClass.FULL_JITTER, jitter(Policy.FULL_JITTER, 1.0, 120.0, 0.1)),
    (RetryClass.FULL_JITTER, jitter(Policy.FULL_JITTER, 2.0, 600.0, 0.5)),
    (RetryClass.EQUAL_JITTER, jitter(Policy.EQUAL_JITTER, 5.0, 300.0)),
    (RetryClass.EQUAL_JITTER, jitter(Policy.EQUAL_JITTER, 1.0, 60.0)),
    (RetryClass.EQUAL_JITTER, jitter(Policy.EQUAL_JITTER, 2.0, 30.0)),
    (RetryClass.DECORRELATED_JITTER, jitter(Policy.DECORRELATED_JITTER, 5.0, 300.0)),
    (RetryClass.DECORRELATED_JITTER, jitter(Policy.DECORRELATED_JITTER, 1.0, 120.0)),
    (RetryClass.DECORRELATED_JITTER, jitter(Policy.DECORRELATED_JITTER, 2.0, 60.0)),
    (RetryClass.CONSTANT_JITTER, jitter(Policy.FULL_JITTER, 33.0, 33.0, 27.0)),
    (RetryClass.CONSTANT_JITTER, jitter(Policy.FULL_JITTER, 70.0, 70.0, 50.0)),
]


def retries(backoff: Backoff, seed: int, count: int = WANTED) -> list[Sample]:
    """One row of failures."""
    chance = random.Random(f"{seed}/{backoff}")
    samples: list[Sample] = []
    delay_s: float | None = None
    for failures in range(1, count + 1):
        least_s, most_s, cap_s = backoff.delay(failures, interval_s=INTERVAL_S, previous_s=delay_s)
        delay_s = min(cap_s, least_s + (most_s - least_s) * chance.random())
        seen_s = delay_s + NOISE_S * chance.random()
        samples.append(Sample(failures, seen_s, samples[-1].pause_s if samples else None))
    return samples
