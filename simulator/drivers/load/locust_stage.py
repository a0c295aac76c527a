"""Locust as a library: its environment, statistics, web UI. Importing this patches the standard library."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_STOPPED, LocalRunner
from locust.stats import PERCENTILES_TO_REPORT, StatsCSV, stats_history

from fleetrig.simulator.drivers.load.device_user import DeviceUser

STATISTICS_FILE: Final = "locust_stats.csv"


def alone() -> Environment:
    """For a run in this process."""
    environment = new_environment()
    environment.create_local_runner()
    return environment


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


def show_web(environment: Environment, host: str, port: int) -> Any:
    """Starts Locust's web UI; its buttons start nothing, since the scenario directs the devices."""
    return environment.create_web_ui(host, port)


def write_statistics(environment: Environment, path: Path) -> None:
    """Locust's own table of requests. Raises OSError."""
    with path.open("w", encoding="utf-8", newline="") as file:
        StatsCSV(environment, PERCENTILES_TO_REPORT).requests_csv(csv.writer(file))
