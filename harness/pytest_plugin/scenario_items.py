"""Scenario files as tests: *.yaml and *.yml that look like one are collected, an item for each run; tags are markers.

Of others below a folder `scenarios` that holds some, a warning says why they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fleetrig.harness.pytest_plugin.options import against, as_in_pytest
from fleetrig.harness.pytest_plugin.server_against import remote_of
from fleetrig.harness.pytest_plugin.stopping import end_as_with_ctrl_c

if TYPE_CHECKING:
    from fleetrig.harness.scenario_file.selection import Expanded
    from fleetrig.harness.verdict import Report

SUFFIXES = (".yaml", ".yml")
HOME = "scenarios"

MEANS_SOMETHING = frozenset({"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings", "fleetrig"})
"""Markers by which pytest, or this plugin, changes what it does: a tag of such a name is none."""


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
        from fleetrig.harness.servers.trust import verify_with
        from fleetrig.harness.verdict import Verdict

        config = self.config
        end_as_with_ctrl_c(config)
        server = remote_of(config, self.expanded.scenario.platform)
        options = RunOptions(
            against=server,
            again=() if server is None else ("--against", against(config)),
            verify=True if server is None else verify_with(None, insecure=False, file_ca=server.ca),
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
                pytest.skip(as_in_pytest(report.reason))
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
