"""Which engine runs a scenario, what the command says of it, and what a run on the array engine tells."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fleetrig.harness.cli import main
from fleetrig.harness.fleets.engine_choice import EXACT_BELOW, EngineChoice, engine_for
from fleetrig.harness.load.curves import CURVES_FILE, peak_rate, read_curves
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.runs import expanded, write_scenario

HEAD = """
    scenario: A fleet polls
    params: {devices: 50}
    devices: {count: "${devices}", flow: hawkbit, serial: "HB-{n}", credential: gateway_token}
    server: {settings: {pollingTime: "00:00:10"}}
"""
PHASES = """
    phases:
      - name: all poll
        do: {power_on: {spread: 10s}}
        for: 1m
        expect: [{rate: {at_most: PEAK, curve: true}}]
"""
ASKS = PHASES.replace("rate: {at_most: PEAK, curve: true}", "registry: {in_state: registered}")


def of_size(folder: Path, count: int, phases: str = PHASES) -> Scenario:
    one = expanded(folder, phases.replace("PEAK", "20000"), head=HEAD.replace("devices: 50}", f"devices: {count}}}"))
    return one.scenario


def test_a_small_fleet_speaks_its_protocol(tmp_path: Path) -> None:
    assert engine_for(of_size(tmp_path, EXACT_BELOW - 1)) == EngineChoice("exact")


def test_a_large_one_is_counted(tmp_path: Path) -> None:
    assert str(engine_for(of_size(tmp_path, 1_000_000))) == ("cohort: 1,000,000 devices are many for the exact engine")


def test_a_large_one_that_needs_the_protocol_speaks_it_all_the_same(tmp_path: Path) -> None:
    choice = engine_for(of_size(tmp_path, 30_000, ASKS))

    assert choice.engine == "exact"
    assert choice.why == "only it can do this: the check registry looks at single messages, or asks the server"


def test_one_that_is_too_large_for_that_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the array engine, which takes more, cannot run it: the check registry"):
        engine_for(of_size(tmp_path, 200_000, ASKS))


def test_the_exact_engine_takes_no_more_than_a_machine_can_hold(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--engine exact: 200,000 devices, expected at most 100,000 devices"):
        engine_for(of_size(tmp_path, 200_000), "exact")


def run_command(folder: Path, *words: str, phases: str = PHASES, peak: int = 20) -> list[str]:
    write_scenario(folder, phases.replace("PEAK", str(peak)), head=HEAD)
    own = ("--scenarios", str(folder / "scenarios"), "--results", str(folder / "results"))
    return ["run", "hawkbit/x", *own, *words]


def test_a_run_says_which_engine_and_what_the_figures_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit = tmp_path / "junit.xml"
    assert main(run_command(tmp_path, "--engine", "cohort", "--junit", str(junit))) == 0

    said = capsys.readouterr().out
    assert "engine     cohort: as --engine says" in said
    assert "requests   300 in all; 5.0 a second when nothing is wrong; 0 retries for each 100 first tries" in said
    assert "peak       5 in second 0, 1.0 times the steady rate" in said
    assert "poll" in said  # the curve
    attributes = {str(one.get("name")): str(one.get("value")) for one in ET.parse(junit).iter("property")}
    assert attributes["engine"] == "cohort: as --engine says"
    assert attributes["capacity"].startswith("5 requests a second would turn nobody away")


def test_a_run_that_fails_says_why_and_how_to_repeat_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run_command(tmp_path, "--engine", "cohort", peak=4)) == 1

    said = capsys.readouterr().out
    assert "expected  all devices together: at most 4 polls in any 1 s" in said
    assert "got       5 in 1 s" in said
    assert "run again  fleetrig run hawkbit/x --seed 1 --engine cohort" in said


def test_the_exact_engine_is_told_only_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run_command(tmp_path, "--engine", "exact")) == 0
    assert "engine     exact: as --engine says" in capsys.readouterr().out

    assert main(run_command(tmp_path)) == 0
    assert "engine" not in capsys.readouterr().out


USAGE = {
    ("--engine", "cohort", "--trace", "t.jsonl"): "--engine cohort leaves no trace",
    ("--engine", "cohort", "--time", "real"): "--engine is for virtual time",
    (
        "--set",
        "devices=200000",
        "--time",
        "real",
    ): "expected at most 100,000 devices (a fleet on one machine",
    ("--set", "devices=20000000"): "devices.count: expected at most 16,000,000 devices",
}


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_what_does_not_go_together_is_said(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(run_command(tmp_path, *words)) == 4
    assert USAGE[words] in " ".join(capsys.readouterr().err.split())


def test_the_array_engine_says_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run_command(tmp_path, "--engine", "cohort", phases=ASKS)) == 4
    assert "--engine cohort: hawkbit/x needs the exact engine: the check registry looks at single" in " ".join(
        capsys.readouterr().err.split()
    )


def test_what_the_server_lacks_is_a_reason_to_skip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = HEAD.replace("params", "needs: [hawkbit.trusted_ips]\n    params")
    write_scenario(tmp_path, PHASES.replace("PEAK", "9"), head=head)
    words = ("--scenarios", str(tmp_path / "scenarios"), "--engine", "cohort", "--allow-skipped")

    assert main(["run", "hawkbit/x", *words]) == 0
    assert "reference server lacks hawkbit.trusted_ips" in capsys.readouterr().out


def test_a_prediction_of_a_large_fleet_has_curves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = run_command(tmp_path, "--engine", "cohort")
    assert main(["predict", *words[1:]]) == 0

    said = capsys.readouterr().out
    assert "note     devices of the array engine wait for an answer before their interval begins" in said
    rows = read_curves(tmp_path / "results" / "hawkbit" / "x.predicted" / CURVES_FILE)
    assert (len(rows), peak_rate(rows), rows[-1].online) == (60, 5, 50)
