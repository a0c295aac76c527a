"""`fleetrig load`: the options, as a person finds them in `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.load_request import DEFAULT_BIND, LoadRequest, execute
from fleetrig.harness.commands.options import (
    AgainstIfGiven,
    AllowOutside,
    Ca,
    ChangeTenantSettings,
    Insecure,
    Junit,
    Params,
    Scenarios,
    Seed,
)
from fleetrig.harness.commands.policy_option import PolicyFrom
from fleetrig.harness.commands.run_request import RESULTS

Figures = Annotated[Path, typer.Option(metavar="DIR", help="Where the figures go: curves, statistics, a summary.")]


@examples(
    "fleetrig load load/steady_polling --users 100",
    "fleetrig load load/factory_line --set shift=10m --workers 2",
    "fleetrig load load/steady_polling --against http://10.0.0.7:8080",
)
def load_command(
    run: Annotated[str | None, typer.Argument(metavar="ID", help="One scenario; none for a worker.")] = None,
    against: AgainstIfGiven = None,
    users: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="So many devices.  [default: as the scenario says]")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(metavar="N", min=0, show_default=False, help="Spread the devices over N processes.  [default: 1]"),
    ] = 0,
    master: Annotated[
        bool, typer.Option("--master", help="Direct workers on other machines: --workers says how many.")
    ] = False,
    worker: Annotated[
        str | None, typer.Option(metavar="HOST[:PORT]", help="Be a worker of the master on that machine.")
    ] = None,
    bind: Annotated[
        str, typer.Option(metavar="HOST[:PORT]", help="Where a master listens for its workers.")
    ] = DEFAULT_BIND,
    web: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Show Locust's web UI there while the run goes on.")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Let a Prometheus fetch the figures there: /metrics.")
    ] = None,
    closed: Annotated[
        bool, typer.Option("--closed", help="A closed model: each interval begins with the answer, not on schedule.")
    ] = False,
    source_address: Annotated[
        list[str] | None,
        typer.Option(metavar="IP", help="Connect from this address; repeatable: each has some 28,000 ports."),
    ] = None,
    yes_this_host: Annotated[
        bool, typer.Option("--yes-this-host", help="Load a server that is not in a private network.")
    ] = False,
    profile: Annotated[
        str | None, typer.Option(metavar="V", help="Server version to emulate.  [default: the newest]")
    ] = None,
    seed: Seed = 1,
    params: Params = None,
    policy_from: PolicyFrom = None,
    ca: Ca = None,
    insecure: Insecure = False,
    change_tenant_settings: ChangeTenantSettings = False,
    junit: Junit = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="F", help="Write the trace of every 64th device to this file.")
    ] = None,
    results: Figures = RESULTS,
    allow_outside: AllowOutside = False,
    scenarios: Scenarios = None,
) -> None:
    """Run a scenario as load: real sockets, one Locust user for each device, an open model.

    The exit code is that of `run`: 0 passed, 1 failed, 3 when it says nothing about the server, also when the
    generator was the limit. Ctrl-C and SIGTERM end it early: what it made on a server is removed, and the figures so
    far are kept.
    """
    request = LoadRequest(**locals())
    raise typer.Exit(execute(request))
