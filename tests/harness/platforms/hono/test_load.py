"""`fleetrig load` with Hono's devices, over HTTP and MQTT, with certificates and passwords."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from fleetrig.harness.load.curves import CURVES_FILE, read_curves
from fleetrig.harness.report.exits import Exit
from tests.harness.command import Running

FLEET = """
    scenario: A small fleet is let in and heard
    devices: {count: 10, flow: hono, over: OVER, serial: "HN-{n:04d}", credential: KIND, interval: 200ms}
    phases:
      - name: power on
        do: [FIRST{power_on: {spread: 500ms}}]
        within: 30s
        expect: [{reaches: {stage: online}}]
      - name: steady
        for: 2s
        expect: [{errors: {at_most: 0}}, {sends: {name: telemetry}}, {registry: {devices: 10}}]
"""
JUDGED = (Exit.PASSED, Exit.BROKEN)
"""On a machine with much else to do the generator may have been the limit, and says so."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("over", "kind", "workers"),
    [("http", "certificate", 2), ("mqtt", "password", 0)],
)
def test_a_fleet_under_load(tmp_path: Path, over: str, kind: str, workers: int) -> None:
    """Our own server of a load run trusts whom the run's tenant names. `make soak` has the other pairs."""
    fleet_under_load(tmp_path, over, kind, workers)


def fleet_under_load(tmp_path: Path, over: str, kind: str, workers: int) -> None:
    first = "preregister, " if kind == "password" else ""
    text = FLEET.replace("OVER", over).replace("KIND", kind).replace("FIRST", first)
    (tmp_path / "scenarios" / "load").mkdir(parents=True)
    (tmp_path / "scenarios" / "load" / "fleet.yaml").write_text(dedent(text).lstrip(), encoding="utf-8")
    running = Running("load", "load/fleet", *(("--workers", str(workers)) if workers else ()), cwd=tmp_path)
    code, said = running.end(), running.said()

    assert code in JUDGED, said
    left = tmp_path / "fleetrig-results" / "load" / "fleet.load"
    about = json.loads((left / "summary.json").read_text())
    assert about["verdict"] == "passed" or "the generator was the limit" in about["reason"], said
    assert "ok reaches {stage: online}" in said
    rows = read_curves(left / CURVES_FILE)
    assert max(row.online for row in rows) == 10
    assert sum(row.rate for row in rows) >= 10 * 5
