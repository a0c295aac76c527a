"""A policy of a trace beside those of a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.studies.study_lookup import read_study
from fleetrig.harness.studies.sweep import plan_study
from fleetrig.harness.studies.traced_policy import with_traced_policy
from fleetrig.simulator.backoff import Backoff, CircuitBreaker, Policy, RetryBudget
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.studies.made import steady, written

SCENARIOS = Path(__file__).parents[3] / "scenarios"
RECOVERY = SCENARIOS / "outage/recovery.study.yaml"
TRACED = Backoff(Policy.LINEAR, 7.0, 90.0, first_s=(0.0, 30.0), budget=RetryBudget(0.1, 3), breaker=CircuitBreaker())


def test_it_is_one_more_value_of_the_axis_that_sweeps_the_backoff() -> None:
    study, source, file = read_study(RECOVERY, SCENARIOS)

    plan = plan_study(with_traced_policy(study, file, "device.jsonl", TRACED), source, file, steady)

    assert len(plan.combinations) == 9 * 4
    assert plan.axes["policy"][-1] == "as in device.jsonl"
    scenario = file.fill(plan.combinations[-1].values)
    assert scenario.devices.backoff.to_backoff() == TRACED


def test_a_study_that_compares_no_policies_says_so(tmp_path: Path) -> None:
    study, _, file = read_study(written(tmp_path), tmp_path)

    with pytest.raises(UsageError, match=r"--policy-from: this study compares no policies: expected a sweep of names"):
        with_traced_policy(study, file, "device.jsonl", TRACED)
