"""`fleetrig simulate`: devices without a scenario, against any server. What all platforms share of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import NoReturn

import typer

from fleetrig.harness.commands.live_trace import LiveTrace
from fleetrig.harness.commands.simulation_outputs import SimulationOutputs
from fleetrig.harness.load.needs import limits_here
from fleetrig.harness.report.console import make_console
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.fleet_failures import OWN_TIMEOUT
from fleetrig.harness.report.fleet_readings import Readings
from fleetrig.harness.report.fleet_screen import screen_for
from fleetrig.harness.report.fleet_state import FleetState
from fleetrig.harness.report.fleet_summary import summary
from fleetrig.harness.report.fleet_table import TableHeading
from fleetrig.harness.run.collector import spared_collector
from fleetrig.harness.run.interrupts import run_until_stopped
from fleetrig.harness.run.open_files import raise_file_limit
from fleetrig.harness.simulation.live_curves import LiveCurves
from fleetrig.harness.simulation.measured_text import figure_lines, machine_was_limit
from fleetrig.harness.simulation.measuring import Rows
from fleetrig.harness.simulation.needs import connections_of, needs_text
from fleetrig.harness.simulation.plan import SimulationPlan, SimulationResult
from fleetrig.harness.simulation.simulation import Simulation
from fleetrig.harness.simulation.starts import FEWER
from fleetrig.harness.simulation.summary_file import summary_of, write_summary
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace, TraceListener
from fleetrig.simulator.drivers.wall_clock import WallClock


def simulate(
    plan: SimulationPlan,
    readings: Readings,
    interval_s: float,
    outputs: SimulationOutputs,
    secrets: Secrets,
    watches: Sequence[TraceListener] = (),
) -> NoReturn:
    """Runs the plan, shows it while it runs, and ends the command with its exit code.

    `interval_s` is shown between polls until the server names another. The trace has every event, with the secrets
    masked; `watches` hear an event before it is written. Raises typer.Exit, UsageError, BrokenBench.
    """
    outputs.check()
    raise_file_limit(len(plan.agents))
    if (needs := needs_text(connections_of(plan.agents), limits_here())) and not outputs.is_quiet:
        typer.echo(f"needs    {needs}", err=True)
    state = FleetState.of([agent.identity.serial for agent in plan.agents], interval_s, readings)
    stream = Trace()
    stream.listen(state.take)
    with ExitStack() as stack:
        file = None if outputs.trace is None else stack.enter_context(LiveTrace(outputs.trace, secrets))
        curves = None if outputs.csv is None else stack.enter_context(LiveCurves(outputs.csv))
        if file is not None:
            for listener in (*watches, file.write):
                stream.listen(listener)
        rows = (lambda _: None) if curves is None else curves.add
        result = _show(plan, stream, state, outputs, rows)
    if outputs.summary is not None:
        write_summary(outputs.summary, summary_of(state, result.measuring))
    is_whole = not any(one is not None and one.complaint for one in (file, curves))
    raise typer.Exit(exit_code(result, state, is_whole=is_whole))


def _show(
    plan: SimulationPlan, trace: Trace, state: FleetState, outputs: SimulationOutputs, rows: Rows
) -> SimulationResult:
    now_us, console = WallClock().now_us, make_console()
    heading = TableHeading(plan.url, plan.seed, plan.for_s)

    async def run() -> SimulationResult:
        with screen_for(console, state, heading, now_us, is_quiet=outputs.is_quiet) as screen:
            return await Simulation(plan, trace, state, screen, rows).run()

    with spared_collector():
        result = run_until_stopped(run(), notice="")
    was_said = plan.hint(state.all_first_answers())
    text = summary(state, heading, now_us(), plan.advice if not was_said else lambda _: "")
    typer.echo(("interrupted after " if result.was_interrupted else "") + text)
    for line in measured_lines(result):
        typer.echo(line)
    if outputs.is_quiet:
        for sentence in filter(None, (was_said, result.left_behind)):
            typer.echo(sentence)
    if state.came_through and (stays := plan.stays(state.came_through)):
        typer.echo(stays)
    return result


def measured_lines(result: SimulationResult) -> Iterator[str]:
    """The figures, and whether they say anything about the server."""
    measuring = result.measuring
    if measuring is None or not measuring.figures.exchanges:
        return
    yield from figure_lines(measuring.figures)
    starts = measuring.starts.sentence()
    if limit := machine_was_limit(measuring.figures.use()):
        yield f"{limit}. {starts}" if starts else limit
    elif starts:
        yield f"{starts}: {FEWER}"


def exit_code(result: SimulationResult, state: FleetState, *, is_whole: bool = True) -> Exit:
    """INTERRUPTED if deleting was given up; BROKEN if anything was left behind or is missing in a file, or if this
    machine was too late for some devices; FAILED if no device was accepted, or if one asked and never was or never
    came online.
    """
    if result.gave_up:
        return Exit.INTERRUPTED
    if result.left_behind or not is_whole:
        return Exit.BROKEN
    if result.was_interrupted:
        return Exit.INTERRUPTED
    reasons = {*state.never_let_in(), *state.never_online()}
    if reasons - {OWN_TIMEOUT}:
        return Exit.FAILED
    if reasons or (result.measuring is not None and result.measuring.starts.waiting):
        return Exit.BROKEN
    return Exit.PASSED if state.came_through else Exit.FAILED
