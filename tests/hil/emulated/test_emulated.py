"""QEMU as boards: power, reset, hang, the port that stays; and that no emulator outlives who started it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import UBOOT as UBOOT_SHELL
from fleetrig.hil.emulated import uboot_board as uboot_board_module
from fleetrig.hil.emulated.qemu import Machine, QemuBoard
from fleetrig.hil.emulated.qmp import Qmp
from fleetrig.hil.emulated.uboot_board import SERIAL, UBOOT, identity_environment, mac_of, uboot_board
from fleetrig.hil.emulated.uboot_environment import default_environment
from fleetrig.hil.flasher import WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_xmodem import UbootXmodem
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.peers.programs import need_program, until

pytestmark = [pytest.mark.peer]

ASKS = re.compile("stop autoboot")
WITHIN_S = 90.0
"""For a machine on which other emulators run."""


@pytest.fixture(scope="module", autouse=True)
def _qemu() -> None:
    need_program("qemu-system-aarch64", "qemu-system-arm")
    need_program("setpriv", "util-linux")
    if not UBOOT.exists():
        need_program("u-boot.bin", "u-boot-qemu")


def run(test: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(2 * WITHIN_S):
            await test

    asyncio.run(bounded())


def _board(folder: Path, machine: Machine | None) -> QemuBoard:
    folder.mkdir(exist_ok=True)
    return uboot_board(folder) if machine is None else QemuBoard(machine, folder)


@asynccontextmanager
async def uboot_at(folder: Path, machine: Machine | None = None) -> AsyncIterator[tuple[QemuBoard, Console]]:
    board = _board(folder, machine)
    port = await open_port(board.port, clock=WallClock())
    try:
        yield board, Console(port, UBOOT_SHELL, "k3f")
    finally:
        await port.close()
        await board.close()


async def to_the_prompt(board: QemuBoard, console: Console) -> None:
    console.watch.expect_start()
    await board.on()
    await console.wait_for(ASKS, WITHIN_S)
    await console.type("\r")
    await console.wait_for(UBOOT_SHELL.prompt, WITHIN_S)


def is_alive(process_id: int) -> bool:
    """Not for zombies, which are only waiting to be noticed."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.slow
def test_a_board_with_u_boot_from_power_on_to_the_end(tmp_path):
    """One story, since each start costs: whole banner, flash, hang, reset, power cut, the port that stays."""
    (tmp_path / "image").write_bytes(bytes(range(251)) * 80)
    image = read_image(tmp_path / "image")

    async def story() -> None:
        async with uboot_at(tmp_path / "board") as (board, console):
            said: list[str] = []
            console.on_line = said.append
            await to_the_prompt(board, console)
            assert any(line.startswith("U-Boot 20") for line in said), "the first line is not lost"
            first = board.process_id
            assert first is not None
            assert os.getpgid(first) != os.getpgrp(), "Ctrl-C at a terminal must not end the board under a transfer"

            identity = {"serial#": SERIAL, "ethaddr": mac_of(SERIAL)}
            flashed = await UbootXmodem(console, identity).flash(image, lambda _: None)
            assert flashed.written_bytes == image.size_bytes

            await board.hang()
            with pytest.raises(ConsoleFailed, match="did not come"):
                await console.run("true", 0.3)
            await board.execute("cont")
            console.watch.expect_start()
            await board.reset()
            await console.wait_for(ASKS, WITHIN_S)

            await board.off()
            assert not is_alive(first)
            await console.type("nobody hears this\r")
            await to_the_prompt(board, console)
            again = await UbootXmodem(console, identity).flash(image, lambda _: None)
            assert again.written_bytes == 0, "the disk kept it without power"

    run(story())


@pytest.mark.slow
def test_each_board_has_an_identity_of_its_own_and_the_wrong_one_is_not_flashed(tmp_path):
    (tmp_path / "image").write_bytes(b"for A only")

    async def story() -> None:
        board = tmp_path / "B"
        await asyncio.to_thread(board.mkdir)
        await asyncio.to_thread(identity_environment, board, "SN-B")
        async with uboot_at(board) as (power, console):
            await to_the_prompt(power, console)
            with pytest.raises(WrongBoard, match=r"expected the board to be serial#=SN-A, .* serial#=SN-B"):
                await UbootXmodem(console, {"serial#": "SN-A"}).flash(read_image(tmp_path / "image"), lambda _: None)
        assert not any((board / "disk.img").read_bytes())

    run(story())


