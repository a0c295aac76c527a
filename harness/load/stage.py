"""The process of a load run, from its order to its exit code. Locust has been imported already (`locustfile.py`)."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path

import gevent

from fleetrig.harness.load.generator import OneProcess
from fleetrig.harness.load.load_run import LoadRun
from fleetrig.harness.load.order import LoadOrder, expanded_for, options_for
from fleetrig.harness.load.summary import summary_lines
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import Exit, exit_of
from fleetrig.harness.report.junit import write_junit
from fleetrig.harness.run.open_files import raise_soft_limit
from fleetrig.harness.run.scenario_run import ScenarioRun
from fleetrig.harness.verdict import Report
from fleetrig.simulator.contract.errors import FleetrigError
from fleetrig.simulator.drivers.load import locust_stage
from fleetrig.simulator.drivers.load.bench import LoadBench
from fleetrig.simulator.drivers.load.device_user import starter, telling

INTERRUPTED = 2


def main() -> int:
    """Runs what the order says. Returns the exit code."""
    order = LoadOrder.from_json(sys.stdin.readline())
    work = gevent.spawn(directed, order)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        gevent.signal_handler(number, work.kill, KeyboardInterrupt, block=False)
    work.join()
    if work.exception is not None:
        raise work.exception
    return INTERRUPTED if isinstance(work.value, gevent.GreenletExit) else int(work.value)


def directed(order: LoadOrder) -> int:
    """One run, in this greenlet."""
    try:
        return run_here(order)
    except FleetrigError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return wrong.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def run_here(order: LoadOrder) -> int:
    """In this process alone."""
    raise_soft_limit()
    expanded = expanded_for(order)
    options = options_for(order, expanded)
    scenario_run = ScenarioRun(expanded, options)
    environment = locust_stage.alone()
    bench = LoadBench(
        scenario_run.trace,
        starter(environment),
        telling(environment),
        seed=order.seed,
        verify=options.verify,
        is_open=order.is_open,
        sources=order.sources,
    )
    load_run = LoadRun(order, expanded, scenario_run, OneProcess(bench))
    locust_stage.begin(environment)
    report = load_run.run(show_line)
    locust_stage.end(environment)
    load_run.write(
        report, lambda folder: locust_stage.write_statistics(environment, folder / locust_stage.STATISTICS_FILE)
    )
    return shown(report, load_run)


def shown(report: Report, load_run: LoadRun) -> int:
    """The report in the terminal and in files. Returns the exit code."""
    console = make_console()
    console.print()
    writer = ConsoleReport(console, verbose=True, single=True)
    writer.show(report)
    for line in summary_lines(load_run.curves.totals, load_run.curves.rows, is_open=load_run.order.is_open):
        console.print(f"  {line}", markup=False)
    if load_run.order.junit is not None:
        write_junit([report], Path(load_run.order.junit))
    console.print(f"figures  {load_run.folder}", markup=False)
    interrupted = report.reason.startswith("interrupted")
    return int(Exit.INTERRUPTED if interrupted else exit_of(report.verdict))


def show_line(text: str) -> None:
    """On a terminal over the line of before; else as a line of its own."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")
        sys.stderr.flush()
