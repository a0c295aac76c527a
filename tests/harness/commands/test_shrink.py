"""`fleetrig run --shrink` from outside: the smallest case of a known failure, and what cannot be shrunk."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.shrink_run import ShrinkRun
from fleetrig.harness.scenario_file.selection import expand
from fleetrig.harness.scenario_file.template import read_scenario
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.effects import Behaviour, Flow, Pause
from tests.harness.command import Done, Running, fleetrig
from tests.harness.runs import FAILS, HEAD, PASSES, write_scenario

STAMPEDE = """
    scenario: A stampede is small
    params: {devices: 200, outage: 2m}
    devices: {count: "${devices}", flow: hawkbit, serial: "HB-{n}", credential: gateway_token,
              backoff: {policy: fixed, base: 10s}}
    server: {settings: {pollingTime: "00:00:30"}}
"""
AT_ONCE = """
    phases:
      - name: start
        do: power_on
        within: 10m
        expect: [{reaches: {stage: online}}]
      - name: gone
        faults: [{fault: outage, for: "${outage}"}]
        for: 1m
        expect: [{rate: {of: poll, at_most: 12, per: 1s}}]
"""
"""Thirteen devices that were switched on together are refused together, as soon as the outage covers a poll."""


def shrink(tmp_path: Path, *words: str, body: str = AT_ONCE, head: str = STAMPEDE, name: str = "x") -> Done:
    write_scenario(tmp_path, body, name, head)
    return fleetrig("run", name, "--shrink", *words, cwd=tmp_path)


def test_the_smallest_case_as_a_command_that_fails(tmp_path: Path) -> None:
    done = shrink(tmp_path, "--seed", "5")
    assert done.returncode == 1
    assert "x fails with devices=200, outage=120s, seed=5; looking for less" in done.stdout
    command = "run x --seed 1 --set devices=13 --set outage="
    assert f"fleetrig {command}" in done.stdout
    assert "nothing smaller that was tried fails" in done.stdout
    assert "13 in 1 s" in done.stdout, "it says why it fails"
    words = next(line for line in done.stdout.splitlines() if command in line).split()
    again = fleetrig(*words[words.index("run") :], cwd=tmp_path)
    assert again.returncode == 1
    fewer = [word.replace("devices=13", "devices=12") for word in words[words.index("run") :]]
    assert fleetrig(*fewer, cwd=tmp_path).returncode == 0


def test_a_file_is_called_by_its_path_again(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, AT_ONCE, "x", STAMPEDE).rename(tmp_path / "mine.yaml")
    done = fleetrig("run", str(path), "--shrink", "--tries", "4", cwd=tmp_path)
    assert f"  fleetrig run {path} --seed 1 --set devices=" in done.stdout


def test_what_set_cannot_say_becomes_a_file(tmp_path: Path) -> None:
    body = AT_ONCE.replace('"${outage}"', "2m")
    done = shrink(tmp_path, body=body, head=STAMPEDE.replace(", outage: 2m", ""))
    assert done.returncode == 1
    written = tmp_path / "fleetrig-results" / "x.smallest.yaml"
    assert "  count: 13\n" in written.read_text(encoding="utf-8")
    assert f"fleetrig run {written.relative_to(tmp_path)} --seed 1" in done.stdout
    assert fleetrig("run", str(written), "--seed", "1", cwd=tmp_path).returncode == 1


def test_a_run_that_passes_is_not_shrunk(tmp_path: Path) -> None:
    done = shrink(tmp_path, body=PASSES, head=HEAD)
    assert done.returncode == 0
    assert "nothing to shrink: it passes" in done.stdout


def test_a_failure_at_another_check_is_another_failure(tmp_path: Path) -> None:
    """With fewer than eight there is nobody to download; the larger fleet fails for its own reason."""
    body = """
        phases:
          - name: start
            do: power_on
            within: 10m
            expect: [{reaches: {stage: online}}]
          - name: watch
            for: 1m
            expect:
              - {never: {sends: {name: poll, only: "HB-8"}}}
    """
    done = shrink(tmp_path, body=body, head=STAMPEDE.replace(", outage: 2m", ""))
    assert "--set devices=8" in done.stdout


def test_the_best_so_far_when_the_tries_are_used_up(tmp_path: Path) -> None:
    done = shrink(tmp_path, "--tries", "4")
    assert done.returncode == 1
    assert "smallest case after 4 tries: devices=100" in done.stdout
    assert "--tries 4 are used up: there may be a smaller one" in done.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--time", "real"], "leave --time real away"),
        (["--repeat", "3"], "leave --repeat away"),
        (["--set", "nothing=3"], "nothing"),
    ],
)
def test_what_cannot_be_tried_again_and_again(words: list[str], why: str, tmp_path: Path) -> None:
    done = shrink(tmp_path, *words)
    assert done.returncode == 4
    assert why in done.stderr


def test_one_run_at_a_time(tmp_path: Path) -> None:
    head = STAMPEDE.replace("base: 10s", 'base: "${base}"') + "    matrix: {base: [10s, 20s]}\n"
    done = shrink(tmp_path, head=head)
    assert done.returncode == 4
    assert "--shrink takes one run, and these are 2: name one of them, such as x[base=10s], x[base=20s]" in done.stderr
    one = fleetrig("run", "x[base=20s]", "--shrink", cwd=tmp_path)
    assert "fleetrig run 'x[base=20s]' --seed 1 --set devices=13" in one.stdout


def test_tries_are_for_shrinking(tmp_path: Path) -> None:
    write_scenario(tmp_path, FAILS, "x", HEAD)
    done = fleetrig("run", "x", "--tries", "4", cwd=tmp_path)
    assert done.returncode == 4
    assert "--tries is for --shrink" in done.stderr


def test_a_run_that_does_not_fail_again_is_flaky(tmp_path: Path) -> None:
    """Devices that know of the run before: no seed does."""
    file = read_scenario(write_scenario(tmp_path, AT_ONCE, "x", STAMPEDE), "x")
    (chosen,) = expand(file)
    built = itertools.count(1)

    def lame_in_a_second_run(behaviour: Behaviour) -> Behaviour:
        return behaviour if next(built) <= chosen.scenario.devices.count else lame

    options = RunOptions(results=tmp_path / "r", behaviour=lame_in_a_second_run)
    shrinking = ShrinkRun(file, chosen, options, lambda case, fails: None)
    asyncio.run(shrinking.work(10))
    assert shrinking.is_flaky
    assert shrinking.progress is None


def lame(identity: DeviceIdentity, memory: Mapping[str, Json]) -> Flow:
    """It never comes online, which is another failure."""
    yield Pause(3600.0, 3600.0, "idle")


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    head = STAMPEDE.replace("devices: 200", "devices: 3000").replace("outage: 2m", "outage: 2h")
    write_scenario(tmp_path, AT_ONCE.replace("for: 1m", "for: 30m"), "x", head)
    running = Running("run", "x", "--shrink", cwd=tmp_path)
    running.until_said("still fails with devices=1500")
    assert running.interrupt() == 2
    said = running.said()
    assert "interrupted: there may be a smaller one" in said
    assert "fleetrig run x --seed 1 --set devices=" in said
