"""What a load run will look like: the scenario in virtual time, with the devices of a load run.

The devices keep to their schedules as there, the server does what `server.capacity` says and no more. What real
machines add, such as the time of their processors, is not in it: that is what the two differ by.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fleetrig.harness.load.curves import CURVES_FILE, LoadCurves, write_curves
from fleetrig.harness.load.order import LoadOrder, expanded_for
from fleetrig.harness.load.trace_curves import TraceCurves
from fleetrig.harness.run.private_files import make_private_folder
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.trace_file import trace_name
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.errors import BrokenBench, system_said

ENDING: Final = ".predicted"
NO_CAPACITY: Final = (
    "the scenario names no server.capacity, so the server of this prediction is never busy: "
    "its answers take as long as the network, whatever the load"
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A run in virtual time, and its curves."""

    report: Report
    curves: LoadCurves
    remark: str
    """What limits it; empty when nothing does."""


def predict(order: LoadOrder) -> Prediction:
    """Runs it. Raises UsageError, FileMistakes."""
    expanded = expanded_for(order)
    curves = TraceCurves(is_open=order.is_open)
    options = RunOptions(
        is_open=order.is_open,
        profile=order.profile,
        seed=order.seed,
        results=Path(order.results),
        listener=curves.take,
        again=order.again(),
    )
    report = asyncio.run(run(expanded, options))
    again = report.rerun.replace("fleetrig run ", "fleetrig predict ", 1)
    remark = "" if expanded.scenario.server.capacity is not None else NO_CAPACITY
    return Prediction(replace(report, rerun=again), curves.ended(), remark)


def write_prediction(found: Prediction, order: LoadOrder) -> Path:
    """Writes the curves; returns their folder. Raises BrokenBench when it cannot."""
    folder = Path(order.results) / trace_name(found.report.name, order.seed, ENDING)
    try:
        make_private_folder(folder)
        write_curves(found.curves.rows, folder / CURVES_FILE)
    except OSError as wrong:
        raise BrokenBench(f"cannot write the curves to {folder}: {system_said(wrong)}") from None
    return folder
