"""Boards are had by one at a time, whoever dies, and everybody else is told by whom."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fleetrig.hil.desk.board_use import Owner, Use
from fleetrig.hil.desk.lock_file import LockFile, held_content
from fleetrig.hil.desk.reservation import HISTORY_LIMIT_BYTES, OutOfService, Reservations
from fleetrig.hil.port import PortBusy
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.errors import BrokenBench, UsageError

EVE = Owner("eve", "desk", 4711)

HOLDER = """
import sys, time
from pathlib import Path
from fleetrig.hil.desk.reservation import Reservations
class Wall:
    def now_us(self): return time.time_ns() // 1000
with Reservations(Path(sys.argv[1]), Wall()).held("gw-1", "board flash"):
    print("held", flush=True)
    sys.stdin.read()
"""


class Ticking:
    """A second passes with every look."""

    def __init__(self) -> None:
        self._s = itertools.count()

    def now_us(self) -> int:
        return VIRTUAL_EPOCH_US + to_us(next(self._s))


@pytest.fixture
def desk(tmp_path: Path) -> Reservations:
    return Reservations(tmp_path / "desk", Ticking(), lambda: EVE)


def test_a_busy_board_is_told_at_once_with_owner_since_and_until(desk: Reservations) -> None:
    until_us = VIRTUAL_EPOCH_US + to_us(600)
    with (
        desk.held("gw-1", "board flash", until_us),
        pytest.raises(PortBusy) as busy,
        desk.held("gw-1", "board console"),
    ):
        pass
    assert str(busy.value) == (
        "gw-1 is busy: eve@desk, process 4711: `board flash`, "
        "since 2026-01-01 00:00:00 UTC, until 2026-01-01 00:10:00 UTC"
    )
    assert busy.value.exit_code == 3


def test_a_board_is_free_again_and_another_one_was_never_busy(desk: Reservations) -> None:
    with desk.held("gw-1", "run"), desk.held("gw-2", "run"):
        assert desk.who("gw-1") == Use("gw-1", EVE, "run", VIRTUAL_EPOCH_US)
    assert desk.who("gw-1") is None
    with desk.held("gw-1", "run"):
        pass


def test_a_use_that_fails_gives_the_board_back(desk: Reservations) -> None:
    with pytest.raises(ZeroDivisionError), desk.held("gw-1", "run"):
        raise ZeroDivisionError
    assert desk.who("gw-1") is None
    assert desk.history("gw-1")[0].ended_us > 0


def test_looking_never_takes_it(desk: Reservations, tmp_path: Path) -> None:
    """However often somebody looks, a board that is free can be had: the lock is asked about, not taken."""
    path = tmp_path / "it.lock"
    assert held_content(path) is None
    lock = LockFile.take(path)
    assert lock is not None
    lock.write(b"me")
    assert [held_content(path) for _ in range(3)] == [b"me"] * 3
    assert LockFile.take(path) is None
    lock.release()
    lock.release()
    assert held_content(path) is None
    assert path.read_bytes() == b""


def test_a_holder_that_was_killed_holds_nothing_and_its_use_has_no_end(desk: Reservations, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "desk")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(PortBusy, match=f"process {holder.pid}: `board flash`"), desk.held("gw-1", "run"):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    finally:
        holder.kill()
        holder.communicate()
    assert desk.who("gw-1") is None
    with desk.held("gw-1", "run"):
        killed, current = desk.history("gw-1")
    assert (killed.owner.pid, killed.ended_us) == (holder.pid, 0)
    assert (current.owner, current.ended_us) == (EVE, 0)
    assert [use.ended_us > 0 for use in desk.history("gw-1")] == [False, True]


def test_what_a_lock_says_while_it_is_being_taken_names_nobody_wrong(desk: Reservations, tmp_path: Path) -> None:
    desk.who("gw-1")
    lock = LockFile.take(tmp_path / "desk" / "gw-1.lock")
    assert lock is not None
    with pytest.raises(PortBusy, match="somebody@this machine"), desk.held("gw-1", "run"):
        pass
    lock.release()


def test_a_board_out_of_service_tells_the_next_one_why(desk: Reservations) -> None:
    desk.put_out_of_service("gw-1", "the relay sticks,\n ask Adam")
    with pytest.raises(OutOfService) as out, desk.held("gw-1", "run"):
        pass
    assert str(out.value) == (
        "gw-1 is out of service since 2026-01-01 00:00:00 UTC: the relay sticks, ask Adam (says eve); "
        "`fleetrig board in-service gw-1`, with the same --bench and --desk, when that is repaired"
    )
    assert desk.who("gw-1") is None
    assert desk.history("gw-1") == []
    desk.put_in_service("gw-1")
    with desk.held("gw-1", "run"):
        pass


@pytest.mark.parametrize("name", ["", "../gw", "gw 1", "a" * 101, ".gw"], ids=["none", "path", "space", "long", "dot"])
def test_a_name_that_could_be_another_file_is_refused(desk: Reservations, name: str) -> None:
    with pytest.raises(UsageError, match="is no board's name"), desk.held(name, "run"):
        pass


def test_mistakes_with_out_of_service(desk: Reservations, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="say why gw-1"):
        desk.put_out_of_service("gw-1", " \n")
    with pytest.raises(UsageError, match="gw-1 is not out of service"):
        desk.put_in_service("gw-1")
    (tmp_path / "desk" / "gw-1.out-of-service").write_text("broken", encoding="utf-8")
    with pytest.raises(OutOfService, match="cannot be read"), desk.held("gw-1", "run"):
        pass


def test_history_is_bounded_and_survives_a_torn_line(desk: Reservations, tmp_path: Path) -> None:
    with desk.held("gw-1", "first"):
        pass
    path = tmp_path / "desk" / "gw-1.history.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole * (HISTORY_LIMIT_BYTES // len(whole) + 1) + b'{"board": "gw-1", "own')
    with desk.held("gw-1", "second"):
        pass
    assert len(path.read_bytes()) < HISTORY_LIMIT_BYTES
    assert [use.command for use in desk.history("gw-1")] == ["first", "second"]


def test_no_secret_of_a_command_is_written(desk: Reservations, tmp_path: Path) -> None:
    with desk.held("gw-1", "console --run 'curl http://h/?password=hunter2hunter2'"):
        assert all(b"hunter2" not in path.read_bytes() for path in (tmp_path / "desk").iterdir())
        assert "curl" in desk.history("gw-1")[0].command


def test_files_are_for_all_users_and_links_are_not_followed(desk: Reservations, tmp_path: Path) -> None:
    earlier = os.umask(0o077)
    try:
        with desk.held("gw-1", "run"):
            pass
    finally:
        os.umask(earlier)
    folder = tmp_path / "desk"
    assert folder.stat().st_mode & 0o777 == 0o777
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o666}
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    (folder / "gw-2.lock").symlink_to(victim)
    with pytest.raises(BrokenBench, match=r"gw-2\.lock"), desk.held("gw-2", "run"):
        pass
    assert victim.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_cannot_be_made_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    desk = Reservations(tmp_path / "file" / "desk", Ticking(), lambda: EVE)
    with pytest.raises(BrokenBench, match="file/desk: Not a directory"), desk.held("gw-1", "run"):
        pass
