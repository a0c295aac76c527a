"""Which trace is meant: a file, the latest of a folder, or the latest of a scenario."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleetrig.harness.traces.trace_place import FoundTrace, find_trace
from fleetrig.simulator.contract.errors import NoSuchId, UsageError
from tests.harness.traces.told import RUN


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three traces, each a second younger than the one before."""
    for second, (name, run) in enumerate(
        [("a/old.trace.jsonl", "a/b[n=1]"), ("a/new.trace.jsonl", "a/b[n=2]"), ("c/d.trace.jsonl", "c/d")]
    ):
        path = tmp_path / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RUN.replace("a/b[n=1]", run) + "\n", encoding="utf-8")
        os.utime(path, (1_000_000 + second, 1_000_000 + second))
    (tmp_path / "results/a/gw.serial.jsonl").write_text("{}\n", encoding="utf-8")
    return tmp_path / "results"


def test_a_file_is_itself(results: Path) -> None:
    path = results / "a/old.trace.jsonl"
    assert find_trace(str(path), results) == FoundTrace(path)


def test_of_a_folder_the_latest(results: Path) -> None:
    found = find_trace(str(results), Path("nowhere"))
    assert found.path == results / "c/d.trace.jsonl"
    assert found.remark == f"{found.path}, the latest of 3 (--run NAME takes another: a/b[n=2], a/b[n=1])"
    assert find_trace(str(results), results, "n=1").path == results / "a/old.trace.jsonl"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("a/b", "a/new"), ("a/b[n=1]", "a/old"), ("a", "a/new"), ("a/", "a/new"), ("c/d", "c/d"), ("c", "c/d")],
)
def test_a_scenario_by_its_id(results: Path, wanted: str, name: str) -> None:
    assert find_trace(wanted, results).path == results / f"{name}.trace.jsonl"


def test_what_looks_like_a_trace_will_do_where_no_run_has_left_one(tmp_path: Path) -> None:
    (tmp_path / "served.jsonl").write_text("{}\n", encoding="utf-8")
    assert find_trace(str(tmp_path), tmp_path) == FoundTrace(tmp_path / "served.jsonl", str(tmp_path / "served.jsonl"))


def test_near_words_and_reasons(results: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for wanted, said in (
        ("c/e", r"no file or folder called c/e, and .*results has none of it; did you mean c/d\?"),
        ("zzzzz", "has none of it; traces of failed runs are kept there; --trace F of `fleetrig run` keeps any"),
        (str(empty), "empty holds no trace; traces of failed runs are kept there"),
    ):
        with pytest.raises(NoSuchId, match=said):
            find_trace(wanted, results)
    with pytest.raises(NoSuchId, match=r"and .*empty holds no traces"):
        find_trace("a/b", empty)
    with pytest.raises(NoSuchId, match=r"results holds no trace of a run 'n=9'"):
        find_trace(str(results), results, "n=9")
    with pytest.raises(UsageError, match=r"cannot read none\.jsonl: there is no such file"):
        find_trace("none.jsonl", results)
