"""`fleetrig report`: stored traces in, verdicts and reports out; nothing is run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.export_option import (
    ExportTo,
    are_of_events,
    read_exports,
    show_unjudged,
    write_events,
    write_verdicts,
)
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import (
    AllowOutside,
    AllowSkipped,
    FailOnSkip,
    Junit,
    ReportPage,
    Scenarios,
    Strict,
)
from fleetrig.harness.commands.output_places import check_file
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import ExitRules, exit_of_all, remark_on_skips
from fleetrig.harness.report.junit import by_rules, write_junit
from fleetrig.harness.report_page.page import write_report_page
from fleetrig.harness.run.known_deviations import peer_of
from fleetrig.harness.run.replay import replay
from fleetrig.harness.run.trace_file import ENDING
from fleetrig.harness.scenario_file.selection_folders import scenario_folders
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.errors import UsageError


@examples(
    "fleetrig report run.jsonl --verbose",
    "fleetrig report fleetrig-results --junit junit.xml",
    "fleetrig report run.jsonl --to pcapng=run.pcapng --to chrome=run.json",
)
def report_command(
    traces: Annotated[list[Path], typer.Argument(metavar="TRACE.jsonl", help="Traces of runs, or folders of them.")],
    junit: Junit = None,
    html: ReportPage = None,
    to: ExportTo = None,
    strict: Strict = False,
    fail_on_skip: FailOnSkip = False,
    allow_skipped: AllowSkipped = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the checks of passed runs too.")] = False,
    known: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Take the known deviations of this device or server into account."),
    ] = None,
    allow_outside: AllowOutside = False,
    scenarios: Scenarios = None,
) -> None:
    """Judge stored traces again, without running anything. Uses the server answers recorded in the trace."""
    began_s = time.monotonic()
    if junit is not None:
        check_file("--junit", junit)
    if html is not None:
        check_file("--html", html)
    rules = ExitRules(strict, fail_on_skip, allow_skipped)
    paths = list(traces_in(traces))
    folders = scenario_folders(scenarios)
    peer = None if known is None else peer_of(known, folders)
    exports = read_exports(to, paths)
    write_events(exports, paths)
    try:
        judged = [replay(path, folders, peer, allows_outside=allow_outside) for path in paths]
    except UsageError as why:
        if junit or html or not are_of_events(exports):
            raise
        show_unjudged(exports, why)
        return
    console = make_console()
    writer = ConsoleReport(console, verbose=verbose, single=len(paths) == 1)
    reports: list[Report] = []
    for report, remark in judged:
        reports.append(report)
        writer.show(report)
        if remark:
            console.print(f"  {remark}")
    verdicts = [report.verdict for report in reports]
    try:
        if junit is not None:
            write_junit(by_rules(reports, rules), junit)
        if html is not None:
            write_report_page(reports, html)
        write_verdicts(exports, paths, reports)
    finally:
        took_s = time.monotonic() - began_s
        places = {"junit": junit, "html": html, **{export.name: export.path for export in exports}}
        written = {what: path for what, path in places.items() if path is not None and path.exists()}
        writer.finish(reports, written, took_s=took_s, remark=remark_on_skips(verdicts, rules))
    raise typer.Exit(exit_of_all(verdicts, rules))


def traces_in(places: Sequence[Path]) -> Iterator[Path]:
    """Yields files as given, and all traces in folders. Raises UsageError for a folder without traces."""
    for place in places:
        if not place.is_dir():
            yield place
            continue
        found = sorted(place.rglob(f"*{ENDING}"))
        if not found:
            raise UsageError(f"{place} holds no traces (*{ENDING})")
        yield from found
