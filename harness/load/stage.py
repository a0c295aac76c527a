"""The process of a load run, from its order to its exit code. Locust has been imported already (`locustfile.py`)."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import gevent

from fleetrig.harness.load.cpu_meter import CpuMeter
from fleetrig.harness.load.generator import LoadGenerator, OneProcess, WithWorkers
from fleetrig.harness.load.load_run import LoadRun
from fleetrig.harness.load.metrics_endpoint import serve_metrics
from fleetrig.harness.load.order import LoadOrder, expanded_for, options_for, trusted_by
from fleetrig.harness.load.processes import end, workers_running
from fleetrig.harness.load.shown import LineEachSecond, shown
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.run.open_files import raise_soft_limit
from fleetrig.harness.run.scenario_run import ScenarioRun
from fleetrig.harness.servers.address import place_of
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.load import locust_stage
from fleetrig.simulator.drivers.load.bench import LoadBench
from fleetrig.simulator.drivers.load.device_user import starter
from fleetrig.simulator.drivers.load.locust_statistics import LocustStatistics
from fleetrig.simulator.drivers.load.worker import LoadWorker
from fleetrig.simulator.drivers.load.workers_bench import WorkersBench

WORKERS_WITHIN_S: Final = 120.0
LOOKS_EVERY_S: Final = 0.05
ORPHAN_EVERY_S: Final = 1.0


def main() -> int:
    """Does what the order says. Returns the exit code."""
    order = LoadOrder.from_json(sys.stdin.readline())
    logging.getLogger("locust").setLevel(logging.ERROR)
    raise_soft_limit()
    work = gevent.spawn(to_exit_code, follow_master if order.master else direct, order)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        gevent.signal_handler(number, work.kill, KeyboardInterrupt, block=False)
    gevent.spawn(end_as_orphan, work)
    work.join()
    return Exit.INTERRUPTED if isinstance(work.value, gevent.GreenletExit) else int(work.value)


def to_exit_code(do: Callable[[LoadOrder], int], order: LoadOrder) -> int:
    """Does it; an error of ours becomes a sentence and an exit code."""
    try:
        return do(order)
    except FleetrigError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return wrong.exit_code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as bug:  # noqa: BLE001 (the program ends with it)
        sys.stderr.write(f"this is a bug in fleetrig, please report it:\n{''.join(traceback.format_exception(bug))}")
        return Exit.BUG


def end_as_orphan(work: Any) -> None:
    """Ends the work when the process that has started this one is gone."""
    parent = os.getppid()
    while os.getppid() == parent:
        gevent.sleep(ORPHAN_EVERY_S)
    work.kill(KeyboardInterrupt, block=False)


def direct(order: LoadOrder) -> int:
    """The run itself: with the devices here, or with workers."""
    expanded = expanded_for(order)
    run = ScenarioRun(expanded, options_for(order, expanded))
    with (with_workers if order.workers else alone)(order, run) as (environment, generator):
        load_run = LoadRun(order, expanded, run, generator)
        if order.web:
            work = gevent.getcurrent()
            locust_stage.show_web(environment, *place_of(order.web), lambda: load_run.stop(work))
        if order.metrics:
            serve_metrics(order.metrics, load_run.metrics)
        locust_stage.begin(environment)
        report = load_run.run(LineEachSecond())
    load_run.write(report, lambda folder: locust_stage.write_statistics(environment, folder))
    return shown(report, load_run)


@contextmanager
def alone(order: LoadOrder, run: ScenarioRun) -> Iterator[tuple[Any, LoadGenerator]]:
    """This process has the devices."""
    environment = locust_stage.alone()
    statistics = LocustStatistics(environment)
    bench = LoadBench(
        run.trace,
        starter(environment),
        statistics.told,
        settle=statistics.settle,
        seed=order.seed,
        verify=run.options.verify,
        is_open=order.is_open,
        sources=order.sources,
    )
    yield environment, OneProcess(bench)
    locust_stage.end(environment)


@contextmanager
def with_workers(order: LoadOrder, run: ScenarioRun) -> Iterator[tuple[Any, LoadGenerator]]:
    """Workers have them. Raises BrokenBench when they do not come."""
    bench = WorkersBench(run.trace, verify=run.options.verify)
    environment = locust_stage.with_workers(order.bind, order.port, bench)
    bench.send_with(locust_stage.sender(environment))
    started = workers_running(order, locust_stage.port_of(environment)) if order.starts_workers else []
    try:
        wait_for_workers(bench, order)
        bench.begin(order.seed, is_open=order.is_open)
        yield environment, WithWorkers(bench)
    finally:
        locust_stage.end(environment)
        for process in started:
            end(process)


def wait_for_workers(bench: WorkersBench, order: LoadOrder) -> None:
    if not order.starts_workers:
        sys.stderr.write(f"waiting  for {order.workers} workers at {order.bind}:{order.port}\n")
    with gevent.Timeout(WORKERS_WITHIN_S, exception=False):
        while len(bench.workers) < order.workers:
            gevent.sleep(LOOKS_EVERY_S)
        return
    raise BrokenBench(
        f"{len(bench.workers)} of {order.workers} workers came within {WORKERS_WITHIN_S:g} s: start the others with "
        "`fleetrig load --worker HOST`, and look whether they can reach this machine"
    )


def follow_master(order: LoadOrder) -> int:
    """A worker, until its master sends it away."""
    environment = locust_stage.as_worker(*place_of(order.master))
    verify = trusted_by(order)

    statistics = LocustStatistics(environment)

    def settle() -> None:
        statistics.settle()
        locust_stage.report(environment)

    def make_bench(seed: int, is_open: bool) -> LoadBench:
        return LoadBench(
            Trace(),
            starter(environment),
            statistics.told,
            settle=settle,
            seed=seed,
            verify=verify,
            is_open=is_open,
            sources=order.sources,
        )

    locust_stage.follow(environment, LoadWorker(make_bench, locust_stage.teller(environment), CpuMeter().tick))
    return 0
