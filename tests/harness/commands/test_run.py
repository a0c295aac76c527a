"""`fleetrig run` from outside: what it prints, writes and ends with."""

from __future__ import annotations

import inspect
import json
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from fleetrig.harness.commands.run import run_command
from fleetrig.harness.commands.run_request import RunRequest
from fleetrig.simulator.contract.errors import UsageError
from tests.harness.command import Running, cases_of, fleetrig
from tests.harness.runs import BREAKS, FAILS, HEAD, PASSES, WARNS, write_scenario

MATRIX = HEAD + "    matrix: {credential: [target_token, gateway_token]}\n"
NEEDS = HEAD + "    needs: [hawkbit.trusted_ips]\n"
LONG = """
    phases:
      - name: starts
        do: [preregister, power_on]
        within: 10s
        expect: [{reaches: {stage: online}}]
      - name: for ever
        for: 9000h
"""


def library(tmp_path: Path) -> Path:
    """One scenario for each verdict, in two folders."""
    write_scenario(tmp_path, PASSES, "hawkbit/passes", HEAD + "    tags: [good]\n")
    write_scenario(tmp_path, FAILS, "hawkbit/fails")
    write_scenario(tmp_path, WARNS, "hawkbit/deep/warns")
    write_scenario(tmp_path, BREAKS, "hawkbit/deep/breaks")
    write_scenario(tmp_path, PASSES, "hawkbit/skips", NEEDS)
    matrix = MATRIX.replace("flow: hawkbit", 'flow: hawkbit, credential: "${credential}"')
    write_scenario(tmp_path, PASSES, "hawkbit/rows", matrix)
    return tmp_path


EXPECTED = {
    "hawkbit/deep/breaks": ("hawkbit.deep", "error"),
    "hawkbit/deep/warns": ("hawkbit.deep", "passed"),
    "hawkbit/fails": ("hawkbit", "failure"),
    "hawkbit/passes": ("hawkbit", "passed"),
    "hawkbit/rows[credential=target_token]": ("hawkbit", "passed"),
    "hawkbit/rows[credential=gateway_token]": ("hawkbit", "passed"),
    "hawkbit/skips": ("hawkbit", "skipped"),
}


