"""The points at which power can be cut: found by a dry run, stable, and none that leaves nothing to be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.run.power_points import power_cut_points
from fleetrig.simulator.agent import CutPoint
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from tests.harness.runs import FAILS, HEAD, PASSES, expanded

TWO_PHASES = PASSES + "      - name: afterwards\n        for: 5s\n"
FIRST = (
    "enter-enrolling#1:before",
    "poll#1:before",
    "poll#1:sent",
    "poll#1:answered",
)


def test_points_are_the_same_every_time(tmp_path: Path) -> None:
    scenario = expanded(tmp_path, PASSES).scenario
    points = power_cut_points(scenario)
    assert points == power_cut_points(scenario)
    assert len(set(points)) == len(points)
    assert points[: len(FIRST)] == FIRST
    assert "enter-enrolled#1:before" in points
    assert all(str(CutPoint.parse(point)) == point for point in points)


def test_those_of_the_last_phase_do_not_count(tmp_path: Path) -> None:
    one = power_cut_points(expanded(tmp_path, PASSES, "hawkbit/one").scenario)
    two = power_cut_points(expanded(tmp_path, TWO_PHASES, "hawkbit/two").scenario)
    assert two == one


def test_a_scenario_that_fails_by_itself_has_none(tmp_path: Path) -> None:
    with pytest.raises(BrokenBench, match=r"hawkbit/x fails in phase «bad» even without a power cut"):
        power_cut_points(expanded(tmp_path, FAILS).scenario)


def test_a_scenario_that_our_own_server_cannot_serve_has_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"listed by a dry run, but the .* lacks moon\.shine"):
        power_cut_points(expanded(tmp_path, PASSES, head=HEAD + "    needs: [hawkbit.trusted_ips]\n").scenario)


def test_a_dry_run_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = expanded(tmp_path, PASSES.replace("{registry: {in_state: registered}}", "record")).scenario
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    power_cut_points(scenario)
    assert list(empty.iterdir()) == []
