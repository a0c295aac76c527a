"""`board flash` onto real U-Boot: written and read back, never onto another board, stopped with a stated condition."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.harness.command import Running, fleetrig
from tests.peers.programs import need_program, until

pytestmark = [pytest.mark.slow, pytest.mark.peer]

BENCH = """\
boards:
  sim:
    type: qemu-arm64-uboot
    emulated: uboot
    identity: {{board: {board}}}
    console: {{kind: uboot}}
    flasher: {{uboot_xmodem: {{storage: virtio, prepare: [virtio scan]}}}}
"""
FIRST_BYTE = 0x800 * 512


BLOCK = '"way": "to_board", "base64"'
"""What is no text is written so."""


@pytest.fixture(autouse=True)
def emulator() -> None:
    need_program("qemu-system-aarch64", "qemu-system-arm")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "gw.img"
    path.write_bytes(random.Random(7).randbytes(20_001))
    return path


def words(folder: Path, board: str) -> tuple[str, ...]:
    (folder / "bench.yaml").write_text(BENCH.format(board=board), encoding="utf-8")
    return ("--bench", "bench.yaml", "--desk", str(folder / "desk"))


def on_disk(state: Path, size_bytes: int) -> bytes:
    with (state / "fleetrig/boards/sim/disk.img").open("rb") as disk:
        disk.seek(FIRST_BYTE)
        return disk.read(size_bytes)


def test_an_image_is_written_read_back_and_not_written_twice(image, state, tmp_path):
    options = words(tmp_path, "qemu-arm")
    done = fleetrig("board", "flash", "sim", str(image), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert on_disk(state, 20_001) == image.read_bytes()
    assert "sim has gw.img: 20,001 bytes, SHA-256 " in done.stdout
    assert "sent: 20,001 bytes" in done.stderr
    again = fleetrig("board", "flash", "sim", str(image), *options, cwd=tmp_path)
    assert "written 0 bytes in" in again.stdout


def test_another_board_than_the_files_is_the_boards_fault_and_untouched(image, state, tmp_path):
    done = fleetrig("board", "flash", "sim", str(image), *words(tmp_path, "acme-gw2"), cwd=tmp_path)
    assert done.returncode == 1
    assert "expected the board to be board=acme-gw2, it says that it is board=qemu-arm" in done.stderr
    assert "the board is untouched" in done.stderr
    assert on_disk(state, 20_001) == bytes(20_001)


def test_a_flash_that_is_stopped_before_the_board_answers_has_left_it_untouched(image, state, tmp_path):
    desk = ("--desk", str(tmp_path / "desk"))
    running = Running("board", "flash", "fake-silent", str(image), *desk, cwd=tmp_path, XDG_STATE_HOME=str(state))
    until("its port is open", lambda: any((state / "fleetrig/boards/fake-silent").glob("serial-*.jsonl")))
    assert running.interrupt() == 2
    assert "stopped; fake-silent is untouched: what was on it still is" in running.said()


def test_a_stopped_flash_says_how_it_leaves_the_board(state, tmp_path):
    large = tmp_path / "large.img"
    large.write_bytes(random.Random(8).randbytes(4 << 20))
    running = Running(
        "board", "flash", "sim", str(large), *words(tmp_path, "qemu-arm"), cwd=tmp_path, XDG_STATE_HOME=str(state)
    )
    logs = (state / "fleetrig/boards/sim").glob
    until("a block is sent", lambda: any(BLOCK in log.read_text() for log in logs("serial-*.jsonl")))
    assert running.interrupt() == 2
    assert "stopped; sim is untouched: what was on it still is" in running.said()
    busy = fleetrig("board", "who", "sim", "--bench", "bench.yaml", "--desk", str(tmp_path / "desk"), cwd=tmp_path)
    assert busy.stdout.startswith("sim is free")
