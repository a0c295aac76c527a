"""Metastable collapse: the cause is over, the server works without a pause, and hardly anybody gets an answer in time.

Those who gave up waiting ask again, and the server works on requests whose senders are gone: so it stays. «Metastable
Failures in Distributed Systems» (Bronson et al., HotOS 2021). It is looked for in the last interval of a run, when at
least one interval has gone by since the cause ended, and only where the server could carry the steady load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fleetrig.harness.fleets.fleet_curves import MEAN_OVER_S, FleetCurves, sums_over

BUSY: Final = 0.9
"""A server that works for so much of the time is busy to the brim; a few seconds are lost at either end of a window."""
HARDLY_ANYBODY: Final = 0.1
"""Answers in time, as a share of what the server did."""


@dataclass(frozen=True, slots=True)
class Collapse:
    """`since_s`: from this second on hardly anybody was answered in time."""

    since_s: int
    utilisation: float
    goodput_per_s: float
    steady_per_s: float

    def say(self) -> str:
        return (
            f"metastable collapse: the cause is over, the server is busy to {min(1.0, self.utilisation):.0%}, and "
            f"{self.goodput_per_s:,.1f} of {self.steady_per_s:,.1f} requests a second get their answer in time; it "
            "serves those who have given up, and does not recover by itself"
        )


def collapse_of(
    curves: FleetCurves, *, steady_per_s: float, capacity_per_s: float | None, interval_s: int, from_s: int
) -> Collapse | None:
    """`from_s`: when the cause was over."""
    span_s = max(interval_s, MEAN_OVER_S)
    begin_s = curves.seconds - span_s
    if capacity_per_s is None or steady_per_s >= capacity_per_s or begin_s < from_s + span_s:
        return None
    answered, late = (int(counts[begin_s:].sum()) for counts in (curves.answered, curves.late))
    done = answered + late
    utilisation = done / (capacity_per_s * span_s)
    if utilisation < BUSY or answered > HARDLY_ANYBODY * done:
        return None
    return Collapse(_since_s(curves), utilisation, answered / span_s, steady_per_s)


def _since_s(curves: FleetCurves) -> int:
    """The end of the last minute in which more than hardly anybody was answered in time."""
    answered, late = sums_over(curves.answered, MEAN_OVER_S), sums_over(curves.late, MEAN_OVER_S)
    good = (answered > HARDLY_ANYBODY * (answered + late)).nonzero()[0]
    return int(good[-1]) + MEAN_OVER_S if good.size else 0
