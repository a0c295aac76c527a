"""From a study to its combinations."""

from __future__ import annotations

from pathlib import Path

from tests.harness.studies.made import STUDY, plan_of


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
