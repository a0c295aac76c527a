"""A trace file: to its end, in pieces, damaged, emptied and written anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fleetrig.harness.traces.device_sessions import sessions_of_devices
from fleetrig.harness.traces.stored_trace import StoredTrace
from fleetrig.harness.traces.trace_records import DamagedLine, RunBegins, StoredEvent
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.trace import Lane
from tests.harness.traces.told import RUN, lines_of, told

EVENTS = lines_of(*(told(Lane.SERVER, seq, "opened", session=seq) for seq in (1, 2, 3)))


class NoMore(Exception):
    """The end of a test that follows."""


def numbers(trace: StoredTrace) -> list[int]:
    return [one.event.seq for one in trace if isinstance(one, StoredEvent)]


def file_of(folder: Path, text: str) -> Path:
    path = folder / "t.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_half_written_last_line_is_kept_apart(tmp_path: Path) -> None:
    trace = StoredTrace(file_of(tmp_path, "\n".join([RUN, *EVENTS])[:-5]))
    assert numbers(trace) == [1, 2]
    assert trace.half_line == EVENTS[2][:-5]


def test_a_whole_last_line_needs_no_line_end(tmp_path: Path) -> None:
    trace = StoredTrace(file_of(tmp_path, "\r\n".join(["", RUN, "", *EVENTS])))
    assert numbers(trace) == [1, 2, 3]
    assert trace.half_line == ""


def test_damaged_lines_do_not_end_it(tmp_path: Path) -> None:
    path = file_of(tmp_path, "\n".join(["half a li", EVENTS[0], "\x00\x00", EVENTS[1], ""]))
    found = list(StoredTrace(path))
    assert [type(one) for one in found] == [DamagedLine, StoredEvent, DamagedLine, StoredEvent]
    assert [one.number for one in found if isinstance(one, DamagedLine)] == [1, 3]


@pytest.mark.parametrize("text", ["scenario: It works\n", "a\n" * 100, "x"])
def test_what_is_no_trace_is_called_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"t\.jsonl is no trace: it begins with '.*--trace F"):
        list(StoredTrace(file_of(tmp_path, text)))


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*No such file or directory: check the path"):
        list(StoredTrace(tmp_path / "none.jsonl"))


def followed(path: Path, *steps: Callable[[], object]) -> tuple[list[int], StoredTrace]:
    """The numbers that are read while these things happen, one each time the end is reached."""
    left = list(steps)

    def wait() -> None:
        if not left:
            raise NoMore
        left.pop(0)()

    trace, found = StoredTrace(path, wait), list[int]()
    with pytest.raises(NoMore):
        found.extend(one.event.seq for one in trace if isinstance(one, StoredEvent))
    return found, trace


def test_it_is_followed_while_it_is_written(tmp_path: Path) -> None:
    path = file_of(tmp_path, f"{RUN}\n{EVENTS[0][:10]}")
    with path.open("a", encoding="utf-8", buffering=1) as file:
        found, _ = followed(
            path, lambda: file.write(EVENTS[0][10:] + "\n"), lambda: None, lambda: file.write(f"{EVENTS[1]}\n")
        )
    assert found == [1, 2]


def test_one_that_is_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = file_of(tmp_path, "\n".join([RUN, *EVENTS, ""]))
    found, trace = followed(path, lambda: path.write_text(f"{RUN}\n{EVENTS[1]}\n", encoding="utf-8"))
    assert found == [1, 2, 3, 2]
    assert trace.half_line == ""


def test_an_empty_trace_has_nothing(tmp_path: Path) -> None:
    assert list(StoredTrace(file_of(tmp_path, ""))) == []
    assert list(StoredTrace(file_of(tmp_path, RUN))) == [RunBegins("a/b[n=1]", 3, "virtual", "0.1.0")]


def test_sessions_are_found_before_they_have_a_device(tmp_path: Path) -> None:
    events = [
        told(Lane.SERVER, 1, "opened", session=7),
        told(Lane.SERVER, 2, "answered", "gw-1", session=7),
        told(Lane.SERVER, 3, "answered", "gw-2", session=8),
        told(Lane.SERVER, 4, "answered", "gw-2", session=9, reason="gw-1 was first"),
    ]
    path = file_of(tmp_path, "\n".join(["no line", *lines_of(*events), ""]))
    assert sessions_of_devices(path, ["gw-1"]) == {7}
    assert sessions_of_devices(path, ["gw-[2]"]) == {8, 9}
    assert sessions_of_devices(path, []) == frozenset()
