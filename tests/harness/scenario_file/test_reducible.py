"""What of a scenario can be less, where that stands, and the scenario with other sizes."""

from __future__ import annotations

from pathlib import Path

from fleetrig.harness.scenario_file.reducible import Reduced, Reducible, reducibles_of, with_params, with_sizes
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario
from tests.harness.runs import write_scenario

HEAD = """
    scenario: It works
    matrix: {late: [30s, 45s]}
    params: {devices: 40, outage: 2m, often: 3}
    devices: {flow: hawkbit, count: "${devices}", serial: "HB-{n}"}
    faults: [{fault: overload, times: "${often}"}, {fault: latency, delay: 1s, for: "${late}", times: 1}]
"""
BODY = """
    phases:
      - name: gone
        faults: [{fault: outage, for: "${outage}"}, {fault: lost_reply, for: 500ms}, {fault: outage, for: "${outage}"}]
        for: "${outage}"
"""
VALUES = {"late": "30s"}


def scenario_file(folder: Path, head: str = HEAD, body: str = BODY) -> ScenarioFile:
    return read_scenario(write_scenario(folder, body, "x", head), "x")


def named(found: tuple[Reducible, ...]) -> dict[str, tuple[Reduced, int]]:
    return {one.name: (one.kind, one.whole) for one in found}


def test_devices_faults_and_their_number_each_once(tmp_path: Path) -> None:
    found = reducibles_of(scenario_file(tmp_path), VALUES)
    assert named(found) == {
        "devices": (Reduced.DEVICES, 40),
        "often": (Reduced.TIMES, 3),
        "latency in the run": (Reduced.SPAN, 30_000),
        "outage": (Reduced.SPAN, 120_000),
        "lost_reply in «gone»": (Reduced.SPAN, 500),
    }
    assert [one.param for one in found] == ["devices", "often", "", "outage", ""]


def test_a_step_is_what_makes_a_difference(tmp_path: Path) -> None:
    found = {one.name: one.step for one in reducibles_of(scenario_file(tmp_path), VALUES)}
    assert found == {"devices": 1, "often": 1, "latency in the run": 100, "outage": 1_000, "lost_reply in «gone»": 1}


def test_one_run_of_the_matrix_with_other_sizes(tmp_path: Path) -> None:
    file = scenario_file(tmp_path)
    sizes = {"devices": 7, "often": 2, "latency in the run": 1_500, "outage": 12_000, "lost_reply in «gone»": 20}
    (one,) = expand(with_sizes(file, VALUES, [(part, sizes[part.name]) for part in reducibles_of(file, VALUES)]))
    assert one.name == "x[late=30s]"
    assert one.scenario.devices.count == 7
    assert [(line.for_s, line.times) for line in one.scenario.faults] == [(None, 2), (1.5, 1)]
    (phase,) = one.scenario.phases
    assert [line.for_s for line in phase.faults] == [12.0, 0.02, 12.0]
    assert phase.for_s == 12.0, "what the outage belongs to has changed with it"
    assert len(expand(file)) == 2, "the file itself is as it was"


def test_given_params_are_the_whole(tmp_path: Path) -> None:
    file = with_params(scenario_file(tmp_path), {"devices": 9, "outage": "1m"})
    assert named(reducibles_of(file, VALUES))["devices"] == (Reduced.DEVICES, 9)
    assert named(reducibles_of(file, VALUES))["outage"] == (Reduced.SPAN, 60_000)


def test_a_single_device_without_faults_cannot_be_less(tmp_path: Path) -> None:
    head = "\n    scenario: It works\n    devices: {flow: hawkbit, count: 1}\n"
    body = "\n    phases: [{name: on, do: power_on}]\n"
    assert reducibles_of(scenario_file(tmp_path, head, body), {}) == ()


def test_a_limit_that_is_a_share_of_the_fleet_keeps_saying_something(tmp_path: Path) -> None:
    """Of two devices a fifth is nothing: they would fail, and that would say nothing of the fleet."""
    checks = 'expect: [{rate: {of: poll, at_most: 20%, per: 30s}}, {rate: {of: poll, at_most: "${peak}"}}]'
    body = BODY + f"        {checks}\n"
    head = HEAD.replace("devices: 40", "devices: 90000, peak: 5%")
    first, *_ = reducibles_of(scenario_file(tmp_path, head, body), VALUES)
    assert (first.whole, first.least) == (90_000, 2_000)
    few = reducibles_of(scenario_file(tmp_path, HEAD.replace("devices: 40", "devices: 40, peak: 5%"), body), VALUES)
    assert Reduced.DEVICES not in [one.kind for one in few], "they are too few already"
