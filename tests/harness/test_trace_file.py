"""Traces of runs as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetrig.harness.run.trace_file import TraceFile, trace_name
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.trace import Lane, TraceEvent


@pytest.mark.parametrize(
    ("run", "seed", "name"),
    [
        ("hawkbit/demo", 1, "hawkbit/demo.trace.jsonl"),
        ("hawkbit/demo", 2, "hawkbit/demo-seed-2.trace.jsonl"),
        ("hawkbit/power_cuts[cut=poll#1:sent]", 1, "hawkbit/power_cuts_cut=poll#1_sent.trace.jsonl"),
        ("a[x=../../etc]", 1, "a_x=_/_/etc.trace.jsonl"),
        ("/etc/passwd", 1, "_etc/passwd.trace.jsonl"),
    ],
)
def test_names_are_safe_on_every_file_system(run: str, seed: int, name: str) -> None:
    assert trace_name(run, seed) == name


def test_long_names_are_cut_and_stay_different() -> None:
    one, other = (trace_name(f"a/b[x={'long' * 100}{end}]") for end in "12")
    assert one != other
    assert len(one.rpartition("/")[2]) < 200


def event(reason: str) -> TraceEvent:
    return TraceEvent(0, 1, "", Lane.BENCH, "note", reason=reason)


def test_secrets_that_are_learnt_late_are_masked_too(tmp_path: Path) -> None:
    secrets = Secrets()
    file = TraceFile(tmp_path / "t", {}, secrets)
    file.write(event("the token is abcdefghijkl"))
    secrets.learn("token", "abcdefghijkl")
    assert file.close(keep=True) == tmp_path / "t"
    assert "abcdefghijkl" not in (tmp_path / "t").read_text()


def test_only_lines_from_before_a_secret_are_looked_at_once_more(tmp_path: Path) -> None:
    secrets = Secrets()
    file = TraceFile(tmp_path / "t", {"values": "abcdefghijkl"}, secrets)
    for number in range(3):
        file.write(event(f"{number} abcdefghijkl"))
    secrets.learn("token", "abcdefghijkl")
    for number in range(3, 6):
        file.write(event(f"{number} abcdefghijkl"))
    assert file.close(keep=True) is not None
    lines = (tmp_path / "t").read_text().splitlines()
    assert len(lines) == 7
    assert not [line for line in lines if "abcdefghijkl" in line]
    assert [line.count("token:") for line in lines] == [1] * 7


def test_nothing_is_left_when_it_is_not_kept(tmp_path: Path) -> None:
    file = TraceFile(tmp_path / "deep" / "t", {}, Secrets())
    file.write(event("x"))
    assert file.close(keep=False) is None
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = TraceFile(tmp_path / "file" / "t", {}, Secrets())
    with pytest.raises(BrokenBench, match="cannot write the trace"):
        file.close(keep=True)


def test_a_full_disk_ends_the_trace_and_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = TraceFile(tmp_path / "t", {}, Secrets())
    file._file.close()
    monkeypatch.setattr(file, "_file", Path("/dev/full").open("w", encoding="utf-8"))  # noqa: SIM115
    for _ in range(1_000):
        file.write(event("x" * 100))
    with pytest.raises(BrokenBench, match=r"cannot write the trace .*No space left on device: make room"):
        file.close(keep=True)
    assert list(tmp_path.iterdir()) == []
