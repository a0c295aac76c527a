"""`fleetrig edge`: the smallest value of a param with which a fleet collapses, survives, fails or passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from fleetrig.harness.commands.options import AllowOutside, Params, Scenarios, Seed
from fleetrig.harness.commands.scenario_lookup import looked_up
from fleetrig.harness.fleets.fleet_run import FleetOutcome, run_fleet
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.param_edge import Happening, ParamRange, edge_lines, param_edge, param_range
from fleetrig.harness.scenario_file.given_params import check_params, read_params
from fleetrig.harness.scenario_file.selection import Expanded, plan, select
from fleetrig.simulator.contract.errors import UsageError


def edge_command(
    run: Annotated[str, typer.Argument(metavar="ID", help="One scenario, or one run of it: ID[policy=fixed].")],
    vary: Annotated[str, typer.Option(metavar="NAME=FROM..TO", help="The param, such as outage=30s..20m.")],
    until: Annotated[
        Happening, typer.Option(help="What is looked for: at the end of the run, or of its checks.")
    ] = Happening.COLLAPSES,
    params: Params = None,
    seed: Seed = 1,
    allow_outside: AllowOutside = False,
    scenarios: Scenarios = None,
) -> None:
    """Find the smallest value of a param with which a fleet collapses, survives, fails or passes.

    By halving, on the array engine: how long may the outage last, how small may the capacity be.
    """
    span, given = param_range(vary), read_params(params)
    if span.name in given:
        raise UsageError(f"--set {span.name} says one value, and --vary tries several: leave --set {span.name} away")

    folders = looked_up(scenarios, [run])

    def planned(text: str) -> Expanded:
        runs = plan([run], folders, allows_outside=allow_outside, params={**given, span.name: text})
        if len(runs) != 1:
            raise UsageError(f"{run} is {len(runs)} runs: name one of them, such as {runs[0].name}")
        return runs[0]

    def with_value(text: str) -> FleetOutcome:
        try:
            return run_fleet(planned(text), seed=seed)
        except NotACohort as why:
            raise UsageError(f"{run} needs the exact engine, and an edge is found on the array engine: {why}") from None

    check_params([span.name], select([run], folders, allows_outside=allow_outside), option="--vary")
    for end in (span.least, span.most):
        planned(span.text(end))  # a mistake at the far end is told before the first run
    edge = param_edge(span, until, with_value, _telling(span))
    for line in edge_lines(span, until, edge):
        typer.echo(line)


def _telling(span: ParamRange) -> Callable[[str, str], None]:
    """A line for each run, as it ends."""

    def tell(value: str, said: str) -> None:
        typer.echo(f"  {span.name} {value:<10} {said}")

    return tell
