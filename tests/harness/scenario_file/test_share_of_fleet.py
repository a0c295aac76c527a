"""Rates as a share of the devices: the same file for ten devices and for a million."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import read_scenario
from tests.harness.runs import write_scenario

HEAD = """
    scenario: It works
    params: {devices: 300, capacity: 0.5%, peak: 7%}
    devices: {flow: hawkbit, count: "${devices}", serial: "HB-{n}"}
    server: {capacity: {requests_per_s: "${capacity}"}}
"""
BODY = """
    phases:
      - name: slow
        faults: [{fault: capacity, requests_per_s: 0.25%}]
        for: 1m
        expect: [{rate: {of: poll, at_most: "${peak}", per: 10s}}]
"""


def scenario(folder: Path, head: str = HEAD, **params: str) -> Scenario:
    (one,) = expand(read_scenario(write_scenario(folder, BODY, "x", head), "x"), params=params)
    return one.scenario


def numbers(one: Scenario) -> tuple[float, float | None, Any]:
    (phase,) = one.phases
    words: Any = phase.expect[0].arguments
    assert one.server.capacity is not None
    return one.server.capacity.requests_per_s, phase.faults[0].requests_per_s, words.at_most


def test_it_grows_with_the_fleet(tmp_path: Path) -> None:
    assert numbers(scenario(tmp_path)) == (1.5, 0.75, 21)
    assert numbers(scenario(tmp_path, devices="1000")) == (5.0, 2.5, 70)
    assert numbers(scenario(tmp_path, peak="0.1%")) == (1.5, 0.75, 1), "whole requests, rounded up"
    assert numbers(scenario(tmp_path, devices="100000", capacity="0.0007%")) == (0.7, 250.0, 7_000)


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    head = HEAD.replace("capacity: 0.5%, peak: 7%", "capacity: 40, peak: 60")
    assert numbers(scenario(tmp_path, head, devices="1000")) == (40.0, 2.5, 60)


@pytest.mark.parametrize(
    ("share", "why"), [("0%", "expected a number of at least 1"), ("x%", "expected a whole number"), ("-1%", "whole")]
)
def test_what_is_no_share(share: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(FileMistakes, match=why):
        scenario(tmp_path, peak=share)


def test_a_list_of_units_has_no_number_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "units.csv").write_text("serial\nHB-1\n", encoding="utf-8")
    head = HEAD.replace('count: "${devices}", serial: "HB-{n}"', "csv: units.csv").replace("devices: 300, ", "")
    with pytest.raises(FileMistakes, match="a share of the devices stands in a scenario"):
        scenario(tmp_path, head)
