"""What can be said of a fleet without running it: rates, drains and echoes, each by its formula.

N devices poll every T ± jitter, so that λ = N/T requests a second are usual. While nobody answers, each device tries
once in the mean delay E of its policy: the plateau N/E. On recovery the first second has the plateau of those who have
noticed, and the usual polls of the others. Our tests compute it second by second, and before the plateau is reached.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np

from fleetrig.simulator.backoff import Backoff, Delay, Policy

SETTLED: Final = 64
"""Failures in a row after which no policy's delays grow any more."""
CELLS: Final = 4_000
ROUNDS: Final = 200


def mean_s(delay: Delay) -> float:
    """Of what is drawn evenly from the range, and cut at its cap."""
    least_s, most_s, cap_s = delay
    if cap_s >= most_s:
        return (least_s + most_s) / 2
    if cap_s <= least_s:
        return cap_s
    above = (most_s - cap_s) / (most_s - least_s)
    return (1 - above) * (least_s + cap_s) / 2 + above * cap_s


def settled_delay_s(
    backoff: Backoff, interval_s: float, *, interval_jitter: float = 0.0, retry_after_s: float | None = None
) -> float:
    """The mean delay after many failures in a row. Where there is a budget, its tokens are spent by then."""
    delay = backoff.delay(
        SETTLED,
        interval_s=interval_s,
        interval_jitter=interval_jitter,
        retry_after_s=retry_after_s,
        has_token=backoff.budget is None,
        previous_s=backoff.cap_s,
    )
    is_drawn_from_the_last = (
        backoff.policy is Policy.DECORRELATED_JITTER
        and backoff.asked(retry_after_s) is None
        and backoff.budget is None
        and not backoff.is_open(SETTLED)
    )
    return decorrelated_mean_s(backoff.base_s, backoff.cap_s) if is_drawn_from_the_last else mean_s(delay)


def decorrelated_mean_s(base_s: float, cap_s: float) -> float:
    """The fixed point of x -> min(cap, U(base, 3x)): its distribution, step by step, until it stays.

    Cells of equal width between base and cap, and one mass at the cap itself.
    """
    if cap_s <= base_s:
        return cap_s
    edges = np.linspace(base_s, cap_s, CELLS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    at_cap, mass = 0.0, np.full(CELLS, 1 / CELLS)
    mean = 0.0
    for _ in range(ROUNDS):
        before, mean = mean, float(mass @ middles) + at_cap * cap_s
        if abs(mean - before) < 1e-9 * cap_s:
            break
        mass, at_cap = _next_decorrelated(middles, mass, at_cap, base_s, cap_s)
    return mean


def _next_decorrelated(
    middles: np.ndarray, mass: np.ndarray, at_cap: float, base_s: float, cap_s: float
) -> tuple[np.ndarray, float]:
    from_s, share = np.append(middles, cap_s), np.append(mass, at_cap)
    density = share / (3 * from_s - base_s)
    beyond = float(np.sum(density * np.maximum(0.0, 3 * from_s - cap_s)))
    reaching = np.append(np.cumsum(density[::-1])[::-1], 0.0)
    following = reaching[np.searchsorted(3 * from_s, middles)] * (middles[1] - middles[0])
    return following * (1 - beyond) / max(float(following.sum()), 1e-300), beyond


def plateau_per_s(count: int, delay_s: float, notice_s: float = 0.0) -> float:
    """Requests a second of devices that are not answered. `notice_s`: how long each waits to learn that."""
    return count / (delay_s + notice_s)


def first_second_per_s(count: int, delay_s: float, outage_s: float, interval_s: float, jitter: float = 0.0) -> float:
    """Of a recovery: the plateau of those who have noticed the outage, and the usual polls of those who have not.

    Usual polls come at λ·P(interval > outage): all of λ while the outage is shorter than any interval.
    """
    noticed = 1 - unnoticed_share(outage_s, interval_s, jitter)
    width_s = 2 * jitter * interval_s
    longer = interval_s * (1 + jitter) - outage_s
    still = min(1.0, max(0.0, longer / width_s)) if width_s else float(longer > 0)
    return plateau_per_s(count, delay_s) * noticed + count / interval_s * still


def unnoticed_share(outage_s: float, interval_s: float, jitter: float = 0.0) -> float:
    """Devices that have not polled during an outage, of a fleet whose intervals are drawn from T·(1 ± jitter).

    The residual life of an interval, which is its density P(interval > x)/T, beyond the outage.
    """
    least_s, most_s = interval_s * (1 - jitter), interval_s * (1 + jitter)
    if outage_s >= most_s:
        return 0.0
    if outage_s <= least_s:
        return 1 - outage_s / interval_s
    return (most_s - outage_s) ** 2 / (2 * (most_s - least_s) * interval_s)


def drain_s(count: int, steady_per_s: float, capacity_per_s: float) -> float:
    """How long a server needs until all have been answered once: it has C − λ to spare. Infinite where it has none."""
    spare = capacity_per_s - steady_per_s
    return count / spare if spare > 0 else math.inf


def capacity_to_drain(count: int, steady_per_s: float, within_s: float) -> float:
    """The capacity with which all have been answered once within that time."""
    return steady_per_s + count / within_s


def echo_factor(least_s: float, most_s: float) -> float:
    """What one interval, drawn evenly from this range, leaves of a wave of its own mean period: |sin x / x|.

    For T·(1 ± J) x = 2πJ; for one-sided jitter, T … T·(1 + J), x = πJ/(1 + J/2): half as much spread about its mean.
    """
    mean = (least_s + most_s) / 2
    x = math.pi * (most_s - least_s) / mean if mean else 0.0
    return abs(math.sin(x) / x) if x else 1.0


def cycles_until(share: float, factor: float) -> float:
    """Intervals until a wave is down to this share of itself; infinite where nothing spreads it."""
    if factor >= 1:
        return math.inf
    return 0.0 if factor <= 0 else max(0.0, math.log(share) / math.log(factor))


def busiest_second_per_s(steady_per_s: float, seconds: int) -> float:
    """The highest of so many seconds of a fleet of independent devices: λ + 4.3·√λ for a day. More is structure."""
    return steady_per_s + NormalDist().inv_cdf(1 - 1 / max(2, seconds)) * math.sqrt(steady_per_s)
