"""What a study keeps of one run: a few numbers, counted from the end of the last fault, and the curve for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fleetrig.harness.fleets.findings import Findings
from fleetrig.harness.fleets.fleet_curves import FleetCurves
from fleetrig.simulator.cohort.figures import Counts

BACK_SHARE: Final = 0.99
MOST_POINTS: Final = 360
"""Of a curve: more than a picture can show."""


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """Of one run. Shares are of the requests that were sent after the last fault was over."""

    requests: int
    """Of the whole run."""
    peak_per_s: int
    """The busiest second after the last fault."""
    rejected: float
    late: float
    errors: float
    retries: float
    """Retries for each request that is none, over the whole run."""
    quiet_s: int | None
    """From the end of the last fault until no request fails any more; None: not within the run."""
    back_s: int | None
    """The same until 99 of 100 devices are online for good."""
    needs_per_s: float = 0.0
    """The capacity with which nobody would have been turned away, had the same requests come."""
    collapsed: bool = False
    """The server was busy to the end, and hardly anybody got an answer in time."""


@dataclass(frozen=True, slots=True)
class RateCurve:
    """Requests by the moment at which they were sent, in bins of `step_s`."""

    step_s: int
    busiest: tuple[int, ...]
    """The busiest second of each bin."""
    requests: tuple[int, ...]
    rejected: tuple[int, ...]
    failed: tuple[int, ...]
    """Without any answer, or with one that came too late."""


def case_figures(findings: Findings) -> CaseFigures:
    curves, from_s = findings.curves, findings.situation.recovers_at_s
    sent = int(curves.requests[from_s:].sum())
    return CaseFigures(
        requests=findings.requests,
        peak_per_s=findings.peak_after.per_s,
        rejected=_share(curves.turned_away[from_s:], sent),
        late=_share(curves.late[from_s:], sent),
        errors=_share(curves.failed[from_s:], sent),
        retries=round(findings.retry_ratio, 4),
        quiet_s=findings.quiet_after_s,
        back_s=_back_s(curves, from_s, findings.situation.count),
        needs_per_s=round(findings.capacity_needed_per_s, 3),
        collapsed=findings.collapse is not None,
    )


def rate_curve(curves: FleetCurves) -> RateCurve:
    step_s = max(1, -(-curves.seconds // MOST_POINTS))
    unanswered = curves.refused + curves.silent + curves.late
    return RateCurve(
        step_s,
        busiest=_whole(_bins(curves.requests, step_s).max(axis=1)),
        requests=_whole(_bins(curves.requests, step_s).sum(axis=1)),
        rejected=_whole(_bins(curves.turned_away, step_s).sum(axis=1)),
        failed=_whole(_bins(unanswered, step_s).sum(axis=1)),
    )


def _bins(counts: Counts, step_s: int) -> Counts:
    """A row for each bin; the last one is filled up with zeros."""
    whole = -(-len(counts) // step_s) * step_s
    return np.pad(counts, (0, whole - len(counts))).reshape(-1, step_s)


def _whole(counts: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(counts.tolist())


def _share(counts: Counts, of: int) -> float:
    return round(int(counts.sum()) / of, 6) if of else 0.0


def _back_s(curves: FleetCurves, from_s: int, count: int) -> int | None:
    online = np.cumsum(curves.came_online - curves.went_offline)[from_s:]
    gone = np.flatnonzero(online < BACK_SHARE * count)
    after = int(gone[-1]) + 1 if gone.size else 0
    return after if after < len(online) else None
