"""Flashing by programs: real child processes that write a file as a tool writes a board."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from fleetrig.hil.flasher import BoardState, FlashFailed, FlashProgress, Image, WrongBoard
from fleetrig.hil.flashers.command_line import CommandLineFlasher, PortHandover, ToolFlashing
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.tool_command import ToolCommand, Values, percent_of
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from tests.hil.flashers.boards import run

WRITES = """
import shutil, sys
print("connecting to", sys.argv[2]); sys.stderr.write("a warning\\n")
for percent in (10, 60, 100): print(f"Writing at 0x1000... ({percent} %)", end="\\r", flush=True)
shutil.copy(sys.argv[1], sys.argv[3])
"""
FAILS = "import sys; print('A fatal error occurred: no sync'); sys.exit(2)"
HANGS = "import sys, time; print('erasing, 1 %', flush=True); time.sleep(600)"
KILLED = "import os; os.kill(os.getpid(), 9)"


class Desk:
    """One board whose storage is the file `flash`; it keeps what was done with its port."""

    def __init__(self, folder: Path, mac: str = "24:0a:c4:00:00:01") -> None:
        self.folder = folder
        self.mac = mac
        self.port: list[str] = []
        self.lines: list[str] = []
        self.told: list[FlashProgress] = []
        image = folder / "image"
        image.write_bytes(random.Random(1).randbytes(10_000))
        self.image = read_image(image)

    def flasher(self, code: str = WRITES, verify: str = "", within_s: float = 60.0) -> CommandLineFlasher:
        flashing = ToolFlashing(
            write=self._tool(code),
            ask=(sys.executable, "-c", f"print('MAC: {self.mac}')"),
            identity={"MAC": "24:0a:c4:00:00:01"},
            verified_by="the tool's own check",
            verify=self._tool(verify) if verify else None,
            within_s=within_s,
        )
        return CommandLineFlasher(flashing, self._values, PortHandover(self._give, self._take_back), self.lines.append)

    def _tool(self, code: str) -> ToolCommand:
        code = code.replace("{", "{{").replace("}", "}}")
        return ToolCommand((sys.executable, "-c", code, "{image}", "{port}", str(self.folder / "flash")))

    def _values(self, image: Image) -> Values:
        return Values(str(image.path), "/dev/serial/by-id/one", 115_200)

    async def _give(self) -> None:
        self.port.append("given")

    async def _take_back(self) -> None:
        self.port.append("taken back")

    def flashed(self) -> bytes:
        flash = self.folder / "flash"
        return flash.read_bytes() if flash.exists() else b""


def test_a_program_writes_while_it_has_the_port(tmp_path):
    desk = Desk(tmp_path)
    flasher = desk.flasher()
    run(_flash(desk, flasher))
    assert desk.flashed() == desk.image.path.read_bytes()
    assert desk.port == ["given", "taken back"]
    assert {"connecting to /dev/serial/by-id/one", "a warning", "MAC: 24:0a:c4:00:00:01"} < set(desk.lines)
    assert [progress.done_bytes for progress in desk.told] == [1_000, 6_000, 10_000, 10_000]
    assert flasher.left_in is BoardState.VERIFIED


async def _flash(desk: Desk, flasher: CommandLineFlasher) -> None:
    await flasher.flash(desk.image, desk.told.append)


@pytest.mark.parametrize(
    ("code", "verify", "said", "state"),
    [
        pytest.param(FAILS, "", r"ended with 2: A fatal error occurred: no sync", "partly written", id="exit-status"),
        pytest.param(KILLED, "", r"was killed by signal 9: it printed nothing", "partly written", id="killed"),
        pytest.param(HANGS, "", r"did not end in 1 s and was stopped", "partly written", id="hangs"),
        pytest.param(WRITES, FAILS, r"ended with 2", "written, not verified", id="not-verified"),
    ],
)
@pytest.mark.slow
def test_a_program_that_fails_is_named_with_the_boards_condition(tmp_path, code, verify, said, state):
    desk = Desk(tmp_path)
    flasher = desk.flasher(code, verify, within_s=1.0 if code == HANGS else 60.0)
    with pytest.raises(FlashFailed, match=said) as failed:
        run(_flash(desk, flasher))
    assert (failed.value.state, flasher.left_in) == (BoardState(state), BoardState(state))
    assert desk.port == ["given", "taken back"]


def test_a_wrong_board_is_not_written_to(tmp_path):
    desk = Desk(tmp_path, mac="24:0a:c4:00:00:02")
    with pytest.raises(WrongBoard, match="to be MAC 24:0a:c4:00:00:01, it says that it is MAC 24:0a:c4:00:00:02"):
        run(_flash(desk, desk.flasher()))
    assert desk.flashed() == b""
    assert desk.port == ["given", "taken back"]


def test_a_cancelled_program_is_ended_and_the_port_taken_back(tmp_path):
    desk = Desk(tmp_path)
    flasher = desk.flasher(HANGS)

    async def story() -> None:
        begun = asyncio.Event()
        flashing = asyncio.ensure_future(flasher.flash(desk.image, lambda _: begun.set()))
        await begun.wait()
        flashing.cancel()
        await asyncio.wait([flashing])
        assert flashing.cancelled()

    run(story())
    assert desk.port == ["given", "taken back"]
    assert flasher.left_in is BoardState.PARTLY_WRITTEN


def test_a_program_that_is_not_there_is_named_with_its_package(tmp_path, monkeypatch):
    desk = Desk(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    flashing = ToolFlashing(
        ToolCommand(("dfu-util", "-S", "{serial}", "-D", "{image}")), ("dfu-util", "-l"), {"serial=": "1"}, "dfu-util"
    )
    flasher = CommandLineFlasher(flashing, desk._values, PortHandover(desk._give, desk._take_back))
    with pytest.raises(BrokenBench, match="dfu-util is not there: apt-get install dfu-util"):
        run(_flash(desk, flasher))
    assert desk.port == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "is empty", id="empty"),
        pytest.param(("esptool", "--port", "{port}"), "no argument has {image}", id="no-image"),
        pytest.param(("esptool", "{image}", "{prot}"), r"there is no {prot}; did you mean {port}\?", id="typo"),
        pytest.param(("esptool", "{image}", "{image"), "a brace that is meant is written twice", id="brace"),
        pytest.param(("esptool", "{image}", "{xyzzy}"), r"expected {image}, {port}, {baud}, {serial}", id="unknown"),
    ],
)
def test_a_command_is_checked_before_anything_runs(arguments: Sequence[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ToolCommand(tuple(arguments))


def test_a_tool_must_say_which_board_and_be_able_to_ask_it(tmp_path):
    desk = Desk(tmp_path)
    anyone = ToolFlashing(ToolCommand(("fastboot", "flash", "{image}")), ("fastboot", "devices"), {"a": "b"}, "-")
    with pytest.raises(UsageError, match=r"neither {port} nor {serial} says which board is meant"):
        CommandLineFlasher(anyone, desk._values, PortHandover(desk._give, desk._take_back))
    nobody = ToolFlashing(ToolCommand(("fastboot", "-s", "{serial}", "{image}")), (), {}, "-")
    with pytest.raises(UsageError, match="no board is written to without being asked who it is"):
        CommandLineFlasher(nobody, desk._values, PortHandover(desk._give, desk._take_back))
    with pytest.raises(UsageError, match=r"selects the board by {serial}: give the board its `serial`"):
        nobody.write.filled(desk._values(desk.image))


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("Writing at 0x00010000... (3 %)", 3),
        ("Download\t[=========================] 100%        48000 bytes", 100),
        ("Writing | ######## | 42% 0.10s", 42),
        ("Reading 12.5% done", 12),
        ("compressed to 250 %", None),
        ("no figure", None),
    ],
    ids=["esptool", "dfu-util", "avrdude", "fraction", "ratio", "none"],
)
def test_progress_is_read_where_a_tool_prints_it(line: str, percent: int | None) -> None:
    assert percent_of(line) == percent
