"""The array engine agrees with the exact one for each platform's devices, and where chance plays a part."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.fleets.engine_choice import EngineName
from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.given_params import read_params
from fleetrig.harness.scenario_file.selection import Expanded, plan
from fleetrig.harness.scenario_file.selection_folders import scenario_folders
from fleetrig.harness.verdict import PhaseResult, Report, Verdict
from tests.harness.runs import expanded

pytestmark = pytest.mark.slow

HEAD = """
    scenario: Devices come, lose their server, and come back
    devices: {flow: FLOW, over: OVER, count: 60, serial: "D-{n}", interval: 10s, timeout: 5s,
              backoff: {policy: fixed, base: 3s}}
    server: {capacity: {requests_per_s: CAPACITY}SETTINGS}
"""
PHASES = """
    phases:
      - name: the fleet starts
        do: {power_on: {spread: 2s}}
        for: 40s
        expect:
          - rate: {of: telemetry, at_most: 1000, curve: true}
          - errors: {at_most: 99.9%}
          - time_to_online: {p50: 30s}
      - name: the server is gone
        faults: [{fault: outage, for: 29s}]
        for: 30s
        expect:
          - reaches: {stage: backing_off}
          - rate: {of: "*", at_most: 1000, curve: true}
      - name: it is back
        for: 100s
        expect:
          - rate: {of: telemetry, at_most: 1000, curve: true}
          - errors: {at_most: 99.9%}
          - time_to_online: {p50: 100s}
"""
CREATES = ", settings: {provisionType: ALLOW_CREATE_NEW_DEVICES}"
SAME = {("thingsboard", "http"): (17, CREATES), ("hono", "http"): (17, "")}
NEAR = {("thingsboard", "mqtt"): (47, CREATES), ("hono", "mqtt"): (37, "")}
LIBRARY = {
    "load/recovery_stampede": [],
    "load/boot_storm": ["devices=300"],
    "load/steady_polling": ["steady=1m"],
    "load/soak": ["soak=2h"],
    "load/telemetry": ["devices=50"],
    "kura/reconnect_storm": ["devices=300", "capacity=15"],
}
"""Scenario -> what makes it small."""


def on(engine: EngineName, run_of: Expanded) -> Report:
    return asyncio.run(run(run_of, RunOptions(engine=engine)))


def of_platform(folder: Path, flow: str, over: str, capacity: int, settings: str) -> tuple[Report, Report]:
    head = HEAD.replace("FLOW", flow).replace("OVER", over).replace("CAPACITY", str(capacity))
    one = expanded(folder, PHASES, f"{flow}/x", head.replace("SETTINGS", settings))
    exact, cohort = on("exact", one), on("cohort", one)
    assert (exact.verdict, cohort.verdict) == (Verdict.PASSED, Verdict.PASSED), (exact.reason, cohort.reason)
    return exact, cohort


@pytest.mark.parametrize(("flow", "over"), SAME)
def test_whoever_asks_over_http_asks_in_the_same_seconds(tmp_path: Path, flow: str, over: str) -> None:
    exact, cohort = of_platform(tmp_path, flow, over, *SAME[flow, over])

    assert said(cohort) == said(exact)


def said(report: Report) -> list[object]:
    return [(phase.curves, [check.measured for check in phase.checks]) for phase in report.phases]


@pytest.mark.parametrize(("flow", "over"), NEAR)
def test_who_is_connected_asks_as_often_and_nearly_in_the_same_seconds(tmp_path: Path, flow: str, over: str) -> None:
    """What follows a login at once does so 2 ms later on the array engine, and finds another place in the queue."""
    exact, cohort = of_platform(tmp_path, flow, over, *NEAR[flow, over])

    for phase, other in zip(exact.phases, cohort.phases, strict=True):
        assert totals(phase) == totals(other)
        assert [check.measured for check in phase.checks if check.title.startswith("errors")] == [
            check.measured for check in other.checks if check.title.startswith("errors")
        ]
        assert area_between(phase, other) < 0.15


def totals(phase: PhaseResult) -> list[int]:
    return [sum(count for _, count in curve.counts) for curve in phase.curves]


def area_between(phase: PhaseResult, other: PhaseResult) -> float:
    """As a share of all requests."""
    pairs = list(zip(phase.curves, other.curves, strict=True))
    counts = [(dict(one.counts), dict(two.counts)) for one, two in pairs]
    areas = [sum(abs(one.get(at, 0) - two.get(at, 0)) for at in one.keys() | two.keys()) for one, two in counts]
    return max((area / sum(one.values()) for area, (one, _) in zip(areas, counts, strict=True)), default=0.0)


@pytest.mark.parametrize("name", LIBRARY)
def test_installed_scenarios_have_the_same_verdicts_and_ask_as_often(name: str) -> None:
    runs = plan([name], scenario_folders(), [], power_cut_points, params=read_params(LIBRARY[name]))

    for one in runs:
        exact, cohort = on("exact", one), on("cohort", one)
        assert exact.verdict is Verdict.PASSED, exact.reason
        assert verdicts(cohort) == verdicts(exact)
        assert requests(cohort) == pytest.approx(requests(exact), rel=0.05, abs=60)


def verdicts(report: Report) -> list[tuple[str, str, Verdict]]:
    return [(phase.name, check.title, check.verdict) for phase in report.phases for check in phase.checks]


def requests(report: Report) -> list[int]:
    """What `rate` has counted in the phases, where it stands."""
    rates = (check.measured for phase in report.phases for check in phase.checks if check.title.startswith("rate"))
    return [int(measured.split(", ")[1].split()[0]) for measured in rates]
