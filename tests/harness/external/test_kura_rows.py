"""The rows for gateways (G01 to G52): our own gateway passes all, and one with a mistake does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.run.context import default_behaviour
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Report, Verdict
from tests.harness.broken_devices import Change

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[3] / "scenarios"
ROWS = plan(["external/kura"], SCENARIOS)


def outcome(name: str, folder: Path, change: Change = default_behaviour) -> Report:
    (expanded,) = [row for row in ROWS if row.name == name]
    return asyncio.run(run(expanded, RunOptions(results=folder, own_device=True, behaviour=change)))


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_our_own_gateway_passes_in_virtual_time(name: str, tmp_path: Path) -> None:
    report = outcome(name, tmp_path)
    assert report.verdict is Verdict.PASSED, report
    assert report.time == "virtual"