@pytest.mark.slow
def test_every_verdict_finds_its_way_into_junit_in_both_times(tmp_path: Path) -> None:
    library(tmp_path)
    virtual = fleetrig("run", "--junit", "v.xml", "--seed", "3", cwd=tmp_path)
    real = fleetrig("run", "--junit", "r.xml", "--time", "real", cwd=tmp_path)
    assert virtual.returncode == real.returncode == 3
    assert cases_of(tmp_path / "v.xml") == cases_of(tmp_path / "r.xml") == EXPECTED
    assert "3 passed, 1 warned, 1 failed, 1 broken, 1 skipped in " in virtual.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["hawkbit/passes"], 0),
        (["hawkbit/fails"], 1),
        (["hawkbit/deep/breaks"], 3),
        (["hawkbit/deep/warns"], 0),
        (["hawkbit/deep/warns", "--strict"], 1),
        (["hawkbit/skips", "--allow-skipped"], 0),
        (["hawkbit/skips", "--allow-skipped", "--strict"], 0),
        (["hawkbit/skips", "--fail-on-skip"], 1),
        (["hawkbit/skips", "hawkbit/passes"], 0),
        (["hawkbit/skips", "hawkbit/passes", "--fail-on-skip"], 1),
        (["hawkbit/passes", "--fail-on-skip"], 0),
        (["hawkbit/passes", "--fail-on-skip", "--allow-skipped"], 4),
        (["hawkbit/passes", "--repeat", "0"], 4),
        (["hawkbit/nothing"], 5),
        (["hawkbit/passes", "hawkbit/fails", "--tag", "good"], 0),
        (["hawkbit", "--tag", "nothing"], 5),
        (["--time", "virtual", "--against", "http://127.0.0.1:1", "hawkbit/passes"], 4),
        (["--jobs", "2", "--against", "http://127.0.0.1:1", "hawkbit/passes"], 4),
        (["--profile", "7", "hawkbit/passes"], 4),
        (["--ca", "nothing.pem", "hawkbit/passes"], 4),
        (["--junit", "scenarios", "hawkbit/passes"], 4),
        (["--results", "scenarios/hawkbit/passes.yaml", "hawkbit/passes"], 4),
        (["--trace", "scenarios/hawkbit/passes.yaml", "hawkbit"], 4),
        (["--trace", "scenarios/hawkbit/passes.yaml/t", "hawkbit/passes"], 4),
        (["--jobs", "0"], 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_exit_codes(tmp_path: Path, words: list[str], code: int) -> None:
    done = fleetrig("run", *words, cwd=library(tmp_path))
    assert done.returncode == code, done.stdout + done.stderr
    if code in (4, 5) and words != ["hawkbit/skips"]:
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr


def test_all_skipped_is_said_aloud(tmp_path: Path) -> None:
    done = fleetrig("run", "hawkbit/skips", cwd=library(tmp_path))
    assert "  reference hawkBit 1.1 lacks hawkbit.trusted_ips; run it --against a server that has" in done.stdout
    assert "`can: [hawkbit.trusted_ips]`\n" in done.stdout
    assert "nothing was judged: everything was skipped, for the reasons above. The exit code is 5" in done.stdout
    assert done.returncode == 5


def test_a_single_run_tells_its_phases_and_how_to_run_it_again(tmp_path: Path) -> None:
    library(tmp_path)
    again = "fleetrig run hawkbit/fails --seed 1"
    done = fleetrig("run", "hawkbit/fails", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("  ok first contact  0.0 s")
    assert lines[1].startswith("  FAIL bad ")
    assert f"  run again  {again}" in lines
    repeated = fleetrig(*again.split()[1:], cwd=tmp_path)
    timeless = [line for line in lines if "simulated" not in line and " in " not in line]
    assert [line for line in repeated.stdout.splitlines() if "simulated" not in line and " in " not in line] == timeless


@pytest.mark.slow
def test_how_to_run_again_repeats_what_mattered(tmp_path: Path) -> None:
    library(tmp_path)
    (tmp_path / "scenarios").rename(tmp_path / "mine")
    words = ["run", "hawkbit/fails", "--scenarios", "mine", "--profile", "0.9", "--time", "real", "--seed", "5"]
    done = fleetrig(*words, cwd=tmp_path)
    assert "fleetrig run hawkbit/fails --seed 5 --time real --profile 0.9 --scenarios mine\n" in done.stdout


def test_repeat_uses_the_next_seed_each_time_and_keeps_every_trace(tmp_path: Path) -> None:
    library(tmp_path)
    done = fleetrig("run", "hawkbit/fails", "--repeat", "3", "--seed", "4", "--junit", "j.xml", cwd=tmp_path)
    assert [f"--seed {seed}" in done.stdout for seed in (3, 4, 5, 6, 7)] == [False, True, True, True, False]
    assert "3 failed" in done.stdout
    results = sorted(path.name for path in (tmp_path / "fleetrig-results" / "hawkbit").iterdir())
    assert results == [f"fails-seed-{seed}.trace.jsonl" for seed in (4, 5, 6)]
    assert cases_of(tmp_path / "j.xml") == {"hawkbit/fails": ("hawkbit", "failure")}


def test_fail_fast_stops_and_the_junit_file_lists_all_the_same(tmp_path: Path) -> None:
    library(tmp_path)
    done = fleetrig("run", "--fail-fast", "--junit", "j.xml", cwd=tmp_path)
    assert done.returncode == 3
    assert "1 broken, 6 not run in " in done.stdout
    cases = cases_of(tmp_path / "j.xml")
    assert list(cases) == list(EXPECTED)
    assert [what for _, what in cases.values()] == ["error"] + ["skipped"] * 6
    assert "not run: stopped after the first failure" in (tmp_path / "j.xml").read_text()


@pytest.mark.slow
def test_fail_fast_lets_go_of_what_runs_beside(tmp_path: Path) -> None:
    write_scenario(tmp_path, FAILS, "hawkbit/fails")
    write_scenario(tmp_path, LONG, "hawkbit/long")
    words = ["run", "--time", "real", "--jobs", "2", "--fail-fast", "--junit", "j.xml"]
    done = fleetrig(*words, cwd=tmp_path)
    assert done.returncode == 1, "what was let go did not fail"
    assert "1 failed, 1 not run in " in done.stdout
    assert cases_of(tmp_path / "j.xml")["hawkbit/long"] == ("hawkbit", "skipped")


def test_one_trace_is_a_file_several_are_a_folder(tmp_path: Path) -> None:
    library(tmp_path)
    fleetrig("run", "hawkbit/passes", "--trace", "t.jsonl", cwd=tmp_path)
    assert json.loads((tmp_path / "t.jsonl").read_text().splitlines()[0])["run"] == "hawkbit/passes"
    fleetrig("run", "hawkbit/passes", "hawkbit/rows", "--trace", "traces", cwd=tmp_path)
    assert sorted(path.name for path in (tmp_path / "traces").iterdir()) == [
        "001-hawkbit-passes.trace.jsonl",
        "002-hawkbit-rows_credential=target_token.trace.jsonl",
        "003-hawkbit-rows_credential=gateway_token.trace.jsonl",
    ]


@pytest.mark.slow
def test_jobs_run_side_by_side_on_servers_of_their_own(tmp_path: Path) -> None:
    for name in "abcdefgh":
        write_scenario(tmp_path, "    phases: [{name: wait, for: 6s}]\n", f"hawkbit/long/{name}")
    for name in "ab":
        write_scenario(tmp_path, "    phases: [{name: wait, for: 1s}]\n", f"hawkbit/short/{name}")
    words = ["run", "hawkbit/long", "--time", "real", "--jobs", "8", "--trace", "side", "--allow-skipped"]
    assert fleetrig(*words, cwd=tmp_path).returncode == 0
    spans = [span_us(path) for path in (tmp_path / "side").iterdir()]
    assert len(spans) == 8
    assert max(began for began, _ in spans) < min(ended for _, ended in spans)

    fleetrig("run", "hawkbit/short", "--time", "real", "--jobs", "1", "--trace", "row", cwd=tmp_path)
    (_, first_ended), (second_began, _) = sorted(span_us(path) for path in (tmp_path / "row").iterdir())
    assert first_ended <= second_began


def span_us(path: Path) -> tuple[int, int]:
    """When the first and the last event of a trace were."""
    _, first, *_, last = path.read_text().splitlines()
    return json.loads(first)["at_us"], json.loads(last)["at_us"]


@pytest.mark.slow
@pytest.mark.parametrize("time", ["virtual", "real"])
def test_ctrl_c_ends_at_once_and_keeps_what_was_judged(tmp_path: Path, time: str) -> None:
    write_scenario(tmp_path, LONG, "hawkbit/long")
    words = ["run", "hawkbit/long", "--time", time, "--junit", "j.xml"]
    running = Running(*words, cwd=tmp_path)
    running.until_said("ok starts")
    assert running.interrupt() == 2
    assert cases_of(tmp_path / "j.xml") == {"hawkbit/long": ("hawkbit", "error")}
    said = running.said()
    assert "BROKEN hawkbit/long" in said
    assert "\n  interrupted\n  ok starts" in said
    assert "1 interrupted in " in said
    assert said.endswith("\ninterrupted\n")
    trace = (tmp_path / "fleetrig-results" / "hawkbit" / "long.trace.jsonl").read_text()
    assert '"kind":"ended","reason":"interrupted"' in trace.splitlines()[-1]


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_many_runs(tmp_path: Path) -> None:
    library(tmp_path)
    write_scenario(tmp_path, LONG, "hawkbit/z1")
    write_scenario(tmp_path, PASSES, "hawkbit/z2")
    running = Running("run", "--time", "real", "--jobs", "1", "--junit", "j.xml", cwd=tmp_path)
    running.until_said("skip hawkbit/skips")
    assert running.interrupt() == 2
    cases = cases_of(tmp_path / "j.xml")
    assert {name: cases[name] for name in EXPECTED} == EXPECTED
    assert cases["hawkbit/z1"][1] in {"error", "skipped"}, "it had just begun, or was about to"
    assert cases["hawkbit/z2"][1] == "skipped"
    assert "not run: the run was broken off" in (tmp_path / "j.xml").read_text()


def test_the_request_has_the_names_of_the_options() -> None:
    assert [field.name for field in fields(RunRequest)] == list(inspect.signature(run_command).parameters)


def test_a_server_of_one_platform_for_scenarios_of_two(tmp_path: Path) -> None:
    options = dict.fromkeys(field.name for field in fields(RunRequest))
    request = RunRequest(**{**options, "change_tenant_settings": False})  # type: ignore[arg-type]
    address = "http://127.0.0.1:1"
    assert request.servers(address, {"hawkbit"})["hawkbit"].platform == "hawkbit"
    with pytest.raises(UsageError) as wrong:
        request.servers(address, {"toy", "hawkbit"})
    assert str(wrong.value) == (
        "--against is one server, but these scenarios are for hawkbit and toy: choose among them, or say in a "
        "SERVER.yaml what the server is, such as `platform: hawkbit`"
    )
    file = tmp_path / "server.yaml"
    file.write_text("platform: hawkbit\nhttp: http://h\n")
    servers = request.servers(str(file), {"toy", "hawkbit"})
    assert {name: server.platform for name, server in servers.items()} == {"toy": "hawkbit", "hawkbit": "hawkbit"}


@pytest.mark.parametrize(
    ("property_line", "sentence"),
    [
        ("hawkbit.controller.minPolingTime: x", "did you mean hawkbit.controller.minPollingTime?"),
        ("hawkbit.controller.minPollingTime: soon", "expected HH:mm:ss or an ISO-8601 duration, got 'soon'"),
    ],
)
def test_start_up_properties_are_checked_before_anything_runs(
    tmp_path: Path, property_line: str, sentence: str
) -> None:
    head = HEAD.replace("server: {", f"server: {{properties: {{{property_line}}}, ")
    write_scenario(tmp_path, PASSES, "hawkbit/a")
    write_scenario(tmp_path, PASSES, "hawkbit/b", head)
    checked = fleetrig("check", cwd=tmp_path)
    assert checked.returncode == 4
    assert "scenarios/hawkbit/b.yaml:3:23: server.properties: " in checked.stderr
    assert sentence in checked.stderr
    done = fleetrig("run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert sentence in done.stderr


def test_the_command_of_a_report_runs_a_scenario_that_was_given_by_its_path_again(tmp_path: Path) -> None:
    """Its id finds another file: one's own of that name, or none."""
    write_scenario(tmp_path, PASSES, "hawkbit/x")
    head = HEAD.replace("count: 2", 'count: "${n}"') + "    matrix: {n: [1]}\n"
    written = write_scenario(tmp_path / "elsewhere", FAILS, "hawkbit/x", head)
    (tmp_path / "loose").mkdir()
    loose = written.rename(tmp_path / "loose/with blank.yaml")
    done = fleetrig("run", "loose/with blank.yaml", cwd=tmp_path)
    assert done.returncode == 1
    [again] = re.findall(r"run again  fleetrig (.*)", done.stdout)
    assert again == "run 'loose/with blank.yaml[n=1]' --seed 1"

    repeated = fleetrig(*shlex.split(again), cwd=tmp_path)

    assert (repeated.returncode, again in repeated.stdout) == (1, True)
    [trace] = (tmp_path / "fleetrig-results").rglob("*.trace.jsonl")
    judged = fleetrig("report", str(trace), cwd=tmp_path)
    assert judged.returncode == 1, judged.stderr
    loose.unlink()
    assert "no scenario is called loose/with blank.yaml" in fleetrig("report", str(trace), cwd=tmp_path).stderr


def test_a_trace_is_judged_by_the_scenario_that_was_run(tmp_path: Path) -> None:
    """A shipped one was run; then one of one's own took its id."""
    assert fleetrig("run", "hawkbit/outage_backoff[shows_as=reset]", "--trace", "t.jsonl", cwd=tmp_path).returncode == 0
    write_scenario(tmp_path, PASSES, "hawkbit/outage_backoff")
    judged = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert (judged.returncode, "has changed since" in judged.stdout) == (0, False), judged.stdout + judged.stderr


def test_a_prefix_means_ones_own_and_it_is_said_that_there_are_others(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES, "hawkbit/mine")
    done = fleetrig("run", "hawkbit", cwd=tmp_path)
    assert (done.returncode, "ok hawkbit/mine" in done.stdout, "1 passed" in done.stdout) == (0, True, True)
    assert done.stderr.startswith("hawkbit means 1 of yours, below scenarios; ")
    assert fleetrig("run", "hawkbit/outage_backoff", "--scenarios", "shipped", cwd=tmp_path).returncode == 0
