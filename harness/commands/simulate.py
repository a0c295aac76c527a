"""`fleetrig simulate`: devices without a scenario, against any server. What all platforms share of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import typer

from fleetrig.harness.commands.fleet_simulation import Simulation, SimulationPlan, SimulationResult
from fleetrig.harness.commands.live_trace import LiveTrace
from fleetrig.harness.report.console import make_console
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.fleet_screen import screen_for
from fleetrig.harness.report.fleet_state import FleetState, Readings
from fleetrig.harness.report.fleet_table import TableHeading, summary
from fleetrig.harness.run.interrupts import run_until_stopped
from fleetrig.harness.run.open_files import raise_file_limit
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Trace, TraceListener
from fleetrig.simulator.drivers.wall_clock import WallClock


def simulate(
    plan: SimulationPlan,
    readings: Readings,
    interval_s: float,
    trace: Path | None,
    secrets: Secrets,
    watches: Sequence[TraceListener] = (),
) -> NoReturn:
    """Runs the plan, shows it while it runs, and ends the command with its exit code.

    `interval_s` is shown between polls until the server names another. `trace` is a file for every event, with the
    secrets masked; `watches` hear an event before it is written. Raises typer.Exit, UsageError, BrokenBench.
    """
    raise_file_limit(len(plan.agents))
    state = FleetState.of([agent.identity.serial for agent in plan.agents], interval_s, readings)
    stream = Trace()
    stream.listen(state.take)
    with ExitStack() as stack:
        file = None if trace is None else stack.enter_context(LiveTrace(trace, secrets))
        if file is not None:
            for listener in (*watches, file.write):
                stream.listen(listener)
        result = _show(plan, stream, state)
    raise typer.Exit(exit_code(result, state, is_traced=file is None or not file.complaint))


def _show(plan: SimulationPlan, trace: Trace, state: FleetState) -> SimulationResult:
    now_us, console = WallClock().now_us, make_console()
    heading = TableHeading(plan.url, plan.seed, plan.for_s)

    async def run() -> SimulationResult:
        with screen_for(console, state, heading, now_us) as screen:
            return await Simulation(plan, trace, state, screen).run()

    result = run_until_stopped(run(), notice="")
    was_said = plan.hint(state.all_first_answers())
    text = summary(state, heading, now_us(), plan.advice if not was_said else lambda _: "")
    typer.echo(("interrupted after " if result.was_interrupted else "") + text)
    if state.came_through and (stays := plan.stays(state.came_through)):
        typer.echo(stays)
    return result


def exit_code(result: SimulationResult, state: FleetState, *, is_traced: bool = True) -> Exit:
    """INTERRUPTED if deleting was given up; BROKEN if anything was left behind or is missing in the trace; FAILED if no
    device was accepted, or if one asked and never was.
    """
    if result.gave_up:
        return Exit.INTERRUPTED
    if result.left_behind or not is_traced:
        return Exit.BROKEN
    if result.was_interrupted:
        return Exit.INTERRUPTED
    return Exit.PASSED if state.came_through and not state.never_let_in() else Exit.FAILED
