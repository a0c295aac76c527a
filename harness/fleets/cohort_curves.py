"""The curves of a run on the array engine, as those of a load run: `fleetrig compare` lays them on each other."""

from __future__ import annotations

from fleetrig.harness.fleets.fleet_curves import fleet_curves
from fleetrig.harness.load.curves import CurveRow, LoadCurves
from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.drivers.load.histogram import Histogram


def load_curves(figures: FleetFigures) -> LoadCurves:
    """Devices of the array engine wait for an answer before their interval begins: nothing is dropped or corrected."""
    curves = LoadCurves()
    curves.rows = curve_rows(figures)
    totals, whole = curves.totals, fleet_curves(figures)
    totals.started, totals.answered = int(whole.requests.sum()), int(whole.answered.sum())
    totals.errors = int(whole.failed.sum())
    totals.took, totals.corrected = Histogram(figures.took), Histogram(figures.took)
    return curves


def curve_rows(figures: FleetFigures) -> list[CurveRow]:
    """Second by second. How long answers took is known of the whole run alone."""
    curves = fleet_curves(figures)
    online = (curves.came_online - curves.went_offline).cumsum()
    return [
        CurveRow(second, int(rate), int(there), int(failed), 0, None, None, None, None, None)
        for second, (rate, there, failed) in enumerate(zip(curves.requests, online, curves.failed, strict=True))
    ]
