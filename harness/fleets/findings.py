"""What the figures of a fleet tell: how high the peak was, when it was quiet again, what capacity that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fleetrig.harness.fleets.capacity_need import capacity_needed, offered
from fleetrig.harness.fleets.collapse import Collapse, collapse_of
from fleetrig.harness.fleets.echo import Echo, echo_of, likeness
from fleetrig.harness.fleets.fleet_curves import MEAN_OVER_S, FleetCurves, fleet_curves
from fleetrig.harness.fleets.steady_state import steady_from_s
from fleetrig.simulator.cohort.figures import Counts, FleetFigures
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.drivers.load.histogram import Histogram

WAITING_S: Final = 2.0
"""Of the server for which a capacity is named, where nothing else is asked: nobody who is served waits longer."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known beside the figures."""

    steady_per_s: float
    """Requests a second of the fleet when nothing is wrong; 0 for a fleet of connected devices."""
    interval_us: int
    """The mean time between two polls of a device; 0 for connected devices."""
    outage_us: tuple[int, int] | None
    """The fault whose end counts as the recovery; None: all is counted from the beginning of the run."""
    capacity_per_s: float | None
    count: int
    """Devices."""

    @property
    def interval_s(self) -> int:
        return round(self.interval_us / US_PER_S)

    @property
    def outage_s(self) -> tuple[int, int] | None:
        """All seconds that it has touched."""
        if self.outage_us is None:
            return None
        return self.outage_us[0] // US_PER_S, -(-self.outage_us[1] // US_PER_S)

    @property
    def recovers_at_s(self) -> int:
        return 0 if self.outage_s is None else self.outage_s[1]


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest second of a stretch of the run."""

    at_s: int
    per_s: int
    times_steady: float | None
    """None for a fleet whose steady rate is 0."""


@dataclass(frozen=True, slots=True)
class OnlineTimes:
    """From power-on, or from the failure that took a device off, to its answer, in seconds."""

    p50_s: float
    p90_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Return:
    """How those came back who were cut off when the fault ended. Times count from then, in seconds."""

    cut_off: int
    """Devices."""
    half_s: int | None
    """Until half of them were online for good; None: not within the run."""
    most_s: int | None
    """90 of 100."""
    nearly_all_s: int | None
    """99 of 100."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one run. What is «after» counts from the end of the fault."""

    situation: Situation
    curves: FleetCurves
    peak: Peak
    """Of the whole run."""
    peak_after: Peak
    first_second: Peak
    """The first whole second after."""
    plateau_per_s: float | None
    """The mean rate while the fault lasted."""
    retry_ratio: float
    """Retries for each request that is none."""
    steady_after_s: int | None
    """Until the fleet was steady again; None: not within the run."""
    quiet_after_s: int | None
    """Until the last request that failed; None: one failed in the last interval of the run."""
    echo: Echo
    likeness: float | None
    """Autocorrelation of the rate at one interval, after."""
    time_to_online: OnlineTimes | None
    comes_back: Return | None
    """None where there was no fault, or nobody was cut off when it ended."""
    capacity_needed_per_s: float
    """For nobody to be turned away, by a server with a queue of `WAITING_S`."""
    collapse: Collapse | None
    offline_at_end: int | None
    """Devices that were online once and are not any more; None where nobody came online."""

    @property
    def rejected(self) -> int:
        return int(self.curves.turned_away.sum())

    @property
    def late(self) -> int:
        return int(self.curves.late.sum())

    @property
    def requests(self) -> int:
        return int(self.curves.requests.sum())

    @property
    def survives(self) -> bool:
        """The fleet came back: nobody fails any more."""
        return self.collapse is None and self.quiet_after_s is not None


def findings_of(figures: FleetFigures, situation: Situation, *, waiting_s: float = WAITING_S) -> Findings:
    curves = fleet_curves(figures)
    recovers_s, steady = situation.recovers_at_s, situation.steady_per_s
    period_s = situation.interval_us / US_PER_S
    originals = int((curves.requests - curves.retries).sum())
    steady_s = steady_from_s(curves.requests, steady, situation.interval_s, recovers_s)
    return Findings(
        situation=situation,
        curves=curves,
        peak=peak_of(curves.requests, 0, curves.seconds, steady),
        peak_after=peak_of(curves.requests, recovers_s, curves.seconds, steady),
        first_second=peak_of(curves.requests, recovers_s, recovers_s + 1, steady),
        plateau_per_s=_plateau(curves.requests, situation.outage_s),
        retry_ratio=int(curves.retries.sum()) / originals if originals else 0.0,
        steady_after_s=None if steady_s is None else steady_s - recovers_s,
        quiet_after_s=_quiet_after_s(curves.failed, recovers_s, max(situation.interval_s, MEAN_OVER_S)),
        echo=echo_of(curves.requests, steady, period_s, recovers_s),
        likeness=likeness(curves.requests, steady, period_s, recovers_s),
        time_to_online=time_to_online(figures),
        comes_back=None if situation.outage_us is None else return_of(curves, recovers_s),
        capacity_needed_per_s=capacity_needed(offered(curves.requests, situation.outage_s), waiting_s=waiting_s),
        collapse=collapse_of(
            curves, steady_per_s=steady, capacity_per_s=situation.capacity_per_s, interval_s=situation.interval_s,
            from_s=recovers_s,
        ),
        offline_at_end=_offline(curves),
    )  # fmt: skip


def peak_of(requests: Counts, from_s: int, until_s: int, steady_per_s: float) -> Peak:
    """The first of the busiest seconds."""
    stretch = requests[from_s:until_s]
    if not stretch.size:
        return Peak(from_s, 0, 0.0 if steady_per_s else None)
    second = int(stretch.argmax())
    per_s = int(stretch[second])
    return Peak(from_s + second, per_s, per_s / steady_per_s if steady_per_s else None)


def time_to_online(figures: FleetFigures) -> OnlineTimes | None:
    histogram = Histogram(figures.time_to_online)
    p50_s, p90_s, p99_s = (histogram.percentile_s(share) for share in (0.5, 0.9, 0.99))
    if p50_s is None or p90_s is None or p99_s is None:
        return None
    return OnlineTimes(p50_s, p90_s, p99_s)


def return_of(curves: FleetCurves, from_s: int) -> Return | None:
    """Who fails again after a first answer is not back yet."""
    online = np.cumsum(curves.came_online - curves.went_offline)
    missing = int(online[:from_s].max(initial=0)) - online
    cut_off = int(missing[from_s - 1]) if 0 < from_s <= len(missing) else 0
    if cut_off <= 0:
        return None

    def until(percent: int) -> int | None:
        """No more than the rest are missing from here on."""
        over = np.flatnonzero(missing[from_s:] * 100 > (100 - percent) * cut_off)
        after_s = int(over[-1]) + 1 if over.size else 0
        return after_s if from_s + after_s < len(missing) else None

    return Return(cut_off, until(50), until(90), until(99))


def _plateau(requests: Counts, outage_s: tuple[int, int] | None) -> float | None:
    if outage_s is None or not (during := requests[outage_s[0] : outage_s[1]]).size:
        return None
    return float(during.mean())


def _quiet_after_s(failed: Counts, from_s: int, calm_s: int) -> int | None:
    bad = failed[from_s:].nonzero()[0]
    after = int(bad[-1]) + 1 if bad.size else 0
    return after if len(failed) - from_s - after >= calm_s else None


def _offline(curves: FleetCurves) -> int | None:
    came, went = int(curves.came_online.sum()), int(curves.went_offline.sum())
    return max(0, int((curves.came_online - curves.went_offline).cumsum().max()) - (came - went)) if came else None
