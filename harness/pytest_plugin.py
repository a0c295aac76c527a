"""pytest learns two things: scenario files are tests, and `<platform>_server` is a running reference server.

    pytest scenarios/                          every scenario below, in virtual time
    pytest scenarios/ --fleetrig-time real     the same over loopback sockets

Loaded in every pytest run of an environment that has fleetrig, so nothing heavy is imported before it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fleetrig.harness.platforms import PLATFORMS

if TYPE_CHECKING:
    from fleetrig.harness.scenario_file.selection import Expanded
    from fleetrig.harness.verdict import Report

FIRST_KEY = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n|\s*\n|---\s*\n)*scenario\s*:")
"""A scenario file begins with its title; other YAML files are left alone."""

LOCUST_FIXTURES = ("session", "fastsession")

HEAD_BYTES = 16 * 1024

ENDS_AS_WITH_CTRL_C = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fleetrig")
    group.addoption("--fleetrig-time", choices=("virtual", "real"), default="virtual", help="how scenario files run")
    group.addoption("--fleetrig-seed", type=int, default=1, help="seed of scenario files")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keeps out the fixtures of Locust's plugin, which comes with us: `session` is a name for people's own fixtures.

    `-p locust` keeps them, as usual. That plugin may be loaded before ours, and pytest reads fixtures
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


def end_as_with_ctrl_c(config: pytest.Config) -> None:
    """From the first use of fleetrig on, SIGTERM and SIGHUP end pytest as Ctrl-C does, so that servers are stopped."""
    from fleetrig.harness.run.interrupts import signals_as_ctrl_c

    if not config.stash.get(ENDS_AS_WITH_CTRL_C, False):
        config.stash[ENDS_AS_WITH_CTRL_C] = True
        config.add_cleanup(signals_as_ctrl_c())


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
        from fleetrig.harness.run.interrupts import run_until_stopped
        from fleetrig.harness.run.run import run
        from fleetrig.harness.run.run_options import RunOptions
        from fleetrig.harness.verdict import Verdict

        config = self.config
        end_as_with_ctrl_c(config)
        options = RunOptions(
            real_time=config.getoption("--fleetrig-time") == "real",
            seed=config.getoption("--fleetrig-seed"),
            results=config.rootpath / "fleetrig-results",
        )
        report = run_until_stopped(run(self.expanded, options), notice="")
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
    """A reference server in a process of its own, and its administrator's account."""

    url: str
    """Of the platform's administration interface."""
    user: str
    password: str
    pid: int
    addresses: Mapping[str, str] = field(default_factory=dict)
    """`HOST:PORT` of each listener, by its name: `{"http": "127.0.0.1:41234"}`."""
    control: str = ""
    """The URL of its control interface (docs/control.md)."""


def server_fixture(platform: str) -> Any:
    """The fixture `<platform>_server`: a fresh reference server of that platform for each test."""

    @pytest.fixture(name=f"{platform}_server")
    def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningServer]:
        from fleetrig.harness.servers.description import description_of
        from fleetrig.harness.servers.serve_process import ServeProcess

        end_as_with_ctrl_c(request.config)
        about = description_of(platform)
        listening = [word for name in about.defaults for word in (f"--{name}", "127.0.0.1:0")]
        with ServeProcess(tmp_path, "--platform", platform, *listening) as served:
            addresses = {name: served.ready[name] for name in about.defaults}
            url = f"http://{addresses[about.admin]}"
            control = f"http://{served.ready['control']}"
            yield RunningServer(url, about.account.user, about.account.password, served.pid, addresses, control)

    return server


# pytest takes the fixtures of a plugin from its module's names.
for _name in PLATFORMS:
    globals()[f"{_name}_server"] = server_fixture(_name)
