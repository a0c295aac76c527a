"""`fleetrig run`: options in, verdicts out."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from harness.exits import exit_of
from harness.plan import Expanded, home, plan
from harness.power_points import power_cut_points
from harness.report.console import ConsoleReport, make_console
from harness.report.junit import write_junit
from harness.report.progress import RunProgress
from harness.run import RunOptions, run
from harness.servers.foreign import foreign_server, verify_with
from harness.trace_file import trace_name
from harness.verdict import Report, Verdict, worst
from simulator.contract.errors import UsageError

Pair = tuple[Expanded, RunOptions]


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
    runs = plan(ids or [], home(scenarios), tag or [], power_cut_points) * repeat
    if against is not None and time_mode == "virtual":
        raise UsageError("--against needs real time: leave --time virtual away")
    verify = verify_with(ca, insecure=insecure)
    server = None if against is None else foreign_server(against, may_change_settings=change_tenant_settings)
    output = Output(make_console(), verbose, junit, trace, results, fail_fast)
    listener = RunProgress(output.console) if len(runs) == 1 else None
    per_run = len(runs) // repeat
    pairs = [
        (expanded, RunOptions(time_mode == "real", server, profile, seed + index // per_run, results,
                              trace_path(trace, runs, index), verify, listener))
        for index, expanded in enumerate(runs)
    ]  # fmt: skip
    width = jobs or (1 if time_mode != "real" or server is not None else min(32, 8 * (os.cpu_count() or 1)))
    with listener.shown() if listener is not None else nullcontext():
        reports = asyncio.run(show_all(pairs, output, width))
    overall = worst(report.verdict for report in reports)
    raise typer.Exit(exit_of(overall, strict=strict))


@dataclass(frozen=True, slots=True)
class Output:
    """Where the reports of a run go."""

    console: Console
    verbose: bool
    junit: Path | None
    trace: Path | None
    results: Path
    fail_fast: bool

    def written(self) -> dict[str, Path]:
        """The files that are there now, by what they are."""
        places = {"junit": self.junit, "trace": self.trace, "results": self.results}
        return {what: path for what, path in places.items() if path is not None and path.exists()}


def trace_path(trace: Path | None, runs: Sequence[Expanded], index: int) -> Path | None:
    """The file itself for a single run, else a file of its own in that folder."""
    return trace if trace is None or len(runs) == 1 else trace / f"{index + 1:03d}-{trace_name(runs[index].name)}"


async def show_all(pairs: Sequence[Pair], output: Output, width: int) -> list[Report]:
    """Shows each report as it comes; the JUnit file is written even when the run breaks off."""
    began_s = time.monotonic()
    writer = ConsoleReport(output.console, verbose=output.verbose)
    reports: list[Report] = []
    try:
        with writer.progress(len(pairs)):
            async for report in run_all(pairs, width):
                reports.append(report)
                writer.show(report)
                if output.fail_fast and report.verdict in (Verdict.FAILED, Verdict.BROKEN):
                    break
    finally:
        if output.junit is not None:
            write_junit(sorted(reports, key=lambda report: report.name), output.junit)
        writer.finish(reports, output.written(), took_s=time.monotonic() - began_s)
    return reports


async def run_all(pairs: Sequence[Pair], width: int) -> AsyncIterator[Report]:
    """Reports in order of completion; at most `width` at a time. Leaving early cancels what still runs."""
    gate = asyncio.Semaphore(width)

    async def one(pair: Pair) -> Report:
        async with gate:
            return await run(*pair)

    tasks = [asyncio.create_task(one(pair)) for pair in pairs]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
