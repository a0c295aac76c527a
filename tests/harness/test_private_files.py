"""Traces and results are for their owner only, whatever the umask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetrig.harness.commands.live_trace import LiveTrace
from fleetrig.harness.report.whole_file import DRAFT, check_place, whole_file
from fleetrig.harness.run.private_files import FOR_OWNER, make_private_folder, open_private
from fleetrig.harness.run.trace_file import TraceFile
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent

EVENT = TraceEvent(0, 1, "", Lane.BENCH, "note", reason="x" * 100)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_file_and_all_new_folders_above_it(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b")
    open_private(tmp_path / "a" / "b" / "t").close()
    assert [mode(tmp_path / part) for part in ("a", "a/b", "a/b/t")] == [0o700, 0o700, 0o600]


def test_folders_that_were_there_stay_as_they_were(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert mode(tmp_path) == 0o755


def test_a_file_that_others_could_read_is_emptied_and_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text("old")
    path.chmod(0o666)
    open_private(path).close()
    assert (mode(path), path.read_text()) == (0o600, "")


def test_a_device_keeps_its_mode() -> None:
    before = mode(Path("/dev/null"))
    open_private(Path("/dev/null")).close()
    assert mode(Path("/dev/null")) == before


@pytest.mark.parametrize("lying", ["link", "file"])
def test_what_lies_where_a_draft_is_written_learns_nothing_of_it(tmp_path: Path, lying: str) -> None:
    """Somebody else can put a link, or a file that is open already, where a draft will be."""
    other, draft = tmp_path / "other", tmp_path / f"t{DRAFT}"
    other.write_text("theirs")
    if lying == "link":
        draft.symlink_to(other)
    else:
        draft.hardlink_to(other)
    with whole_file(tmp_path / "t", FOR_OWNER) as file:
        file.write("secret")
    assert (mode(tmp_path / "t"), (tmp_path / "t").read_text(), other.read_text()) == (0o600, "secret", "theirs")


def test_a_trial_of_a_place_follows_no_link(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    (tmp_path / f".t{DRAFT}").symlink_to(other)
    check_place("--trace", tmp_path / "t")
    assert other.read_text() == "theirs"


def test_live_traces_and_those_of_runs(tmp_path: Path) -> None:
    with LiveTrace(tmp_path / "live", Secrets()) as live:
        live.write(EVENT)
    run = TraceFile(tmp_path / "results" / "run", {}, Secrets())
    run.write(EVENT)
    assert run.close(keep=True) == tmp_path / "results" / "run"
    assert [mode(tmp_path / name) for name in ("live", "results", "results/run")] == [0o600, 0o700, 0o600]


def test_a_full_disk_ends_a_live_trace_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with LiveTrace(Path("/dev/full"), Secrets()) as live:
        for _ in range(3):
            live.write(EVENT)
            live.flush()
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "the trace /dev/full ends here: No space left on device: make room on that disk"
    assert live.complaint == "the trace /dev/full is not whole: No space left on device: make room on that disk"


def test_a_trace_that_cannot_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    goal = tmp_path / "t"
    goal.mkdir()  # so that the last step, the renaming, fails
    run = TraceFile(goal, {}, Secrets())
    with pytest.raises(BrokenBench, match="cannot write the trace"):
        run.close(keep=True)
    assert list(tmp_path.iterdir()) == [goal]


@pytest.mark.parametrize("name", ["x" * 5_000, "no/such/folder"], ids=["long", "no folder"])
def test_a_name_that_cannot_be_is_a_wrong_option(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="--trace") as refused:
        LiveTrace(tmp_path / name, Secrets())
    assert len(str(refused.value)) < 500
