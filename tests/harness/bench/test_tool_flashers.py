"""Programs that flash, as a bench file names them: they get the port, and the board is asked through them."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fleetrig.harness.bench.bench_file import read_bench
from fleetrig.harness.bench.flashers import ready_flasher
from fleetrig.harness.bench.opened_board import opened_board
from fleetrig.hil.flasher import BoardState, FlashFailed, WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.peers.programs import need_program

pytestmark = pytest.mark.slow

TOOL = """\
import fcntl, os, shutil, sys
port = os.open(sys.argv[2], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody else has it
match sys.argv[1]:
    case "ask":
        print("MAC: 24:0a:c4:00:00:01, revision 3")
    case "write":
        print("Writing... (100 %)")
        shutil.copy(sys.argv[3], sys.argv[4])
    case "verify":
        sys.exit(open(sys.argv[3], "rb").read() != open(sys.argv[4], "rb").read())
"""
BENCH = """\
boards:
  esp:
    type: fake-board
    emulated: {{fake: {{fault: silent}}}}
    serial: "1234"
    identity: {{{identity}}}
    flasher:
      command_line:
        ask: {ask}
        write: {write}
"""


async def flash(folder: Path, identity: str, ask: str, write: str, verify: str = "", faults: bool = False) -> str:
    """Returns how it was verified; the board's port answers again afterwards. `faults` puts a line in between."""
    text = BENCH.format(identity=identity, ask=ask, write=write) + (f"        verify: {verify}\n" if verify else "")
    (folder / "bench.yaml").write_text(text, encoding="utf-8")
    (folder / "image").write_bytes(b"an application")
    spec = read_bench(folder / "bench.yaml").board("esp")
    async with opened_board(spec, folder, WallClock()) as board, AsyncExitStack() as between:
        if faults:
            await between.enter_async_context(board.line_faults((), 1))
        flasher = await ready_flasher(board, folder)
        try:
            flashed = await flasher.flash(read_image(folder / "image"), lambda _: None)
        finally:
            await board.port.write(b"the port is back")
    assert flasher.left_in is BoardState.VERIFIED
    return flashed.verified_by


def tool(folder: Path, verb: str) -> str:
    (folder / "tool.py").write_text(TOOL, encoding="utf-8")
    files = "" if verb == "ask" else f" {{image}} {folder}/flash"
    return f"{sys.executable} {folder}/tool.py {verb} {{port}}{files}"


@pytest.mark.parametrize("faults", [False, True], ids=["its own line", "a line with faults"])
def test_a_program_asks_writes_and_verifies_while_it_has_the_port(tmp_path, faults):
    ask, write, verify = (tool(tmp_path, verb) for verb in ("ask", "write", "verify"))
    flashing = flash(tmp_path, "MAC: '24:0a:c4:00:00:01'", ask, write, verify, faults)
    assert asyncio.run(flashing) == "its `verify`"
    assert (tmp_path / "flash").read_bytes() == b"an application"


def test_a_program_that_meets_another_board_writes_nothing(tmp_path):
    with pytest.raises(WrongBoard, match=r"MAC 24:0a:c4:00:00:02, it says that it is MAC 24:0a:c4:00:00:01"):
        asyncio.run(flash(tmp_path, "MAC: '24:0a:c4:00:00:02'", tool(tmp_path, "ask"), tool(tmp_path, "write")))
    assert not (tmp_path / "flash").exists()


@pytest.mark.peer
@pytest.mark.slow
def test_avrdude_says_why_it_reaches_no_board(tmp_path):
    need_program("avrdude", "avrdude")
    ask = "avrdude -p m328p -c arduino -P {port} -b {baud} -x attempts=1"
    with pytest.raises(FlashFailed, match=r"avrdude ended with 1: .*sync.*the board is untouched") as failed:
        asyncio.run(flash(tmp_path, "Device signature: '0x1e950f'", ask, f"{ask} -D -U flash:w:{{image}}:r"))
    assert failed.value.state is BoardState.UNTOUCHED


@pytest.mark.peer
def test_dfu_util_lists_no_such_board(tmp_path):
    need_program("dfu-util", "dfu-util")
    ask, write = "dfu-util -S {serial} -l", "dfu-util -S {serial} -D {image}"
    with pytest.raises(WrongBoard, match="serial 1234, it says that it is dfu-util"):
        asyncio.run(flash(tmp_path, "serial: '1234'", ask, write))
