"""The commands of docs/fleets.md are run as they stand there, and what it lists is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from fleetrig.harness.fleets.check_table import MAKE
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.selection_folders import ids_below
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.harness.scenario_file.words import CHECK_WORDS
from fleetrig.simulator.arrivals_shape import Shape
from fleetrig.simulator.backoff import Policy
from fleetrig.simulator.client_policies import RealClient
from tests.doc_page import ROOT, blocks, page, ran

PAGE: Final = page("fleets")
ROW: Final = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


@pytest.mark.slow
def test_every_command_works(tmp_path: Path) -> None:
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    commands = blocks(PAGE)
    assert len(commands) >= 3
    for block in commands:
        ran(block, tmp_path)


def test_the_fleet_of_several_makes_is_one(tmp_path: Path) -> None:
    [devices] = blocks(PAGE, "yaml")
    path = tmp_path / "x.yaml"
    path.write_text(f"scenario: It is read\n{devices}phases: [{{name: on, do: power_on}}]\n", encoding="utf-8")
    (one,) = expand(read_scenario(path, "x"))
    assert [make[:2] for make in one.scenario.devices.makes()] == [("old-firmware", 300_000), ("new-firmware", 700_000)]


def test_what_it_lists_is_there() -> None:
    rows = set(ROW.findall(PAGE))
    outages = {one for one in ids_below(ROOT / "scenarios") if one.startswith("outage/")}
    assert outages <= rows
    assert set(Policy) <= rows
    assert set(Shape) <= rows


def test_real_clients_and_checks_are_named() -> None:
    assert all(f"`{client}`" in PAGE for client in RealClient)
    words = [word for word, model in CHECK_WORDS.items() if model in MAKE]
    assert len(words) >= len(MAKE)
    assert all(f"`{word}`" in PAGE for word in words)
