"""`fleetrig run`: the options, as a person finds them in `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetrig.harness.commands.run_request import RunRequest, carry_out


def run_command(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, prefixes, files or folders.")] = None,
    against: Annotated[str | None, typer.Option(metavar="URL|SERVER.yaml", help="A running server.")] = None,
    time_mode: Annotated[
        Literal["virtual", "real"] | None, typer.Option("--time", help="Real time needs real sockets.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="The generation of the reference server; the newest if not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same run in virtual time.")] = 1,
    jobs: Annotated[int | None, typer.Option(min=1, help="How many run side by side in real time.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only scenarios with this tag.")] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failure.")] = False,
    repeat: Annotated[int, typer.Option(min=1, help="Run everything so often, each time with the next seed.")] = 1,
    device_command: Annotated[
        str | None, typer.Option(metavar="CMD", help="Starts a device for external/…; {url} {tenant} {id} {token} …")
    ] = None,
    device_image: Annotated[
        Path | None, typer.Option(metavar="F", help="What that device can install; else an image is made.")
    ] = None,
    own_device: Annotated[
        bool, typer.Option("--own-device", help="Run external/… with fleetrig's own device.")
    ] = False,
    known: Annotated[str | None, typer.Option(metavar="NAME", help="Whose known deviations are accepted.")] = None,
    ca: Annotated[Path | None, typer.Option(metavar="F", help="Trust this CA (PEM).")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Accept any certificate.")] = False,
    change_tenant_settings: Annotated[
        bool,
        typer.Option(
            "--change-tenant-settings", help="Allow changes of tenant-wide settings on a server beyond loopback."
        ),
    ] = False,
    junit: Annotated[Path | None, typer.Option(metavar="F", help="Write JUnit XML here.")] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="F", help="Write the trace here; a folder when there are several runs.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Where traces and records go.")] = Path("fleetrig-results"),
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the checks of passed runs too.")] = False,
    scenarios: Annotated[Path | None, typer.Option(help="Where scenarios are looked up.")] = None,
) -> None:
    """Runs scenarios: in virtual time, in real time, or against a running server."""
    request = RunRequest(**locals())
    request.check()
    raise typer.Exit(carry_out(request))
