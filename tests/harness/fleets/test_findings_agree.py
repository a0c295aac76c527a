"""What does not hold is told in the same words by both engines; the exact one adds which messages show it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.harness.fleets.engine_choice import EngineName
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.verdict import Finding, Report, Verdict
from tests.harness.runs import expanded

HEAD = """
    scenario: Something does not hold
    devices: {flow: hawkbit, count: 200, serial: "HB-{n}", credential: gateway_token, timeout: 4s, interval: 10s,
              backoff: {policy: fixed, base: 3s, retry_after_spread: 0s}}
    server:
      settings: {pollingTime: "00:00:10"}
      capacity: {requests_per_s: 9.7, waiting: 3s, hits: "* */controller/*"}
"""
FAILS = {
    "rate: {at_most: 15}": "for: 10s",
    "errors: {at_most: 1%}": "for: 20s",
    "errors: {at_most: 1%, stop: true}": "for: 20s",
    "answered_within: {p50: 1ms}": "for: 20s",
    "dropped: {at_most: 1%}": "for: 20s",
    "time_to_online: {p50: 1s}": "within: 20s",
    "time_to_online: {at_most: 8s, stop: true}": "within: 20s",
    "reaches: {stage: online}": "within: 5s",
    "reaches: {stage: backing_off, devices: 190}": "within: 1s",
    "attempts: {at_least: 50}": "within: 5s",
    "attempts: {at_most: 1}": "for: 20s",
    "spread: {peak_at_most: 1.5, per: 2s}": "for: 20s",
}
NOTHING = {
    "rate: {at_most: 15}": "polls",
    "errors: {at_most: 1%}": "exchanges",
    "answered_within: {p99: 1s}": "answers",
    "time_to_online: {p99: 1s}": "devices",
    "attempts: {at_most: 5}": "tries",
    "spread: {peak_at_most: 1.5}": "requests",
}


def findings(folder: Path, engine: EngineName, do: str, check: str, span: str) -> tuple[list[tuple[str, str]], Report]:
    phases = f"""
    phases: [{{name: only, do: {do}, {span}, expect: [{{{check}}}]}}]
"""
    report = asyncio.run(run(of(folder, phases), RunOptions(engine=engine)))
    found = [check.finding for phase in report.phases for check in phase.checks]
    return [(one.expected, without_names(one)) for one in found if one is not None], report


def of(folder: Path, phases: str) -> Expanded:
    return expanded(folder, phases, head=HEAD)


def without_names(finding: Finding) -> str:
    """Only the exact engine knows who it was."""
    return finding.got.partition(";")[0]


@pytest.mark.parametrize("check", FAILS)
def test_a_check_that_does_not_hold(tmp_path: Path, check: str) -> None:
    exact, of_exact = findings(tmp_path, "exact", "{power_on: {spread: 2s}}", check, FAILS[check])
    cohort, of_cohort = findings(tmp_path, "cohort", "{power_on: {spread: 2s}}", check, FAILS[check])

    if check.startswith("dropped"):  # where answers come within an interval nothing falls out, in neither of them
        assert (of_exact.verdict, of_cohort.verdict) == (Verdict.PASSED, Verdict.PASSED)
        return
    assert of_exact.verdict is Verdict.FAILED
    assert cohort == exact
    assert of_cohort.phases[0].took_s == pytest.approx(of_exact.phases[0].took_s, abs=0.011)  # up to the next request


@pytest.mark.parametrize("check", NOTHING)
def test_a_check_over_nothing_is_no_pass(tmp_path: Path, check: str) -> None:
    do, span = "[{wait: 1s}]", "within: 2s" if check.startswith("time") else "for: 2s"
    exact, _ = findings(tmp_path, "exact", do, check, span)
    cohort, of_cohort = findings(tmp_path, "cohort", do, check, span)

    assert of_cohort.verdict is Verdict.FAILED
    assert cohort == exact
