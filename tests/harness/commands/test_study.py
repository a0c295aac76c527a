"""`fleetrig study` as a user calls it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.harness.command import Done, Running, fleetrig
from tests.harness.studies.made import SCENARIO, STUDY, written

SMALL = ("--set", "devices=300")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a study in its scenarios."""
    (tmp_path / "scenarios" / "mine").mkdir(parents=True)
    written(tmp_path / "scenarios" / "mine")
    return tmp_path


def study(place: Path, *words: str) -> Done:
    return fleetrig("study", "mine/recovery", *words, cwd=place)


def left(place: Path) -> Path:
    return place / "fleetrig-results" / "studies" / "mine" / "recovery"


def kept(place: Path) -> Sequence[str]:
    return (left(place) / "cases.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """One that has run, and what it said."""
    place = tmp_path_factory.mktemp("whole")
    (place / "scenarios" / "mine").mkdir(parents=True)
    written(place / "scenarios" / "mine")
    return place, study(place, *SMALL)


@pytest.mark.slow
def test_a_study_ends_with_a_table_pictures_and_an_advice(whole: tuple[Path, Done]) -> None:
    place, done = whole

    assert done.returncode == 0, done.stderr
    assert "12 runs of mine/recovery: about " in done.stderr
    assert done.stderr.count("of 12 runs") >= 10
    assert "policy       jitter  peak" in done.stdout
    assert re.search(r"\nWith a server of [\d.]+ times the steady rate \([\d.]+ requests/s\), take «", done.stdout)
    assert {path.name for path in left(place).iterdir()} == {
        "cases.jsonl", "table.csv", "study.json", "rate.svg", "rate.png", "quiet.svg", "quiet.png",
    }  # fmt: skip
    told = json.loads((left(place) / "study.json").read_text(encoding="utf-8"))
    assert (told["is_complete"], len(told["rows"])) == (True, 12)
    assert told["recommendation"] in " ".join(done.stdout.split())
    assert len((left(place) / "table.csv").read_text(encoding="utf-8").splitlines()) == 13
    assert os.getpid() not in {json.loads(line)["process"] for line in kept(place)[1:]}


@pytest.mark.slow
def test_it_is_shown_again_and_goes_on_with_the_same_results(whole: tuple[Path, Done], tmp_path: Path) -> None:
    before, done = whole
    shutil.copytree(before, tmp_path, dirs_exist_ok=True)

    again = study(tmp_path, *SMALL)
    assert "all 12 runs of this study were done before" in again.stderr
    assert again.stdout == done.stdout

    (left(tmp_path) / "cases.jsonl").write_text("\n".join(kept(tmp_path)[:6]) + "\n", encoding="utf-8")
    resumed = study(tmp_path, "--resume", "--jobs", "1", *SMALL)
    assert "7 runs of mine/recovery: about" in resumed.stderr
    assert resumed.stdout == done.stdout
    assert len(kept(tmp_path)) == 13


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_done_is_kept_and_marked_when_it_is_interrupted(place: Path, number: signal.Signals) -> None:
    left(place).mkdir(parents=True)
    for name in ("table.csv", "study.json", "rate.png", "quiet.svg"):
        (left(place) / name).write_text("of another study", encoding="utf-8")
    running = Running("study", "mine/recovery", "--seeds", "40", "--jobs", "2", *SMALL, cwd=place)
    running.until_said("of 480 runs, about")
    running.process.send_signal(number)

    assert running.end() == 2
    done = len(kept(place)) - 1
    assert 0 < done < 480
    said = running.said()
    assert f"interrupted: {done} of 480 runs; --resume goes on with the others" in said
    assert "So far (" in said
    assert {path.name for path in left(place).iterdir()} == {"cases.jsonl", "partial-table.csv", "partial-study.json"}

    refused = study(place, "--seeds", "40", *SMALL)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert f"has {done} of the 480 runs of this study: --resume goes on" in refused.stderr


@pytest.mark.slow
def test_where_nothing_keeps_the_limit_it_says_what_capacity_would(place: Path) -> None:
    text = (
        STUDY.replace("wait: {policy: none}, ", "").replace("[1.5x, 2x, 4x]", "[1.1x]").replace("[0.1, 0.5]", "[0.1]")
    )
    written(place / "scenarios" / "mine", text.replace("rejected: 1%", "rejected: 0"))

    done = study(place, "--set", "devices=2000", "--jobs", "1")

    said = " ".join(done.stdout.split())
    assert done.returncode == 1, done.stderr
    assert "It does not keep the limit; the closest is «full jitter», jitter 0.1 with 1.1 times the steady rate" in said
    assert "; it would with about " in said


def test_studies_are_listed(place: Path) -> None:
    alone = fleetrig("study", "--scenarios", "scenarios", cwd=place).stdout
    assert alone == "mine/recovery  What hits the server when it is back?\n"
    first, *shipped = fleetrig("study", cwd=place).stdout.splitlines()
    assert first.split() == [*alone.split(), "yours:", "scenarios/mine/recovery.study.yaml"]
    assert [line.split()[0] for line in shipped] == [
        "kura/reconnect",
        "outage/clients",
        "outage/jitter",
        "outage/recovery",
    ]


def test_a_study_can_be_checked_before_it_runs(place: Path) -> None:
    file = "scenarios/mine/recovery.study.yaml"

    assert fleetrig("check", file, cwd=place).stdout == f"{file}: a study of 12 runs, OK\n"
    written(place / "scenarios" / "mine", STUDY.replace("{policy: none}", "{policy: nine}"))
    assert "sweep.policy: wait: devices.backoff.policy: expected" in fleetrig("check", file, cwd=place).stderr


MISTAKES = (
    (("mine/recovry",), 5, "no study is called mine/recovry, and there is no such file; did you mean mine/recovery?"),
    (("mine/recovery", "--set", "devces=3"), 4, "--set 'devces' is not known here; did you mean 'devices'?"),
    (("mine/recovery", "--set", "jitter=0.3"), 4, "--set jitter: this study sweeps it (sweep.jitter)"),
    (("mine/recovery", "--set", "devices=0"), 4, "devices.count: expected a number of at least 1"),
    (("mine/recovery", "--resume", "--anew"), 4, "give one of them"),
    (("mine/recovery", "--cluster", "127.0.0.1:1"), 3, "no Dask scheduler answers there (Connection refused: nobody"),
    (("mine/recovery", "--jobs", "2", "--cluster", "127.0.0.1:1"), 4, "give one of them"),
    (("mine/recovery", "--results", "no/such/place"), 4, "--results no/such/place: "),
    (("mine/recovery", "--seeds", "0"), 4, "seeds"),
)


@pytest.mark.parametrize(("words", "code", "sentence"), MISTAKES)
def test_each_mistake_is_one_clear_sentence(place: Path, words: tuple[str, ...], code: int, sentence: str) -> None:
    done = fleetrig("study", *words, cwd=place)

    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr


def test_a_scenario_for_the_exact_engine_alone_is_refused(place: Path) -> None:
    only_exact = SCENARIO.replace(
        "do: {power_on: {spread: 5m}}", "do: [{power_on: {spread: 5m}}, {power_cut: {only: 'DEV-0001'}}]"
    )
    written(place / "scenarios" / "mine", scenario=only_exact)

    done = study(place)

    assert (done.returncode, done.stdout) == (4, "")
    assert "mine/recovery cannot be studied: the action power_cut is about some of the devices" in done.stderr


@pytest.mark.slow
def test_a_study_that_would_take_hours_is_not_begun(place: Path) -> None:
    text = STUDY.replace("wait: {policy: none}", "at once: {policy: none, devices: 5000000}").replace(
        "sweep:", "seeds: 500\n    sweep:"
    )
    written(place / "scenarios" / "mine", text)

    done = study(place, "--jobs", "1")

    assert (done.returncode, done.stdout) == (4, "")
    assert "6000 runs of mine/recovery: about " in done.stderr
    assert "nothing was run. --yes begins, or try fewer devices or values first" in done.stderr
