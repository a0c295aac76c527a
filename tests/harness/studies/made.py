"""Studies and results for tests that need no engine."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.studies.case import CaseOrder, CaseResult
from fleetrig.harness.studies.case_figures import CaseFigures, RateCurve
from fleetrig.harness.studies.study_lookup import read_study
from fleetrig.harness.studies.sweep import StudyPlan, plan_study

SCENARIO = """
    scenario: After an outage all devices are back
    params: {devices: 3000, policy: full_jitter, jitter: 0.1, capacity: 15, retry_after: null, outage: 2m}
    devices:
      count: "${devices}"
      flow: hawkbit
      credential: gateway_token
      poll_jitter: "${jitter}"
      backoff: {policy: "${policy}", base: 5s, cap: 1m}
    server:
      settings: {pollingTime: "00:05:00"}
      capacity: {requests_per_s: "${capacity}", waiting: 2s, retry_after: "${retry_after}", hits: "* */controller/*"}
    phases:
      - {name: it polls, do: {power_on: {spread: 5m}}, for: 6m}
      - {name: the server is gone, faults: [{fault: outage, for: "${outage}"}], for: "${outage}"}
      - {name: it is back, for: 10m}
"""
STUDY = """
    study: What hits the server when it is back?
    scenario: recovery.yaml
    sweep:
      policy: {wait: {policy: none}, full jitter: {policy: full_jitter}}
      jitter: [0.1, 0.5]
      capacity: [1.5x, 2x, 4x]
    limit: {rejected: 1%, quiet_within: 5m}
"""
FIGURES = CaseFigures(
    requests=10_000, peak_per_s=20, rejected=0.0, late=0.0, errors=0.0, retries=0.5, quiet_s=60, back_s=90
)
RESULT = CaseResult(
    0, 1, FIGURES, RateCurve(60, (12, 15, 11), (600, 660, 600), (0, 60, 0), (0, 30, 0)), steady_per_s=10.0,
    capacity_per_s=15.0, fault_s=(60.0, 120.0), horizon_s=180, engine="cohort",
)  # fmt: skip


def steady(scenario: Scenario) -> float:
    """Ten for each thousand devices, whatever they do."""
    return scenario.devices.count / 100


def written(folder: Path, study: str = STUDY, scenario: str = SCENARIO) -> Path:
    """The study's file, beside its scenario."""
    (folder / "recovery.yaml").write_text(dedent(scenario).lstrip(), encoding="utf-8")
    path = folder / "recovery.study.yaml"
    path.write_text(dedent(study).lstrip(), encoding="utf-8")
    return path


def plan_of(folder: Path, study: str = STUDY, scenario: str = SCENARIO) -> StudyPlan:
    """Raises what reading and planning raise."""
    return plan_study(*read_study(written(folder, study, scenario), folder), steady)


def result(number: int, seed: int = 1, *, capacity_per_s: float | None = 15.0, **figures: Any) -> CaseResult:
    """One with these figures."""
    changed = replace(FIGURES, **figures)
    return replace(RESULT, number=number, seed=seed, figures=changed, capacity_per_s=capacity_per_s)


def worked(order: CaseOrder) -> CaseResult:
    """In place of an engine: a server that keeps up with twice the steady rate, in the process that it is called in."""
    values = order.values
    is_enough = values["capacity"] >= 2 * steady(order.file.fill(values))
    figures = replace(FIGURES, rejected=0.0 if is_enough else 0.2, quiet_s=0 if is_enough else 500 + order.seed)
    return replace(RESULT, number=order.number, seed=order.seed, figures=figures, capacity_per_s=values["capacity"],
                   steady_per_s=30.0, process=os.getpid())  # fmt: skip
