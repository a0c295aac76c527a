"""The curves of a run on the array engine, as those of a load run: `fleetrig compare` lays them on each other."""

from __future__ import annotations

from fleetrig.harness.fleets.fleet_curves import fleet_curves
from fleetrig.harness.load.curves import CurveRow
from fleetrig.simulator.cohort.figures import FleetFigures


def curve_rows(figures: FleetFigures) -> list[CurveRow]:
    """Second by second. How long answers took is known of the whole run alone."""
    curves = fleet_curves(figures)
    online = (curves.came_online - curves.went_offline).cumsum()
    return [
        CurveRow(second, int(rate), int(there), int(failed), 0, None, None, None, None, None)
        for second, (rate, there, failed) in enumerate(zip(curves.requests, online, curves.failed, strict=True))
    ]
