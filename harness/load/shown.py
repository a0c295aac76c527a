"""What a person sees of a load run: a line a second, then the report with its figures."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from fleetrig.harness.load.load_run import LoadRun
from fleetrig.harness.load.summary import summary_lines
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import Exit, exit_of
from fleetrig.harness.report.junit import write_junit
from fleetrig.harness.verdict import Report, Verdict


def show_line(text: str) -> None:
    """On a terminal over the line of before; else as a line of its own."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")
        sys.stderr.flush()


def shown(report: Report, load_run: LoadRun) -> int:
    """The report in the terminal and in files. Returns the exit code."""
    console = make_console()
    console.print()
    ConsoleReport(console, verbose=True, single=True).show(report)
    if load_run.order.junit is not None:
        write_junit([report], Path(load_run.order.junit))
    if report.verdict is Verdict.SKIPPED or (report.verdict is Verdict.BROKEN and not load_run.curves.totals.started):
        return int(exit_of(report.verdict))
    for line in summary_lines(load_run.curves.totals, load_run.curves.rows, is_open=load_run.order.is_open):
        console.print(f"  {line}", markup=False)
    console.print(f"  figures    {load_run.folder}", markup=False)
    return int(Exit.INTERRUPTED if load_run.was_interrupted else exit_of(report.verdict))
