"""pytest learns two things: scenario files are tests, and `<platform>_server` is a running reference server.

    pytest scenarios/                          every scenario below, in virtual time
    pytest scenarios/ --fleetrig-time real     the same over loopback sockets
    pytest scenarios/ -m failure               those that carry the tag `failure`

Scenario files are *.yaml and *.yml that look like one; of others below a folder `scenarios` that holds some, a warning
says why they are left out. Tags are markers. JUnit files of pytest's get file, line, seed, profile and trace of each.

Loaded in every pytest run of an environment that has fleetrig, so nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.junitxml import xml_key  # the fixture record_xml_attribute uses it too, and there is no public way

from fleetrig.harness.platforms import PLATFORMS
from fleetrig.simulator.contract.bounds import SEED

if TYPE_CHECKING:
    from fleetrig.harness.scenario_file.selection import Expanded
    from fleetrig.harness.verdict import Report

SUFFIXES = (".yaml", ".yml")
HOME = "scenarios"

LOCUST_FIXTURES = ("session", "fastsession")

RUN_PROPERTY = "run"
"""Of `report.junit.properties_of`: the run's name."""

MEANS_SOMETHING = frozenset({"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"})
"""Markers by which pytest changes what it does: a tag of such a name is none."""

ENDS_AS_WITH_CTRL_C = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fleetrig")
    group.addoption("--fleetrig-time", choices=("virtual", "real"), default="virtual", help="how scenario files run")
    group.addoption("--fleetrig-seed", type=seed, default=1, help="seed of scenario files")
    group.addoption("--fleetrig-bench", type=Path, help="where the boards of scenario files are (a bench file)")
    group.addoption("--fleetrig-fail-on-skip", action="store_true", help="a scenario file that is skipped fails")
    group.addoption("--fleetrig-allow-outside", action="store_true",
                    help="let scenario files read lists of units that lie outside their folder")  # fmt: skip


def seed(text: str) -> int:
    """Raises ValueError for a number that no command takes either."""
    number = int(text)
    SEED.check(abs(number))
    return number


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


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(JunitNames(config), "fleetrig-junit-names")


