"""Several makes in one fleet: how a file says it, and what is said of a file that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.run.context import cohort_blocks
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.scenario import Devices
from fleetrig.simulator.backoff import Policy
from tests.harness.runs import expanded

PHASES = """
    phases: [{name: all, do: POWER_ON, for: 1m}]
"""


def devices(
    folder: Path, cohorts: str, *, flow: str = "hawkbit", power_on: str = "power_on", more: str = ""
) -> Devices:
    head = f"""
    scenario: Several makes
    devices: {{count: 1000, flow: {flow}, serial: "D-{{n}}", cohorts: {cohorts}{more}}}
"""
    return expanded(folder, PHASES.replace("POWER_ON", power_on), f"{flow}/x", head).scenario.devices


def test_shares_make_up_the_fleet_and_each_make_has_its_own_block(tmp_path: Path) -> None:
    fleet = devices(
        tmp_path, "[{name: a, share: 33.4%, timeout: 3s}, {name: b, share: 66.6%, backoff: {policy: fixed}}]"
    )
    made = [(name, count, block.timeout_s, block.backoff.policy) for name, count, block in fleet.makes()]

    assert made == [("a", 334, 3.0, Policy.EQUAL_JITTER), ("b", 666, 10.0, Policy.FIXED)]


def test_counts_do_so_too_and_the_first_devices_are_of_the_first_make(tmp_path: Path) -> None:
    fleet = devices(tmp_path, "[{name: a, count: 1}, {name: b, count: 999, timeout: 3s}]")
    blocks = dict(cohort_blocks(fleet, "run-"))

    assert len(blocks) == 1_000
    assert [blocks[f"run-D-{number}"].timeout_s for number in (1, 2, 1_000)] == [10.0, 3.0, 3.0]


def test_a_fleet_without_cohorts_is_of_one_make(tmp_path: Path) -> None:
    [(name, count, block)] = devices(tmp_path, "[]").makes()

    assert (name, count, block.cohorts) == ("hawkbit", 1_000, ())


MISTAKES = {
    "[{name: a}]": "expected share or count",
    "[{name: a, share: 50%, count: 5}]": "expected share or count",
    "[{name: a, share: 50%}, {name: b, share: 40%}]": "the shares of the cohorts are 90% together, expected 100%",
    "[{name: a, share: 50%}, {name: b, count: 500}]": "expected a share of each cohort, or the count of each",
    "[{name: a, count: 500}]": "the cohorts have 500 devices together, and the fleet has 1,000 (count)",
    "[{name: a, share: 99.99%}, {name: b, share: 0.01%}]": "the cohort 'b' has no devices: of 1000 devices it is",
    "[{name: a, share: 50%}, {name: a, share: 50%}]": "two cohorts are called 'a'",
    "[{name: a, count: 0}, {name: b, count: 1000}]": "count",
    "[{name: a, share: 150%}]": "expected a share of more than 0% and at most 100%",
    "[{name: a, share: 100%, poll_jitter: 2}]": "poll_jitter",
    "[{name: a, share: 100%, pol_jitter: 0.2}]": "'pol_jitter' is not known here; did you mean 'poll_jitter'?",
    "[{name: a, share: 100%, interval: 5m}]": "has interval of its own: devices of this flow can differ in backoff and",
}


@pytest.mark.parametrize("cohorts", MISTAKES)
def test_what_is_no_fleet_is_said(tmp_path: Path, cohorts: str) -> None:
    with pytest.raises(FileMistakes) as told:
        devices(tmp_path, cohorts)
    assert MISTAKES[cohorts] in str(told.value)


def test_gateways_of_kura_do_not_differ(tmp_path: Path) -> None:
    with pytest.raises(FileMistakes, match="devices of this flow can differ in nothing"):
        devices(tmp_path, "[{name: a, share: 100%, timeout: 5s}]", flow="kura", more=", over: mqtt")


ARRIVALS = {
    "{power_on: {shape: at_once, spread: 5s}}": "at_once switches on all in one moment: leave spread away",
    "{power_on: {shape: city, spread: 0s}}": "city needs a spread",
    "{power_on: {shape: citty, spread: 5s}}": "citty",
}


@pytest.mark.parametrize("power_on", ARRIVALS)
def test_so_is_what_is_no_shape_of_arrivals(tmp_path: Path, power_on: str) -> None:
    with pytest.raises(FileMistakes) as told:
        devices(tmp_path, "[]", power_on=power_on)
    assert ARRIVALS[power_on] in str(told.value)
