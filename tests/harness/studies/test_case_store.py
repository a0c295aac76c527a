"""Results are kept as they come, and a study goes on where it was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.studies.case_store import CaseStore, CaseWriter, digest_of
from fleetrig.harness.studies.study_run import orders_left
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from tests.harness.studies.made import STUDY, plan_of, result


def kept(path: Path, *, digest: str = "d", numbers: range = range(3)) -> CaseStore:
    """A file with these results of five."""
    store = CaseStore(path, digest, 5)
    with store.open() as writer:
        for number in numbers:
            writer.add(result(number))
    return store


def read(path: Path, *, digest: str = "d", resume: bool = False, anew: bool = False) -> list[int]:
    store = CaseStore(path, digest, 5)
    store.prepare(resume=resume, anew=anew)
    return [one.number for one in store.done]


def test_a_result_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    store = CaseStore(path, "d", 5)
    with store.open() as writer:
        writer.add(result(4, seed=7, quiet_s=None))
        assert read(path, resume=True) == [4]

    store.prepare(resume=True, anew=False)
    assert store.done == [result(4, seed=7, quiet_s=None)]


def test_a_study_goes_on_with_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    kept(path)

    assert read(path, resume=True) == [0, 1, 2]
    assert read(path, anew=True) == []


def test_nothing_is_lost_by_beginning_again(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    kept(path)

    with pytest.raises(UsageError, match=r"has 3 of the 5 runs of this study: --resume goes on"):
        read(path)
    with pytest.raises(UsageError, match=r"has 3 of the 5 runs of another study"):
        read(path, digest="other")
    with pytest.raises(UsageError, match=r"results of another study, .* nothing to resume"):
        read(path, digest="other", resume=True)


def test_a_whole_study_is_shown_again_and_replaced_by_another(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    assert kept(path, numbers=range(5)).is_complete

    assert read(path) == [0, 1, 2, 3, 4]
    assert read(path, digest="other") == []


def test_a_study_of_which_nothing_was_run_is_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    kept(path, numbers=range(0))

    assert read(path) == []
    assert read(path, digest="other") == []


@pytest.mark.parametrize("head", ["", "{", "[]", '{"study": 7, "runs": "9"}'])
def test_what_is_no_study_is_replaced(tmp_path: Path, head: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(f"{head}\n{{}}\n", encoding="utf-8")

    assert read(path) == []


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"cases.jsonl is no file of a study: remove it, or give --anew"):
        read(path)

    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match=r"cannot read .*cases.jsonl: it is a folder"):
        read(path)


def test_on_a_full_disk_what_was_done_stays(tmp_path: Path) -> None:
    path, full = tmp_path / "cases.jsonl", Path("/dev/full")
    kept(path)
    store = CaseStore(path, "d", 5)
    store.prepare(resume=True, anew=False)

    (tmp_path / "cases.jsonl.part").symlink_to(full)
    with (
        pytest.raises(BrokenBench, match=r"cannot write .*cases.jsonl: No space left .* --resume goes on"),
        store.open(),
    ):
        pass
    (tmp_path / "cases.jsonl.part").unlink()
    assert read(path, resume=True) == [0, 1, 2]

    writer = CaseWriter(full.open("w", encoding="utf-8"), path, [])
    with pytest.raises(BrokenBench, match=r"cannot write .*cases.jsonl: No space left"):
        writer.add(result(4))
    assert writer.done == []
    with pytest.raises(OSError, match="No space left"):
        writer.file.close()


def test_a_line_that_was_cut_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    kept(path)
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")

    assert read(path, resume=True) == [0, 1]


def test_whatever_changes_results_makes_another_study(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    digests = {
        digest_of(plan, 1),
        digest_of(plan, 2),
        digest_of(plan_of(tmp_path, STUDY.replace("2x", "3x")), 1),
        digest_of(plan_of(tmp_path, STUDY.replace("sweep:", "seeds: 2\n    sweep:")), 1),
    }

    assert len(digests) == 4
    assert digest_of(plan_of(tmp_path, STUDY.replace("What hits", "Who hits")), 1) == digest_of(plan, 1)


def test_only_what_is_missing_is_left_to_run(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, STUDY.replace("sweep:", "seeds: 2\n    sweep:"))

    left = orders_left(plan, 5, [result(0, 5), result(3, 6)])

    assert len(left) == 12 * 2 - 2
    assert [(one.number, one.seed, one.keeps_curve) for one in left[:3]] == [(0, 6, False), (1, 5, True), (1, 6, False)]
