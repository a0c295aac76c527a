"""pytest learns two things: scenario files are tests, and fixtures such as `<platform>_server` are running servers.

    pytest scenarios/                          every scenario below, in virtual time
    pytest scenarios/ --fleetrig-time real     the same over loopback sockets
    pytest scenarios/ -m failure               those that carry the tag `failure`

docs/pytest.md has it all. JUnit files of pytest's get file, line, seed, profile and trace of each scenario.

Loaded in every pytest run of an environment that has fleetrig, so nothing heavy is imported before it is needed. pytest
takes hooks and fixtures from the names of this module.
"""

from __future__ import annotations

import pytest

from fleetrig.harness.pytest_plugin import server_against
from fleetrig.harness.pytest_plugin.failed_tests import pytest_runtest_makereport
from fleetrig.harness.pytest_plugin.junit_names import JunitNames
from fleetrig.harness.pytest_plugin.locust_fixtures import pytest_load_initial_conftests
from fleetrig.harness.pytest_plugin.options import pytest_addoption
from fleetrig.harness.pytest_plugin.scenario_items import pytest_collect_file
from fleetrig.harness.pytest_plugin.server_fixtures import MARKER_HELP, fixtures

__all__ = [
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_load_initial_conftests",
    "pytest_runtest_makereport",
]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER_HELP)
    server_against.describe(config)
    config.pluginmanager.register(JunitNames(config), "fleetrig-junit-names")


globals().update(fixtures())
