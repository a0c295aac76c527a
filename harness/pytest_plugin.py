"""pytest, taught two things: scenario files are tests, and `hawkbit_server` is a running reference server.

    pytest scenarios/                          every scenario below, in virtual time
    pytest scenarios/ --fleetrig-time real     the same over loopback sockets

Loaded in every pytest run of an environment that has fleetrig, so nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fleetrig.harness.scenario_file.selection import Expanded
    from fleetrig.harness.verdict import Report

FIRST_KEY = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n|\s*\n|---\s*\n)*scenario\s*:")
"""A scenario file begins with its sentence; other YAML is none of our business."""

LOCUST_FIXTURES = ("session", "fastsession")

HEAD_BYTES = 16 * 1024
READY_WITHIN_S = 30.0


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fleetrig")
    group.addoption("--fleetrig-time", choices=("virtual", "real"), default="virtual", help="how scenario files run")
    group.addoption("--fleetrig-seed", type=int, default=1, help="seed of scenario files")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keeps out the fixtures of Locust's plugin, which comes with us: `session` is a name for people's own fixtures.

    Who wants them says so as usual, with `-p locust`. The plugin may be loaded before ours, and pytest reads fixtures
    from every plugin that ever was; so they are taken out of the module.
    """
    if "locust" in early_config.known_args_namespace.plugins:
        return
    plugin = early_config.pluginmanager.get_plugin("locust")
    early_config.pluginmanager.set_blocked("locust")
    for name in LOCUST_FIXTURES:
        if hasattr(plugin, name):
            delattr(plugin, name)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Only YAML files whose first key is `scenario`."""
    if file_path.suffix != ".yaml":
        return None
    with file_path.open("rb") as file:
        if not FIRST_KEY.match(file.read(HEAD_BYTES)):
            return None
    collector: pytest.Collector = ScenarioCollector.from_parent(parent, path=file_path)
    return collector


class ScenarioCollector(pytest.File):
    """One scenario file: an item per combination of its matrix."""

    def collect(self) -> Iterable[pytest.Item]:
        from fleetrig.harness.run.power_points import power_cut_points
        from fleetrig.harness.scenario_file.selection import expand, id_of
        from fleetrig.harness.scenario_file.template import read_scenario
        from fleetrig.simulator.contract.errors import FleetrigError

        try:
            runs = expand(read_scenario(self.path, id_of(self.path, home_of(self.path))), power_cut_points)
        except FleetrigError as wrong:
            raise self.CollectError(str(wrong)) from None
        for expanded in runs:
            name = expanded.name.rpartition("/")[2]
            yield ScenarioItem.from_parent(self, name=name, expanded=expanded)


def home_of(path: Path) -> Path:
    """The folder that ids count from: the nearest one called `scenarios`, else where the file lies."""
    return next((folder for folder in path.parents if folder.name == "scenarios"), path.parent)


class ScenarioItem(pytest.Item):
    """One expanded scenario."""

    def __init__(self, *, expanded: Expanded, **rest: Any) -> None:
        super().__init__(**rest)
        self.expanded = expanded

    def runtest(self) -> None:
        from fleetrig.harness.run.run import RunOptions, run
        from fleetrig.harness.verdict import Verdict

        config = self.config
        options = RunOptions(
            real_time=config.getoption("--fleetrig-time") == "real",
            seed=config.getoption("--fleetrig-seed"),
            results=config.rootpath / "fleetrig-results",
        )
        report = asyncio.run(run(self.expanded, options))
        match report.verdict:
            case Verdict.SKIPPED:
                pytest.skip(report.reason)
            case Verdict.FAILED | Verdict.BROKEN:
                raise ScenarioFailed(report)
            case Verdict.WARNED | Verdict.KNOWN | Verdict.PASSED:
                self.add_report_section("call", "fleetrig", report.title)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings instead of a traceback through our own code."""
        if isinstance(excinfo.value, ScenarioFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, 0, self.expanded.name


class ScenarioFailed(Exception):
    """A scenario whose verdict is FAILED or BROKEN."""

    def __init__(self, report: Report) -> None:
        from fleetrig.harness.report.text import finding_lines

        super().__init__("\n".join([f"{report.verdict}: {report.title}", *finding_lines(report)]))


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A reference server in a process of its own."""

    url: str
    user: str
    password: str
    pid: int


@pytest.fixture
def hawkbit_server(tmp_path: Path) -> Iterator[RunningServer]:
    """A fresh hawkBit reference server on a loopback port, with the accounts of the real all-in-one server."""
    ready = tmp_path / "ready.json"
    serve = [sys.executable, "-m", "fleetrig.harness.cli", "serve"]
    command = [*serve, "--http", "127.0.0.1:0", "--ready-file", str(ready)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            about = wait_until_ready(process, ready)
            yield RunningServer(f"http://{about['http']}", "admin", "admin", process.pid)
        finally:
            process.terminate()


def wait_until_ready(process: subprocess.Popen[bytes], ready: Path) -> dict[str, Any]:
    """What `serve --ready-file` wrote. Raises RuntimeError when the process ends before."""
    from time import monotonic, sleep

    deadline_s = monotonic() + READY_WITHIN_S
    while not ready.exists():
        if process.poll() is not None:
            raise RuntimeError(f"fleetrig serve ended with exit code {process.returncode} before it was ready")
        if monotonic() > deadline_s:
            raise RuntimeError(f"fleetrig serve was not ready within {READY_WITHIN_S:g} s")
        sleep(0.02)
    about: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
    return about
