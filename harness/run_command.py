"""`fleetrig run`: options in, verdicts out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from harness.exits import exit_of
from harness.external.command import device_command as external_device
from harness.known_deviations import peer_of
from harness.many_runs import Output, Pair, run_and_show
from harness.plan import Expanded, home, plan
from harness.power_points import power_cut_points
from harness.report.console import ConsoleReport, make_console
from harness.report.progress import RunProgress
from harness.run import RunOptions
from harness.servers.foreign import foreign_server, verify_with
from harness.servers.reference import known_profile
from harness.trace_file import trace_name
from harness.verdict import worst
from simulator.contract.errors import UsageError

MOST_SIDE_BY_SIDE: Final = 32
PER_CPU: Final = 8
"""Real-time runs mostly wait."""


def run_command(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, prefixes, files or folders.")] = None,
    against: Annotated[str | None, typer.Option(metavar="URL|SERVER.yaml", help="A running server.")] = None,
    time_mode: Annotated[
        Literal["virtual", "real"] | None, typer.Option("--time", help="Real time needs real sockets.")
    ] = None,
    profile: Annotated[str, typer.Option(help="Which generation the reference server is.")] = "1.1",
    seed: Annotated[int, typer.Option(help="The same seed gives the same run in virtual time.")] = 1,
    jobs: Annotated[int | None, typer.Option(min=1, help="How many run side by side in real time.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only scenarios with this tag.")] = None,
    fail_fast: Annotated[bool, typer.Option(help="Stop after the first failure.")] = False,
    repeat: Annotated[int, typer.Option(min=1, help="Run everything so often, each time with the next seed.")] = 1,
    device_command: Annotated[
        str | None, typer.Option(metavar="CMD", help="Starts a device for external/…; {url} {tenant} {id} {token} …")
    ] = None,
    device_image: Annotated[
        Path | None, typer.Option(metavar="F", help="What that device can install; else an image is made.")
    ] = None,
    own_device: Annotated[bool, typer.Option(help="Run external/… with fleetrig's own device.")] = False,
    known: Annotated[str | None, typer.Option(metavar="NAME", help="Whose known deviations are accepted.")] = None,
    ca: Annotated[Path | None, typer.Option(help="Trust this CA (PEM).")] = None,
    insecure: Annotated[bool, typer.Option(help="Accept any certificate.")] = False,
    change_tenant_settings: Annotated[
        bool, typer.Option(help="Allow changes of tenant-wide settings on a server beyond loopback.")
    ] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="F", help="Write the trace here; a folder when there are several runs.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Where traces and records go.")] = Path("fleetrig-results"),
    strict: Annotated[bool, typer.Option(help="Warnings fail.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the checks of passed runs too.")] = False,
    scenarios: Annotated[Path | None, typer.Option(help="Where scenarios are looked up.")] = None,
) -> None:
    """Runs scenarios: in virtual time, in real time, or against a running server."""
    check_together(against, time_mode, jobs or 1)
    check_device(device_command, device_image, time_mode, own=own_device)
    known_profile(profile)
    verify = verify_with(ca, insecure=insecure)
    server = None if against is None else foreign_server(against, may_change_settings=change_tenant_settings)
    runs = plan(ids or [], home(scenarios), tag or [], power_cut_points) * repeat
    check_places(junit, trace, results, is_many=len(runs) > 1)
    console = make_console()
    if insecure:
        console.print("--insecure: the server's certificate is not checked, anybody could be answering")
    listener = RunProgress(console) if len(runs) == 1 else None
    again = {"--time": time_mode, "--against": against, "--profile": profile if profile != "1.1" else None,
             "--ca": ca, "--insecure": insecure, "--change-tenant-settings": change_tenant_settings,
             "--scenarios": scenarios, "--device-command": device_command, "--device-image": device_image,
             "--own-device": own_device, "--known": known}  # fmt: skip
    options = RunOptions(time_mode == "real", server, profile, seed, results, None, verify, listener,
                         device=None if device_command is None else external_device(device_command, device_image),
                         own_device=own_device, known=None if known is None else peer_of(known, home(scenarios)),
                         again=words_of(again))  # fmt: skip
    writer = ConsoleReport(console, verbose=verbose, single=len(runs) == 1)
    output = Output(writer, junit, trace, results, fail_fast)
    with listener.shown() if listener is not None else nullcontext():
        reports = asyncio.run(run_and_show(pairs_of(runs, options, trace, repeat), output, width_of(options, jobs)))
    raise typer.Exit(exit_of(worst(report.verdict for report in reports), strict=strict))


def check_together(against: str | None, time_mode: str | None, jobs: int) -> None:
    """Raises UsageError for options that contradict each other."""
    if against is not None and time_mode == "virtual":
        raise UsageError("--against needs real time: leave --time virtual away")
    if against is not None and jobs > 1:
        raise UsageError("--jobs does not go with --against: runs would change each other's tenant settings")


def check_device(command: str | None, image: Path | None, time_mode: str | None, *, own: bool) -> None:
    """Raises UsageError for options of a device that contradict each other."""
    if command is not None and own:
        raise UsageError("--own-device takes the place of a program: give it or --device-command")
    if command is not None and time_mode == "virtual":
        raise UsageError("--device-command needs real time: leave --time virtual away")
    if image is not None and command is None:
        raise UsageError("--device-image is for a device of yours: give --device-command too")


def check_places(junit: Path | None, trace: Path | None, results: Path, *, is_many: bool) -> None:
    """Raises UsageError for files that could not be written in the end, before anything is run."""
    if junit is not None and junit.is_dir():
        raise UsageError(f"--junit {junit} is a folder; give the name of a file")
    if trace is not None and is_many and trace.exists() and not trace.is_dir():
        raise UsageError(f"--trace {trace} is a file, and there are several runs: give the name of a folder")
    if results.exists() and not results.is_dir():
        raise UsageError(f"--results {results} is a file; give the name of a folder")
    for option, place in (("--junit", junit), ("--trace", trace), ("--results", results)):
        nearest = next((one for one in (place.parents if place is not None else ()) if one.exists()), Path())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            raise UsageError(f"{option} {place}: nothing can be written to {nearest}")


def words_of(options: Mapping[str, object]) -> tuple[str, ...]:
    """Options as words of a command line: those not given are left away, flags stand alone."""
    words: list[str] = []
    for name, value in options.items():
        if value is True:
            words.append(name)
        elif value is not None and value is not False:
            words += [name, str(value)]
    return tuple(words)


def pairs_of(runs: Sequence[Expanded], options: RunOptions, trace: Path | None, repeat: int) -> list[Pair]:
    """What to run and how: each repetition has the next seed, each run its own trace file."""
    per_round = len(runs) // repeat
    return [
        (expanded, replace(options, seed=options.seed + index // per_round, trace=trace_path(trace, runs, index)))
        for index, expanded in enumerate(runs)
    ]


def trace_path(trace: Path | None, runs: Sequence[Expanded], index: int) -> Path | None:
    """The file itself for a single run, else a file of its own in that folder."""
    if trace is None or (len(runs) == 1 and not trace.is_dir()):
        return trace
    return trace / f"{index + 1:03d}-{trace_name(runs[index].name).replace('/', '-')}"


def width_of(options: RunOptions, jobs: int | None) -> int:
    """How many run side by side: only those that have a server of their own and mostly wait."""
    if options.time == "virtual" or options.against is not None:
        return 1
    return jobs or min(MOST_SIDE_BY_SIDE, PER_CPU * (os.cpu_count() or 1))
