"""What came to the servers of a test that failed: most failures are explained by a refusal, or by what never came."""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from fleetrig.simulator.contract.errors import FleetrigError

if TYPE_CHECKING:
    from fleetrig.harness.running_server.server import RunningServer


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call" and report.failed:
        for name, server in servers_of(item).items():
            if text := what_came_to(server):
                report.sections.append((f"{name}: what came", text))
    return report


def servers_of(item: pytest.Item) -> dict[str, RunningServer]:
    """Those that its fixtures gave it, by the name of the fixture."""
    module = sys.modules.get("fleetrig.harness.running_server.server")
    if module is None:
        return {}
    given = getattr(item, "funcargs", {})
    return {name: value for name, value in given.items() if isinstance(value, module.RunningServer)}


def what_came_to(server: RunningServer) -> str:
    """Empty for a server that is gone, or tells nothing."""
    from fleetrig.harness.running_server.events import EventQuery
    from fleetrig.harness.running_server.waiting import what_came

    if not server.control:
        return ""
    try:
        return what_came(EventQuery(), server.trace())
    except FleetrigError:
        return ""
