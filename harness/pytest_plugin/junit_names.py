"""How scenarios are called in pytest's JUnit file."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.junitxml import xml_key  # the fixture record_xml_attribute uses it too, and there is no public way

from fleetrig.harness.pytest_plugin.scenario_items import SUFFIXES
from fleetrig.harness.pytest_plugin.stopping import end_as_with_ctrl_c

RUN_PROPERTY = "run"
"""Of `report.junit.properties_of`: the run's name."""


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
