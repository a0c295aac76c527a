"""A run in which nothing was judged is no pass: exit code 5, a reason for each skip, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.running_server.server import RunningServer
from tests.harness.command import Done, cases_of, fleetrig
from tests.harness.runs import HEAD, PASSES, run_once, write_scenario
from tests.harness.test_pytest_plugin import pytest_in

pytestmark = pytest.mark.slow

NEEDS = HEAD + "    needs: [hawkbit.trusted_ips]\n"
EXPECTS_NOTHING = """
    phases:
      - name: only does
        do: [preregister, power_on]
        for: 3s
"""
WHY = "nothing was judged: none of its phases expects anything; say with `expect` what must hold"


def run(folder: Path, *words: str) -> Done:
    return fleetrig("run", *words, cwd=folder)


@pytest.mark.parametrize("words", [(), ("--strict",), ("--repeat", "2"), ("--fail-fast",)])
def test_a_run_that_skips_everything_ends_with_5(tmp_path: Path, words: tuple[str, ...]) -> None:
    write_scenario(tmp_path, PASSES, "hawkbit/a", NEEDS)
    write_scenario(tmp_path, PASSES, "hawkbit/b", NEEDS)
    done = run(tmp_path, *words)
    assert (done.returncode, done.stderr) == (5, "")
    assert "--allow-skipped makes it 0" in done.stdout
    assert done.stdout.count("lacks hawkbit.trusted_ips; run it --against a server that has, and say so in") == 1
    assert "for the same reason" in done.stdout


@pytest.mark.parametrize("word", ["--allow-skipped", "--fail-on-skip"])
def test_options_say_what_skips_mean(tmp_path: Path, word: str) -> None:
    write_scenario(tmp_path, PASSES, "hawkbit/a", NEEDS)
    done = run(tmp_path, word)
    assert done.returncode == {"--allow-skipped": 0, "--fail-on-skip": 1}[word]
    assert "--allow-skipped makes it 0" not in done.stdout
    assert ("1 skipped: with --fail-on-skip that is a failure" in done.stdout) is (word == "--fail-on-skip")


def test_a_scenario_that_expects_nothing_is_not_judged(tmp_path: Path) -> None:
    write_scenario(tmp_path, EXPECTS_NOTHING)
    done = run(tmp_path, "--junit", "j.xml", "--trace", "t.jsonl")
    assert done.returncode == 5
    assert f"  {WHY}\n" in done.stdout
    assert cases_of(tmp_path / "j.xml") == {"hawkbit/x": ("hawkbit", "skipped")}
    assert fleetrig("report", "t.jsonl", cwd=tmp_path).returncode == 5
    assert fleetrig("report", "t.jsonl", "--allow-skipped", cwd=tmp_path).returncode == 0
    assert fleetrig("report", "t.jsonl", "--fail-on-skip", cwd=tmp_path).returncode == 1


def test_one_that_is_judged_is_enough(tmp_path: Path) -> None:
    write_scenario(tmp_path, EXPECTS_NOTHING)
    write_scenario(tmp_path, PASSES, "hawkbit/y")
    done = run(tmp_path)
    assert (done.returncode, WHY in done.stdout) == (0, True)


def test_the_stored_trace_of_a_skipped_run_ends_with_5_too(tmp_path: Path) -> None:
    run_once(tmp_path, PASSES, head=NEEDS, trace=tmp_path / "t.jsonl")
    done = fleetrig("report", "t.jsonl", "--junit", "j.xml", cwd=tmp_path)
    assert (done.returncode, cases_of(tmp_path / "j.xml")) == (5, {"hawkbit/x": ("hawkbit", "skipped")})


@pytest.mark.parametrize("content", ["", "\n", "{}\n"])
def test_an_empty_trace_is_a_mistake_and_no_pass(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.jsonl").write_text(content)
    write_scenario(tmp_path, PASSES)
    done = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert "is no trace of `fleetrig run`" in done.stderr


def test_a_trace_without_events_is_broken(tmp_path: Path) -> None:
    run_once(tmp_path, PASSES, trace=tmp_path / "t.jsonl")
    (first, *_) = (tmp_path / "t.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "t.jsonl").write_text(first)
    done = fleetrig("report", "t.jsonl", cwd=tmp_path)
    assert (done.returncode, "the trace ends before the run did" in done.stdout) == (3, True)


def test_pytest_takes_skips_as_failures_on_request(tmp_path: Path) -> None:
    write_scenario(tmp_path, PASSES, "hawkbit/a", NEEDS)
    code, said = pytest_in(tmp_path, "scenarios", "--fleetrig-fail-on-skip")
    assert code == 1
    assert "skipped: It works\nreference hawkBit 1.1 lacks hawkbit.trusted_ips" in said
    assert pytest_in(tmp_path, "scenarios")[0] == 0


def test_conform_ends_with_5_when_every_row_is_skipped(tmp_path: Path, empty_server: RunningServer) -> None:
    done = fleetrig("conform", "hawkbit", "S27", "--against", empty_server.url, cwd=tmp_path)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "skip S27" in done.stdout
    assert "(--account reader=USER:env:NAME)" in done.stdout
    assert fleetrig("conform", "hawkbit", "S27", "--against", empty_server.url, "--allow-skipped", cwd=tmp_path)[0] == 0
    done = fleetrig("conform", "hawkbit", "S01", "S27", "--against", empty_server.url, "--fail-on-skip", cwd=tmp_path)
    assert (done.returncode, "1 passed, 1 skipped" in done.stdout) == (1, True)


@pytest.mark.parametrize("verb", [("run",), ("conform", "hawkbit"), ("report",)])
def test_the_help_says_what_5_is(tmp_path: Path, verb: tuple[str, ...]) -> None:
    said = " ".join(fleetrig(*verb, "--help", cwd=tmp_path).stdout.split())
    assert "--fail-on-skip" in said
    assert "Exit with 0, not 5, when everything was skipped" in said