class JunitNames:
    """Calls scenarios in pytest's JUnit file as `fleetrig run --junit` does: pytest's own classname ends in `.yaml`."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        run = next((value for name, value in report.user_properties if name == RUN_PROPERTY), None)
        document = self._config.stash.get(xml_key, None)
        if isinstance(run, str) and "/" in run and document is not None:
            from fleetrig.harness.report.junit import classname_of

            document.node_reporter(report).add_attribute("classname", classname_of(run))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Iterable[str]) -> None:
        """With pytest-xdist scenarios run in other processes; this one writes the JUnit file when it is stopped."""
        if any(name.partition("::")[0].endswith(SUFFIXES) for name in ids):
            end_as_with_ctrl_c(self._config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """YAML files that are scenarios, or mean to be; other YAML is left alone."""
    if file_path.suffix not in SUFFIXES:
        return None
    from fleetrig.harness.scenario_file.recognition import is_other_file, looks_like_scenario

    home = home_of(file_path)
    if is_other_file(file_path.relative_to(home)):
        return None
    if looks_like_scenario(file_path):
        kind: type[pytest.File] = ScenarioCollector
    elif home.name == HOME and holds_scenarios(home):
        kind = NoScenarioCollector
    else:
        return None
    collector: pytest.Collector = kind.from_parent(parent, path=file_path)
    return collector


def end_as_with_ctrl_c(config: pytest.Config) -> None:
    """From the first use of fleetrig on, SIGTERM and SIGHUP end pytest as Ctrl-C does, so that servers are stopped."""
    from fleetrig.harness.run.interrupts import signals_as_ctrl_c

    if not config.stash.get(ENDS_AS_WITH_CTRL_C, False):
        config.stash[ENDS_AS_WITH_CTRL_C] = True
        config.add_cleanup(signals_as_ctrl_c())


class NoScenarioCollector(pytest.File):
    """A file among scenarios that is none: nobody is to believe that it was run."""

    def collect(self) -> Iterable[pytest.Item]:
        from fleetrig.harness.scenario_file.recognition import why_no_scenario

        silenced = "a name that begins with _ says that it is something else"
        self.warn(pytest.PytestCollectionWarning(f"no test: {why_no_scenario(self.path)}; {silenced}"))
        return ()


@cache
def holds_scenarios(home: Path) -> bool:
    """True when a folder called `scenarios` is one of ours: other projects have such folders too."""
    from fleetrig.harness.scenario_file.recognition import is_other_file, looks_like_scenario

    found = (path for suffix in SUFFIXES for path in home.rglob(f"*{suffix}"))
    return any(looks_like_scenario(path) for path in found if not is_other_file(path.relative_to(home)))


@cache
def ids_of_commands(here: Path) -> Mapping[str, Path]:
    """What ids mean to `fleetrig run` in the working folder, for the command lines in reports."""
    from fleetrig.harness.scenario_file.selection_folders import scenario_folders

    return {one: here / path for one, path in scenario_folders().known().items()}


class ScenarioCollector(pytest.File):
    """One scenario file: an item per combination of its matrix."""

    def collect(self) -> Iterable[pytest.Item]:
        from fleetrig.harness.run.power_points import power_cut_points
        from fleetrig.harness.scenario_file.selection import expand
        from fleetrig.harness.scenario_file.selection_lookup import command_word, id_of
        from fleetrig.harness.scenario_file.template import read_scenario
        from fleetrig.simulator.contract.errors import FleetrigError

        allows_outside = self.config.getoption("--fleetrig-allow-outside")
        try:
            scenario_id = id_of(self.path, home_of(self.path))
            file = read_scenario(self.path, scenario_id, allows_outside=allows_outside)
            called = command_word(scenario_id, self.path, ids_of_commands(Path.cwd()))
            runs = expand(replace(file, called=called), power_cut_points)
        except FleetrigError as wrong:
            raise self.CollectError(str(wrong)) from None
        for expanded in runs:
            name = expanded.name.rpartition("/")[2]
            item = ScenarioItem.from_parent(self, name=name, expanded=expanded)
            for tag in expanded.scenario.tags:
                mark_with(item, tag)
            yield item


def mark_with(item: pytest.Item, tag: str) -> None:
    """A tag as a marker that pytest knows, also with --strict-markers."""
    if tag not in MEANS_SOMETHING:
        item.config.addinivalue_line("markers", f"{tag}: a tag of scenario files")
        item.add_marker(tag)


def home_of(path: Path) -> Path:
    """The folder that ids count from: the nearest one called `scenarios`, else where the file lies."""
    return next((folder for folder in path.parents if folder.name == HOME), path.parent)


class ScenarioItem(pytest.Item):
    """One expanded scenario."""

    def __init__(self, *, expanded: Expanded, **rest: Any) -> None:
        super().__init__(**rest)
        self.expanded = expanded

    def runtest(self) -> None:
        from fleetrig.harness.report.junit import properties_of
        from fleetrig.harness.report.text import measured_lines
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
            bench=config.getoption("--fleetrig-bench"),
        )
        report = run_until_stopped(run(self.expanded, options), notice="")
        self.user_properties += properties_of(report)
        match report.verdict:
            case Verdict.SKIPPED if config.getoption("--fleetrig-fail-on-skip"):
                raise ScenarioFailed(report)
            case Verdict.SKIPPED:
                pytest.skip(report.reason)
            case Verdict.FAILED | Verdict.BROKEN:
                raise ScenarioFailed(report)
            case Verdict.WARNED | Verdict.KNOWN | Verdict.PASSED:
                self.add_report_section("call", "fleetrig", "\n".join([report.title, *measured_lines(report)]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings instead of a traceback through our own code."""
        if isinstance(excinfo.value, ScenarioFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, max(0, self.expanded.scenario.line - 1), self.expanded.name


class ScenarioFailed(Exception):
    """A scenario whose verdict is FAILED or BROKEN; SKIPPED, if that counts as a failure."""

    def __init__(self, report: Report) -> None:
        from fleetrig.harness.report.text import finding_lines
        from fleetrig.harness.verdict import Verdict

        found = [report.reason] if report.verdict is Verdict.SKIPPED else finding_lines(report)
        super().__init__("\n".join([f"{report.verdict}: {report.title}", *found]))


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
