"""`fleetrig edge`: the smallest value of a param with which a fleet collapses, survives, fails or passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import AllowOutside, Params, Scenarios, Seed
from fleetrig.harness.commands.scenario_lookup import looked_up
from fleetrig.harness.fleets.fleet_run import FleetOutcome, run_fleet
from fleetrig.harness.fleets.not_a_cohort import NotACohort
from fleetrig.harness.fleets.param_edge import Happening, ParamRange, edge_lines, param_edge, param_range
from fleetrig.harness.report.heartbeat import heartbeat
from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.scenario_file.given_params import check_params, read_params
from fleetrig.harness.scenario_file.selection import Expanded, plan, select
from fleetrig.simulator.contract.errors import UsageError


@examples(
    "fleetrig edge outage/collapse --vary outage=10s..3m --until passes",
    "fleetrig edge outage/poll_jitter --vary jitter=5..50 --set devices=100000",
)
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
    trying = Trying(span)
    with heartbeat(trying.how_far):
        edge = param_edge(span, until, trying.noting(with_value), trying.tell)
    for line in edge_lines(span, until, edge):
        typer.echo(line)


@dataclass(slots=True)
class Trying:
    """A line for each run, as it ends; of one that takes long, now and then that it is tried."""

    span: ParamRange
    value: str = ""

    def noting(self, run: Callable[[str], FleetOutcome]) -> Callable[[str], FleetOutcome]:
        def noted(value: str) -> FleetOutcome:
            self.value = value
            return run(value)

        return noted

    def how_far(self, passed_s: float) -> str:
        return f"{spoken_s(passed_s)}: trying {self.span.name} {self.value}" if self.value else ""

    def tell(self, value: str, said: str) -> None:
        typer.echo(f"  {self.span.name} {value:<10} {said}")
