"""From a study to its combinations."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.scenario_file.problems import FileMistakes
from tests.harness.studies.made import SCENARIO, STUDY, plan_of


def test_every_combination_is_there_the_last_axis_changing_fastest(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    assert len(plan.combinations) == plan.runs == 2 * 2 * 3
    assert [one.labels for one in plan.combinations[:4]] == [
        ("wait", "0.1", "1.5x"), ("wait", "0.1", "2x"), ("wait", "0.1", "4x"), ("wait", "0.5", "1.5x"),
    ]  # fmt: skip
    assert plan.axes == {"policy": ("wait", "full jitter"), "jitter": ("0.1", "0.5"), "capacity": ("1.5x", "2x", "4x")}


def test_a_multiple_becomes_a_rate_of_this_fleet(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, STUDY.replace("sweep:", "params: {devices: 6000}\n    sweep:"))

    assert plan.combinations[0].values == {"devices": 6000, "policy": "none", "jitter": 0.1, "capacity": 90.0}


def test_the_param_of_the_capacity_is_found(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    assert (plan.capacity_param, plan.capacity_axis) == ("capacity", "capacity")


def test_a_name_may_set_the_capacity_too(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, STUDY.replace("[1.5x, 2x, 4x]", "[1.5x]").replace(
        "capacity: [1.5x]", "server: {small: {capacity: 1.5x}, large: {capacity: 300, retry_after: 30s}}"))  # fmt: skip

    assert plan.capacity_axis == "server"
    assert [one.values["capacity"] for one in plan.combinations[:2]] == [45.0, 300]


def test_a_mistake_is_told_once_where_it_stands(tmp_path: Path) -> None:
    """Not again with each value that it is combined with."""
    study = STUDY.replace("sweep:", "params: {devices: 0, outage: soon}\n    sweep:").replace(
        "{policy: none}", "{policy: nine}"
    )
    with pytest.raises(FileMistakes) as wrong:
        plan_of(tmp_path, study.replace("[1.5x, 2x, 4x]", "[3, 20, 40]"))

    assert [problem.sentence.split(": ex")[0] for problem in wrong.value.problems] == [
        "params.devices: devices.count",
        "params.outage: phases[1].faults[0].for",
        "params.outage: phases[1].for",
        "sweep.policy: wait: devices.backoff.policy",
    ]


def test_a_multiple_is_not_to_blame_for_a_fleet_of_nobody(tmp_path: Path) -> None:
    study = STUDY.replace("sweep:", "params: {devices: 0}\n    sweep:")
    with pytest.raises(FileMistakes) as wrong:
        plan_of(tmp_path, study, SCENARIO.replace("capacity: 15,", "capacity: 1%,"))

    assert [problem.sentence.split(": ex")[0] for problem in wrong.value.problems] == ["params.devices: devices.count"]
