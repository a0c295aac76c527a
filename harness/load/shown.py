"""What a person sees of a load run: a line a second, then the report with its figures."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from fleetrig.harness.load.load_run import LoadRun
from fleetrig.harness.load.summary import summary_lines
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import Exit, exit_of
from fleetrig.harness.report.junit import write_junit
from fleetrig.harness.verdict import Report, Verdict

PLAIN_LINE_EVERY: Final = 10
"""Seconds, where lines cannot be drawn over: a log keeps all of them."""


class LineEachSecond:
    """On a terminal each second's over the one of before; else now and then one of its own."""

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, text: str) -> None:
        self._shown += 1
        with suppress(OSError, ValueError):
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{text}")
            elif self._shown % PLAIN_LINE_EVERY == 1:
                sys.stderr.write(f"{text}\n")
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