def test_what_has_no_environment_is_no_u_boot_of_debians():
    with pytest.raises(BrokenBench, match="no environment of its own"):
        default_environment(b"bootcmd=this is text")


@pytest.mark.slow
def test_nor_flash_that_does_not_take_what_is_written_is_reported(tmp_path):
    """This QEMU and this U-Boot cannot write to NOR flash: `cp.b` stops after 4 KiB. The status has to tell it."""

    async def story() -> None:
        async with uboot_at(tmp_path / "board") as (board, console):
            await to_the_prompt(board, console)
            assert (await console.run("protect off 4040000 +40000", 20)).status == 0
            await console.run("erase 4040000 +40000", 20)
            written = await console.run("cp.b 41000000 4040000 4000", WITHIN_S)
            assert written.status == 1
            assert "Flash buffer write timeout" in written.output
            assert (await console.run("cmp.b 41000000 4040000 4000", 20)).status == 1

    run(story())


@pytest.mark.slow
def test_twelve_boards_reach_their_prompts_at_once(tmp_path):
    async def story() -> None:
        async def one(number: int) -> str:
            async with uboot_at(tmp_path / f"{number}") as (board, console):
                await to_the_prompt(board, console)
                return (await console.run(f"echo board {number}", WITHIN_S)).output

        said = await asyncio.gather(*(one(number) for number in range(12)))
        assert said == [f"board {number}" for number in range(12)]

    run(story())


RUN = """
import asyncio, sys
from pathlib import Path
from fleetrig.hil.emulated.uboot_board import uboot_board

async def main():
    board = uboot_board(Path(sys.argv[1]))
    await board.on()
    print(board.process_id, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["KILL", "TERM", "INT"])
def test_no_emulator_outlives_a_run_that_is_ended(tmp_path, how):
    program = [sys.executable, "-c", textwrap.dedent(RUN), str(tmp_path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        emulator = int(running.stdout.readline())
        try:
            assert is_alive(emulator)
            running.send_signal(how)
            until("the emulator ends", lambda: not is_alive(emulator))
        finally:
            with suppress(ProcessLookupError):
                os.kill(emulator, signal.SIGKILL)
            running.kill()


def test_without_qemu_the_package_is_named(tmp_path):
    machine = Machine("qemu-system-of-nobody", "qemu-system-arm", ())

    async def story() -> None:
        async with uboot_at(tmp_path / "board", machine) as (board, _):
            with pytest.raises(
                BrokenBench, match="qemu-system-of-nobody is not there: apt-get install qemu-system-arm"
            ):
                await board.on()
            with pytest.raises(BrokenBench, match="the board is off: system_reset needs it on"):
                await board.reset()

    run(story())


def test_without_u_boot_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(uboot_board_module, "UBOOT", tmp_path / "none")
    with pytest.raises(BrokenBench, match="apt-get install u-boot-qemu"):
        uboot_board(tmp_path)


def test_what_qemu_says_when_it_does_not_start_is_told(tmp_path):
    machine = Machine("qemu-system-aarch64", "qemu-system-arm", ("-M", "no-such-machine"))

    async def story() -> None:
        async with uboot_at(tmp_path / "board", machine) as (board, _):
            with pytest.raises(BrokenBench, match=r"did not start: .*(unsupported machine|no-such-machine)"):
                await board.on()
            assert board.process_id is None

    run(story())


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        pytest.param([b'{"error": {"desc": "no such command"}}\n'], "refuses cont: no such command", id="refused"),
        pytest.param([], "ended before it answered cont", id="ended"),
        pytest.param([b'{"event": "RESET"}\n', b'{"return": {}}\n'], "", id="an event comes first"),
        pytest.param([b"this is no JSON\n"], "no JSON", id="garbage"),
    ],
)
def test_the_control_interface(answers, says):
    """Played by a socket, since QEMU itself never answers so at will."""

    async def qemu(its: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=its)
        writer.write(b'{"QMP": {"version": {}}}\n')
        await reader.readline()
        writer.write(b'{"return": {}}\n')
        await reader.readline()
        writer.writelines(answers)
        await writer.drain()
        writer.close()

    async def story() -> None:
        ours, its = socket.socketpair()
        playing = asyncio.create_task(qemu(its))
        qmp = await Qmp.connect(ours)
        if says:
            with pytest.raises(BrokenBench, match=says):
                await qmp.execute("cont")
        else:
            assert await qmp.execute("cont") == {}
        await qmp.close()
        await playing

    run(story())
