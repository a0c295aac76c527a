"""`fleetrig predict`: what a load run will look like, from a run in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import AllowOutside, Engine, Params, Scenarios, Seed
from fleetrig.harness.commands.output_places import check_own_folder
from fleetrig.harness.commands.policy_option import PolicyFrom, policy_for_order
from fleetrig.harness.commands.run_request import RESULTS
from fleetrig.harness.commands.scenario_lookup import given_folder, looked_up
from fleetrig.harness.load.order import LoadOrder
from fleetrig.harness.load.prediction import predict, write_prediction
from fleetrig.harness.load.summary import summary_lines
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import exit_of


@examples(
    "fleetrig predict load/steady_polling --users 100",
    "fleetrig predict load/factory_line --set shift=10m",
)
def predict_command(
    run: Annotated[str, typer.Argument(metavar="ID", help="One scenario.")],
    users: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="So many devices.  [default: as the scenario says]")
    ] = None,
    params: Params = None,
    policy_from: PolicyFrom = None,
    engine: Engine = None,
    closed: Annotated[
        bool, typer.Option("--closed", help="A closed model: each interval begins with the answer, not on schedule.")
    ] = False,
    profile: Annotated[
        str | None, typer.Option(metavar="V", help="Server version to emulate.  [default: the newest]")
    ] = None,
    seed: Seed = 1,
    results: Annotated[Path, typer.Option(metavar="DIR", help="Where the curves go.")] = RESULTS,
    allow_outside: AllowOutside = False,
    scenarios: Scenarios = None,
) -> None:
    """Foretell a load run: the same scenario in virtual time, against a server of the capacity that the file names.

    Leaves curves.csv as `load` does; `fleetrig compare` lays the two on each other.
    """
    if results != RESULTS or RESULTS.exists():
        check_own_folder("--results", results)
    looked_up(scenarios, [run])
    order = LoadOrder(
        run=run, scenarios=given_folder(scenarios), results=str(results), users=users, profile=profile or "",
        seed=seed, params=tuple(params or ()), policy_from=None if policy_from is None else str(policy_from),
        backoff=policy_for_order(policy_from), is_open=not closed, engine=engine, allow_outside=allow_outside,
    )  # fmt: skip
    found = predict(order)
    console = make_console()
    ConsoleReport(console, verbose=True, single=True).show(found.report)
    for line in summary_lines(found.curves.totals, found.curves.rows, is_open=order.is_open and not found.is_closed):
        console.print(f"  {line}", markup=False)
    if found.remark:
        console.print(f"note     {found.remark}", markup=False)
    console.print(f"curves  {write_prediction(found, order)}", markup=False)
    raise typer.Exit(exit_of(found.report.verdict))
