"""How likely pauses between tries are under each kind of jitter, whatever base and cap are: a mean over a grid of both.

One sample in fifty may be anything: a device that was busy, a packet that came late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STRAY: Final = 0.02
"""The share of samples that follow no law."""
NOISE_S, NOISE_SHARE = 0.05, 0.02
"""How much later a try may be seen than it was meant: by the network, and by clocks and sleeps that are not exact."""
STEPS: Final = 60
"""Of each side of the grid."""


class Sample(NamedTuple):
    """The pause after `failures` failures in a row, and the pause before it (None: it was the first)."""

    failures: int
    pause_s: float
    before_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """`evidence`: the logarithm of the mean likelihood. The two numbers are those that fit best, in the mean."""

    evidence: float
    base_s: float
    cap_s: float


def noise_s(pause_s: float) -> float:
    return NOISE_S + NOISE_SHARE * pause_s


Density = Callable[[Sample, Array, Array], Array]
"""Of one sample, for every base and every cap of the grid."""


def full(sample: Sample, base_s: Array, cap_s: Array) -> Array:
    """Even between 0 and the ceiling."""
    ceiling_s = _ceiling_s(sample, base_s, cap_s)
    return np.where(sample.pause_s <= ceiling_s + noise_s(sample.pause_s), 1 / ceiling_s, 0.0)


def full_from(floor_s: float) -> Density:
    """Even between a floor and the ceiling."""

    def density(sample: Sample, base_s: Array, cap_s: Array) -> Array:
        more_s = noise_s(sample.pause_s)
        ceiling_s = np.maximum(_ceiling_s(sample, base_s, cap_s), floor_s + more_s)
        return np.where(sample.pause_s <= ceiling_s + more_s, 1 / (ceiling_s - floor_s), 0.0)

    return density


def equal(sample: Sample, base_s: Array, cap_s: Array) -> Array:
    """Even between half the ceiling and the ceiling."""
    ceiling_s, more_s = _ceiling_s(sample, base_s, cap_s), noise_s(sample.pause_s)
    is_inside = (ceiling_s / 2 <= sample.pause_s + more_s / 4) & (sample.pause_s <= ceiling_s + more_s)
    return np.where(is_inside, 2 / ceiling_s, 0.0)


def decorrelated(sample: Sample, base_s: Array, cap_s: Array) -> Array:
    """Even between base and three times the pause before, and what is above the cap becomes the cap."""
    most_s = np.maximum(base_s * 1.001, 3 * (base_s if sample.before_s is None else sample.before_s))
    width_s, more_s = most_s - base_s, noise_s(sample.pause_s)
    is_inside = (base_s <= sample.pause_s + more_s / 4) & (sample.pause_s <= np.minimum(most_s, cap_s) + more_s)
    at_cap = np.where(np.abs(sample.pause_s - cap_s) <= more_s, np.maximum(0.0, most_s - cap_s) / (2 * more_s), 0.0)
    return (np.where(is_inside, 1.0, 0.0) + at_cap) / width_s


def constant(sample: Sample, least_s: Array, most_s: Array) -> Array:
    """Even between two bounds that do not grow."""
    more_s = noise_s(sample.pause_s)
    is_inside = (least_s <= sample.pause_s + more_s / 4) & (sample.pause_s <= most_s + more_s)
    return np.where(is_inside, 1 / (most_s - least_s), 0.0)


def fit(samples: Sequence[Sample], density: Density, *, grows: bool = True) -> Fit:
    """The larger of two numbers is the cap, or the upper bound. What grows begins at half its cap or below."""
    pauses = [sample.pause_s for sample in samples]
    least_s, most_s = max(0.01, min(pauses)), max(pauses)
    base_s = np.geomspace(least_s / 8, most_s / 2 if grows else most_s, 2 * STEPS)[:, np.newaxis]
    cap_s = np.geomspace(most_s * 0.98, most_s * 8, STEPS)[np.newaxis, :]
    stray = STRAY / (3 * most_s)
    likelihood = np.zeros((2 * STEPS, STEPS))
    for sample in samples:
        likelihood += np.log((1 - STRAY) * density(sample, base_s, np.maximum(cap_s, base_s * 1.001)) + stray)
    peak = float(likelihood.max())
    weights = np.exp(likelihood - peak)
    total = float(weights.sum())
    return Fit(
        peak + float(np.log(total / weights.size)),
        float(np.exp((weights * np.log(base_s)).sum() / total)),
        float(np.exp((weights * np.log(cap_s)).sum() / total)),
    )


def _ceiling_s(sample: Sample, base_s: Array, cap_s: Array) -> Array:
    return np.asarray(np.minimum(cap_s, base_s * 2.0 ** min(sample.failures - 1, 40)), np.float64)
