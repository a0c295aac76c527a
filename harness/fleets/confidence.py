"""The mean over several seeds, and how far off it may be: a confidence interval of 95 %."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import Final

STUDENT: Final = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""Student's t at 97.5 %, for 1, 2, 3 … degrees of freedom; beyond, the normal distribution is within 4 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`half_width`: the true mean lies so near in 95 of 100 cases; infinite for a single value."""

    mean: float
    half_width: float
    count: int

    def __str__(self) -> str:
        if self.count == 1:
            return f"{self.mean:,.3g} (one seed)"
        return f"{self.mean:,.3g} ± {self.half_width:.2g}"


def estimate(values: Sequence[float]) -> Estimate:
    """Raises ValueError where there are none."""
    if not values:
        raise ValueError("expected at least one value to take the mean of")
    count = len(values)
    if count == 1:
        return Estimate(values[0], math.inf, 1)
    at = count - 2
    times = STUDENT[at] if at < len(STUDENT) else NormalDist().inv_cdf(0.975)
    return Estimate(fmean(values), times * stdev(values) / math.sqrt(count), count)
