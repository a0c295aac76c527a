"""`fleetrig run`: the options, as a person finds them in `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetrig.harness.commands.export_option import ExportTo
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import (
    AgainstIfGiven,
    AllowOutside,
    AllowSkipped,
    BenchFileGiven,
    Ca,
    ChangeTenantSettings,
    DeskGiven,
    DeviceImage,
    DeviceProgram,
    Engine,
    FailOnSkip,
    Insecure,
    Jobs,
    Junit,
    OwnDevice,
    Params,
    Repeat,
    ReportPage,
    Scenarios,
    Seed,
    Shrink,
    Strict,
    Tags,
    Tries,
    Wanted,
)
from fleetrig.harness.commands.policy_option import PolicyFrom
from fleetrig.harness.commands.run_request import RESULTS, RunRequest, execute
from fleetrig.harness.commands.shrink import shrunk
from fleetrig.harness.platforms import FIRST


@examples(
    f"fleetrig run {FIRST}/demo --verbose",
    f"fleetrig run {FIRST} --tag failure --junit junit.xml",
    "fleetrig run mine/first --time real --trace run.jsonl",
    f"fleetrig run {FIRST} --against http://127.0.0.1:8080",
)
def run_command(
    ids: Wanted = None,
    against: AgainstIfGiven = None,
    time_mode: Annotated[
        Literal["virtual", "real"] | None,
        typer.Option("--time", metavar="virtual|real", help="Virtual by default; real time uses real sockets."),
    ] = None,
    engine: Engine = None,
    profile: Annotated[
        str | None, typer.Option(metavar="V", help="Server version to emulate.  [default: the newest]")
    ] = None,
    seed: Seed = 1,
    jobs: Jobs = None,
    tag: Tags = None,
    params: Params = None,
    policy_from: PolicyFrom = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failure.")] = False,
    repeat: Repeat = 1,
    device_command: DeviceProgram = None,
    device_image: DeviceImage = None,
    bench: BenchFileGiven = None,
    desk: DeskGiven = None,
    own_device: OwnDevice = False,
    known: Annotated[
        str | None, typer.Option(metavar="NAME", help="Accept the known deviations of this device or server.")
    ] = None,
    ca: Ca = None,
    insecure: Insecure = False,
    change_tenant_settings: ChangeTenantSettings = False,
    junit: Junit = None,
    html: ReportPage = None,
    to: ExportTo = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="F", help="Write the trace to this file; several runs write files into this folder."),
    ] = None,
    results: Annotated[
        Path, typer.Option(metavar="DIR", help="Where traces and records go; made if missing.")
    ] = RESULTS,
    strict: Strict = False,
    fail_on_skip: FailOnSkip = False,
    allow_skipped: AllowSkipped = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the checks of passed runs too.")] = False,
    shrink: Shrink = False,
    tries: Tries = None,
    allow_outside: AllowOutside = False,
    scenarios: Scenarios = None,
) -> None:
    """Run scenarios in virtual time, in real time, or against a server.

    Ctrl-C, SIGTERM and SIGHUP stop it: what it made and changed on a server is taken back, and what was judged so far
    is reported. A second Ctrl-C gives up taking back and says what is left.
    """
    request = RunRequest(**locals())
    request.check()
    raise typer.Exit(shrunk(request) if shrink else execute(request))
