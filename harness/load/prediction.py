"""What a load run will look like: the scenario in virtual time, with the devices of a load run.

The devices keep to their schedules as there, the server does what `server.capacity` says and no more. What real
machines add, such as the time of their processors, is not in it: that is what the two differ by.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console

from fleetrig.harness.fleets.engine_choice import EngineChoice, engine_for
from fleetrig.harness.load.curves import CURVES_FILE, LoadCurves, write_curves
from fleetrig.harness.load.order import LoadOrder, expanded_for
from fleetrig.harness.load.trace_curves import TraceCurves
from fleetrig.harness.report.heartbeat import heartbeat
from fleetrig.harness.report.progress import RunProgress
from fleetrig.harness.run.private_files import make_private_folder
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.trace_file import trace_name
from fleetrig.harness.scenario_file.phase_spans import longest_spans_s
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.contract.trace import TraceEvent

ENDING: Final = ".predicted"
NO_CAPACITY: Final = (
    "the scenario names no server.capacity, so the server of this prediction is never busy: "
    "its answers take as long as the network, whatever the load"
)
CLOSED_ONLY: Final = (
    "devices of the array engine wait for an answer before their interval begins (as with --closed), so that a server "
    "that is slow is asked less than by a load run"
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A run in virtual time, and its curves."""

    report: Report
    curves: LoadCurves
    remark: str
    """What limits it; empty when nothing does."""
    is_closed: bool = False
    """Its devices waited for each answer before their interval began, whatever was asked for."""


def predict(order: LoadOrder) -> Prediction:
    """Runs it. Raises UsageError, FileMistakes."""
    expanded = expanded_for(order)
    choice = engine_for(expanded.scenario, order.engine)
    if choice.engine == "cohort":
        return _predict_as_cohort(order, expanded, choice)
    curves, progress = TraceCurves(is_open=order.is_open), _progress_of(expanded)

    def listen(event: TraceEvent) -> None:
        curves.take(event)
        progress(event)

    options = RunOptions(
        is_open=order.is_open,
        profile=order.profile,
        seed=order.seed,
        results=Path(order.results),
        engine="exact",
        listener=listen,
        again=order.again(),
    )
    with heartbeat(progress.how_far):
        report = replace(asyncio.run(run(expanded, options)), engine=str(choice))
    return Prediction(_of_this_verb(report), curves.ended(), _remark(expanded))


def _progress_of(expanded: Expanded) -> RunProgress:
    """It is told how far it is, and not the phases: the report has them."""
    return RunProgress(Console(quiet=True), longest_spans_s(expanded.scenario))


def _predict_as_cohort(order: LoadOrder, expanded: Expanded, choice: EngineChoice) -> Prediction:
    # NumPy is imported for large fleets only.
    from fleetrig.harness.fleets.cohort_curves import load_curves
    from fleetrig.harness.fleets.cohort_report import CohortRun

    progress = _progress_of(expanded)
    options = RunOptions(
        profile=order.profile, seed=order.seed, again=order.again(), listener=progress, progress=progress.simulated
    )
    cohort = CohortRun(expanded, options, choice)
    with heartbeat(progress.how_far):
        report = _of_this_verb(cohort.run())
    curves = LoadCurves() if cohort.outcome is None else load_curves(cohort.outcome.figures)
    closed = CLOSED_ONLY if order.is_open else ""
    return Prediction(report, curves, "; ".join(filter(None, [closed, _remark(expanded)])), is_closed=True)


def _of_this_verb(report: Report) -> Report:
    return replace(report, rerun=report.rerun.replace("fleetrig run ", "fleetrig predict ", 1))


def _remark(expanded: Expanded) -> str:
    return "" if expanded.scenario.server.capacity is not None else NO_CAPACITY


def write_prediction(found: Prediction, order: LoadOrder) -> Path:
    """Writes the curves; returns their folder. Raises BrokenBench when it cannot."""
    folder = Path(order.results) / trace_name(found.report.name, order.seed, ENDING)
    try:
        make_private_folder(folder)
        write_curves(found.curves.rows, folder / CURVES_FILE)
    except OSError as wrong:
        raise BrokenBench(f"cannot write the curves to {folder}: {system_said(wrong)}") from None
    return folder
