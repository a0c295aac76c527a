"""Which policy a device follows, told from its pauses between tries that failed.

Pauses that follow a law without chance are recognised by it; else the kind of jitter counts under which they are most
likely. Twelve pauses in a row are enough to tell one kind from another; fewer are said to be too few.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import Final

from fleetrig.harness.fleets.retry_likelihood import (
    Density,
    Fit,
    Sample,
    constant,
    decorrelated,
    equal,
    fit,
    full,
    full_from,
    noise_s,
)
from fleetrig.simulator.backoff import Backoff, Policy

LEAST_SAMPLES: Final = 4
ENOUGH: Final = 10
"""So many samples name a kind of jitter in any case."""
SURE: Final = 0.95
"""Fewer do, when it is so probable."""
AT_ONCE_S: Final = 0.25
FOLLOWS: Final = 0.9
"""The share of the samples that a law without chance must meet."""


MOST_FITTED: Final = 1_000
"""More samples make a fit slower and hardly better."""
CANDIDATES: Final = 12
"""So many early or late pauses are tried: one that is a stray is not the only one."""
USUAL_FLOOR_S: Final = 1.1
"""Of a second, and a little noise: below it the shortest pause may be a floor."""
CAP_UNSEEN: Final = 2.0
"""A cap so many times above the longest pause is a guess."""


class RetryClass(StrEnum):
    NONE = "none"
    """It waits for its next poll, as if nothing had failed."""
    IMMEDIATE = "immediate"
    CONSTANT = "constant"
    CONSTANT_JITTER = "constant with jitter"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"
    FULL_JITTER = "exponential with full jitter"
    EQUAL_JITTER = "exponential with equal jitter"
    DECORRELATED_JITTER = "decorrelated jitter"


@dataclass(frozen=True, slots=True)
class RetryLaw:
    """`share`: how much of a delay is drawn. `is_cap_seen`: False when delays still grew at the end."""

    kind: RetryClass
    backoff: Backoff
    samples: int
    share: float = 0.0
    is_cap_seen: bool = True
    probability: float = 1.0


class TooFewSamples(Exception):
    """Says how many there are, and what they look like so far."""


JITTERS: Final[tuple[tuple[RetryClass, Policy, Density], ...]] = (
    (RetryClass.FULL_JITTER, Policy.FULL_JITTER, full),
    (RetryClass.EQUAL_JITTER, Policy.EQUAL_JITTER, equal),
    (RetryClass.DECORRELATED_JITTER, Policy.DECORRELATED_JITTER, decorrelated),
    (RetryClass.CONSTANT_JITTER, Policy.FULL_JITTER, constant),
)
GROWTHS: Final[tuple[tuple[RetryClass, Policy, Callable[[int], float]], ...]] = (
    (RetryClass.EXPONENTIAL, Policy.EXPONENTIAL, lambda failures: 2.0 ** min(failures - 1, 40)),
    (RetryClass.LINEAR, Policy.LINEAR, float),
)


def classified(samples: Sequence[Sample], intervals_s: Sequence[float] = ()) -> RetryLaw:
    """`intervals_s`: pauses after an answer. Raises TooFewSamples."""
    if len(samples) < LEAST_SAMPLES:
        raise TooFewSamples(f"{len(samples)} of at least {LEAST_SAMPLES} pauses between failed tries")
    law = law_without_chance(samples) or _with_jitter(samples)
    if law.kind in (RetryClass.CONSTANT, RetryClass.CONSTANT_JITTER) and _is_rhythm(samples, intervals_s):
        return replace(law, kind=RetryClass.NONE, backoff=Backoff(Policy.NONE))
    return law


def law_without_chance(samples: Sequence[Sample]) -> RetryLaw | None:
    pauses = [sample.pause_s for sample in samples]
    if max(pauses) <= AT_ONCE_S:
        return RetryLaw(RetryClass.IMMEDIATE, Backoff(Policy.IMMEDIATE), len(samples))
    usual_s = median(pauses)
    if _follows([(pause_s, usual_s) for pause_s in pauses]):
        even_s = nice_s(usual_s)
        backoff = Backoff(Policy.FIXED, even_s, even_s, floor_s=min(1.0, even_s))
        return RetryLaw(RetryClass.CONSTANT, backoff, len(samples))
    found = (_growing(samples, *growth) for growth in GROWTHS)
    return next(filter(None, found), None)


def _growing(
    samples: Sequence[Sample], kind: RetryClass, policy: Policy, steps: Callable[[int], float]
) -> RetryLaw | None:
    """Early pauses are taken to tell the base, one by one, and late ones the cap."""
    by_failures = sorted(samples, key=lambda one: one.failures)
    most_s = max(sample.pause_s for sample in samples)
    for base_s in (sample.pause_s / steps(sample.failures) for sample in by_failures[:CANDIDATES]):
        for cap_s in (math.inf, *sorted({sample.pause_s for sample in by_failures[-CANDIDATES:]}, reverse=True)):
            if _follows([(one.pause_s, min(cap_s, base_s * steps(one.failures))) for one in samples]):
                even_s, is_cap_seen = nice_s(base_s), cap_s < math.inf
                cap_s = nice_s(cap_s if is_cap_seen else most_s)
                backoff = Backoff(policy, even_s, cap_s, floor_s=min(1.0, even_s))
                return RetryLaw(kind, backoff, len(samples), is_cap_seen=is_cap_seen)
    return None


def _follows(pairs: Sequence[tuple[float, float]]) -> bool:
    """Pauses, and what the law says of each."""
    near = sum(abs(pause_s - law_s) <= noise_s(law_s) for pause_s, law_s in pairs)
    return near >= math.ceil(FOLLOWS * len(pairs))


def _with_jitter(samples: Sequence[Sample]) -> RetryLaw:
    fits = list(_fits(samples))
    kind, policy, best = max(fits, key=lambda each: each[2].evidence)
    likely = [(each_kind, math.exp(each.evidence - best.evidence)) for each_kind, _, each in fits]
    probability = sum(part for each_kind, part in likely if each_kind is kind) / sum(part for _, part in likely)
    if len(samples) < ENOUGH and probability < SURE:
        raise TooFewSamples(f"{len(samples)} pauses between failed tries, which look like {kind} ({probability:.0%})")
    most_s = max(sample.pause_s for sample in samples)
    if kind is RetryClass.CONSTANT_JITTER:
        return _between(samples, probability)
    is_cap_seen = best.cap_s < CAP_UNSEEN * most_s
    # What noise may add is no reason for a cap below the longest pause.
    nearly_s = (one.pause_s for one in samples if one.pause_s <= best.cap_s + noise_s(best.cap_s))
    cap_s = max(best.cap_s, *nearly_s, 0.0)
    backoff = Backoff(policy, nice_s(best.base_s), nice_s(min(cap_s, CAP_UNSEEN * most_s)))
    backoff = replace(backoff, floor_s=min(1.0, _least_s(samples)))
    share = {RetryClass.FULL_JITTER: 1.0, RetryClass.EQUAL_JITTER: 0.5}.get(kind, _share(best))
    return RetryLaw(kind, backoff, len(samples), share, is_cap_seen, probability)


def _fits(samples: Sequence[Sample]) -> Iterator[tuple[RetryClass, Policy, Fit]]:
    if len(samples) > MOST_FITTED:  # always the same of them
        samples = random.Random(1).sample(samples, MOST_FITTED)
    for kind, policy, density in JITTERS:
        yield kind, policy, fit(samples, density, grows=kind is not RetryClass.CONSTANT_JITTER)
    if (least_s := _least_s(samples)) <= USUAL_FLOOR_S:
        floored = fit(samples, full_from(least_s))
        # A number more to choose than the others have: it must explain that much more.
        evidence = floored.evidence - math.log(len(samples))
        yield RetryClass.FULL_JITTER, Policy.FULL_JITTER, replace(floored, evidence=evidence)


def _between(samples: Sequence[Sample], probability: float) -> RetryLaw:
    """Even between the shortest pause and the longest, each a little further out than it was seen."""
    pauses = [sample.pause_s for sample in samples]
    beyond_s = (max(pauses) - min(pauses)) / (len(pauses) - 1)
    least_s, most_s = nice_s(max(0.0, min(pauses) - beyond_s)), nice_s(max(pauses) + beyond_s)
    backoff = Backoff(Policy.FULL_JITTER, most_s, most_s, floor_s=least_s)
    share = (most_s - least_s) / most_s
    return RetryLaw(RetryClass.CONSTANT_JITTER, backoff, len(samples), share, probability=probability)


def _share(best: Fit) -> float:
    return 1 - best.base_s / best.cap_s


def _least_s(samples: Sequence[Sample]) -> float:
    return min(sample.pause_s for sample in samples)


def _is_rhythm(samples: Sequence[Sample], intervals_s: Sequence[float]) -> bool:
    """The pauses after failures are those after answers."""
    if len(intervals_s) < 2:
        return False
    usual_s, pauses = median(intervals_s), [sample.pause_s for sample in samples]
    near_s = 2 * noise_s(usual_s)
    longest_s, shortest_s = max(intervals_s), min(intervals_s)
    return abs(median(pauses) - usual_s) <= near_s + (longest_s - shortest_s) / 2 and (
        shortest_s - near_s <= min(pauses) and max(pauses) <= longest_s + near_s
    )


def nice_s(seconds: float) -> float:
    """With as few digits as come near enough: 5.0033 is 5, 119.8 is 120."""
    for digits in (1, 2, 3):
        even = round(seconds, digits - 1 - math.floor(math.log10(seconds))) if seconds > 0 else 0.0
        if even and abs(even - seconds) <= noise_s(seconds) / 2:
            return float(even)
    return round(seconds, 3)
