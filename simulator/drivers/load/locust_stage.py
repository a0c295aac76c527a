"""Locust as a library: its environment, statistics, web UI. Importing this patches the standard library."""

from __future__ import annotations

import csv
import os
import socket as sockets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_STOPPED, LocalRunner, MasterRunner, WorkerRunner
from locust.stats import PERCENTILES_TO_REPORT, StatsCSV, stats_history

from fleetrig.simulator.contract.errors import BrokenBench, system_said
from fleetrig.simulator.drivers.load import messages
from fleetrig.simulator.drivers.load.device_user import DeviceUser
from fleetrig.simulator.drivers.load.worker import LoadWorker
from fleetrig.simulator.drivers.load.workers_bench import WorkersBench

STATISTICS_FILE: Final = "locust_stats.csv"


def alone() -> Environment:
    """For a run in this process."""
    environment = new_environment()
    environment.create_local_runner()
    return environment


def with_workers(host: str, port: int, bench: WorkersBench) -> Environment:
    """For a master: workers that connect are the bench's."""
    environment = new_environment()
    runner = environment.create_master_runner(host, port)

    def came(client_id: str, **_: Any) -> None:
        if bench.has_begun:
            runner.send_message("quit", client_id=client_id)
        bench.joins(client_id)

    def heard(msg: Any, **_: Any) -> None:
        match msg.type:
            case messages.TOLD:
                bench.told(msg.node_id, msg.data)
            case messages.ARE_OFF:
                bench.are_off(msg.node_id)
            case messages.FAILED:
                bench.failed(msg.node_id, str(msg.data))

    connected: Any = environment.events.worker_connect
    connected.add_listener(came)
    for name in messages.TO_MASTER:
        runner.register_message(name, heard)
    return environment


def sender(environment: Environment) -> Callable[[str, str, Any], None]:
    """Sends a message to a worker."""
    runner = environment.runner
    assert isinstance(runner, MasterRunner)
    return lambda worker, name, data: runner.send_message(name, data, worker)


def teller(environment: Environment) -> Callable[[str, Any], None]:
    """Sends a message to the master."""
    runner = environment.runner
    assert isinstance(runner, WorkerRunner)
    return lambda name, data: runner.send_message(name, data)


def report(environment: Environment) -> None:
    """Tells the master Locust's statistics now. Without it their last part may come after the master has gone."""
    runner = environment.runner
    assert isinstance(runner, WorkerRunner)
    statistics: dict[str, Any] = {}
    reporting: Any = environment.events.report_to_master
    reporting.fire(client_id=runner.client_id, data=statistics)
    runner.send_message("stats", statistics)


def port_of(environment: Environment) -> int:
    """Where a master listens."""
    assert isinstance(environment.runner, MasterRunner)
    port: int = environment.runner.server.port
    return port


def as_worker(host: str, port: int) -> Environment:
    """For a worker. Tries for a minute to reach the master. Raises BrokenBench when nobody is there."""
    environment = new_environment()
    try:
        environment.create_worker_runner(host, port)
    except ConnectionError:
        raise BrokenBench(f"no master answers at {host}:{port}: start it there with --master") from None
    return environment


def follow(environment: Environment, worker: LoadWorker) -> None:
    """Until the master sends the worker away."""
    runner = environment.runner
    assert isinstance(runner, WorkerRunner)
    for name in messages.TO_WORKER:
        runner.register_message(name, lambda msg, **_: worker.heard(msg.type, msg.data))
    runner.greenlet.join()


def new_environment() -> Environment:
    """With devices as the only kind of user."""
    return Environment(user_classes=[DeviceUser], catch_exceptions=False)


def begin(environment: Environment) -> None:
    """Locust shows a run as running."""
    runner = environment.runner
    assert runner is not None
    runner.stats.reset_all()
    runner.update_state(STATE_RUNNING)
    gevent.spawn(stats_history, runner)


def end(environment: Environment) -> None:
    """No more users."""
    runner = environment.runner
    if isinstance(runner, LocalRunner):
        runner.update_state(STATE_STOPPED)
    elif runner is not None:
        runner.quit()


def show_web(environment: Environment, host: str, port: int, stop: Callable[[], None]) -> None:
    """Starts Locust's web UI. Its Stop button stops the run; others change nothing: the scenario directs the devices.

    Raises BrokenBench when something else is there.
    """
    try:
        with sockets.create_server((host, port)):
            pass
    except OSError as wrong:
        plain = OSError(wrong.errno, os.strerror(wrong.errno or 0))  # its own text names the address once more
        raise BrokenBench(f"--web {host}:{port}: {system_said(plain)}") from None
    stopping: Any = environment.events.test_stopping
    stopping.add_listener(lambda **_: stop())
    environment.create_web_ui(host, port)


def write_statistics(environment: Environment, folder: Path) -> None:
    """Locust's own table of requests. Raises OSError."""
    with (folder / STATISTICS_FILE).open("w", encoding="utf-8", newline="") as file:
        StatsCSV(environment, PERCENTILES_TO_REPORT).requests_csv(csv.writer(file))
