"""Boards that are programs: their line, power and brains; flashed by the real flasher and by lrzsz."""

from __future__ import annotations

import asyncio
import re
import subprocess
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import LINUX, UBOOT, ShellDialect
from fleetrig.hil.fakes.fake_board import Brain, FakeBoard, Hear, ModemLines, Say
from fleetrig.hil.fakes.fake_brains import PANIC, loops, mute, panics
from fleetrig.hil.fakes.fake_linux import FakeLinux
from fleetrig.hil.fakes.fake_uboot import FakeUboot
from fleetrig.hil.flasher import FlashFailed, FlashProgress, WrongBoard
from fleetrig.hil.flashers.image import read_image
from fleetrig.hil.flashers.uboot_xmodem import UbootXmodem
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.simulator.drivers.wall_clock import WallClock
from tests.peers.programs import need_program

pytestmark = pytest.mark.slow

UBOOT_ASKS = re.compile("stop autoboot")
IDENTITY = {"ethaddr": "52:52:52:52:52:52", "serial#": "SN-0001"}
IMAGE = bytes(range(256)) * 100 + b"the end"


@asynccontextmanager
async def board_at(
    folder: Path, brain: Callable[[], Brain], dialect: ShellDialect = UBOOT
) -> AsyncIterator[tuple[FakeBoard, Console]]:
    """The board is off; its console is open."""
    board = FakeBoard(folder, brain)
    port = await open_port(board.port, clock=WallClock())
    try:
        yield board, Console(port, dialect, "k3f")
    finally:
        await port.close()
        await board.close()


def run(test: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test

    asyncio.run(bounded())


async def at_the_prompt(board: FakeBoard, console: Console) -> None:
    console.watch.expect_start()
    await board.on()
    await console.wait_for(UBOOT_ASKS, 20)
    await console.type("\r")
    await console.wait_for(UBOOT.prompt, 20)


def test_the_port_stays_while_the_power_goes_and_comes(tmp_path):
    uboot = FakeUboot()

    async def story() -> None:
        async with board_at(tmp_path, uboot.brain) as (board, console):
            await at_the_prompt(board, console)
            assert (await console.run("setenv ipaddr 10.0.0.1")).status == 0
            assert (await console.run("printenv ipaddr")).output == "ipaddr=10.0.0.1"
            await board.off()
            await at_the_prompt(board, console)
            forgotten = await console.run("printenv ipaddr")
            assert (forgotten.status, forgotten.output) == (1, '## Error: "ipaddr" not defined')
            assert board.starts == 2

    run(story())


def test_a_board_that_is_off_or_hangs_says_nothing(tmp_path):
    async def story() -> None:
        async with board_at(tmp_path, FakeUboot().brain) as (board, console):
            await console.type("\r")
            assert await console.port.read(0.05) == b""
            await at_the_prompt(board, console)
            await board.hang()
            with pytest.raises(ConsoleFailed, match="did not come"):
                await console.run("version", 0.2)
            console.watch.expect_start()
            await board.reset()
            await console.wait_for(UBOOT_ASKS, 20)

    run(story())


def test_it_is_flashed_and_keeps_the_image_without_power(tmp_path):
    uboot = FakeUboot()
    (tmp_path / "image").write_bytes(IMAGE)
    done: list[FlashProgress] = []

    async def story() -> None:
        async with board_at(tmp_path, uboot.brain) as (board, console):
            await at_the_prompt(board, console)
            flasher = UbootXmodem(console, IDENTITY)
            flashed = await flasher.flash(read_image(tmp_path / "image"), done.append)
            assert flashed.written_bytes == len(IMAGE)
            await board.off()
            assert bytes(uboot.disk[0x800 * 512 :][: len(IMAGE)]) == IMAGE
            await at_the_prompt(board, console)
            again = await UbootXmodem(console, IDENTITY).flash(read_image(tmp_path / "image"), done.append)
            assert again.written_bytes == 0, "it lies there already"

    run(story())


@pytest.mark.parametrize(
    ("uboot", "raised", "says"),
    [
        pytest.param(FakeUboot(refuses_writes=True), FlashFailed, "write", id="storage under write protection"),
        pytest.param(FakeUboot(asked=lambda _n, _v: "other"), WrongBoard, "says that it is ethaddr=other", id="lies"),
        pytest.param(FakeUboot(storage="mmc"), FlashFailed, "Unknown command 'virtio'", id="another storage"),
    ],
)
def test_a_flash_that_must_fail_fails(tmp_path, uboot, raised, says):
    (tmp_path / "image").write_bytes(IMAGE)
    blank = bytes(uboot.disk)

    async def story() -> None:
        async with board_at(tmp_path, uboot.brain) as (board, console):
            await at_the_prompt(board, console)
            with pytest.raises(raised, match=says):
                await UbootXmodem(console, IDENTITY).flash(read_image(tmp_path / "image"), lambda _: None)
            assert bytes(uboot.disk) == blank

    run(story())


def test_a_board_swapped_under_way_is_not_written_to(tmp_path):
    """The first question is answered rightly, the one after the transfer is not."""
    answers = iter(["SN-0001", "SN-0002"])
    uboot = FakeUboot(asked=lambda _name, _value: next(answers))
    (tmp_path / "image").write_bytes(IMAGE)

    async def story() -> None:
        async with board_at(tmp_path, uboot.brain) as (board, console):
            await at_the_prompt(board, console)
            with pytest.raises(WrongBoard, match="SN-0002"):
                await UbootXmodem(console, {"serial#": "SN-0001"}).flash(read_image(tmp_path / "image"), lambda _: None)
            assert not any(uboot.disk)

    run(story())


@pytest.mark.peer
@pytest.mark.parametrize("options", [[], ["-k"]], ids=["128 bytes", "1024 bytes"])
def test_lrzsz_sends_to_it(tmp_path, options):
    """A sender that nobody here wrote judges the receiving end."""
    sx = need_program("sx", "lrzsz")
    uboot = FakeUboot()
    image = tmp_path / "image"
    image.write_bytes(IMAGE)

    async def story() -> None:
        async with board_at(tmp_path, uboot.brain) as (board, console):
            await at_the_prompt(board, console)
            await console.type("loadx 41000000\n")
            await console.wait_for(re.compile("Ready for binary"), 10)
            await console.port.close()  # a port has one reader
            sending = await asyncio.to_thread(_send_with, [sx, "-q", *options, str(image)], Path(board.port))
            assert sending.returncode == 0, sending.stderr
            port = await open_port(board.port, clock=WallClock())
            arrived = await Console(port, UBOOT, "again").run(f"crc32 41000000 {len(IMAGE):x}")
            await port.close()
            assert f"==> {zlib.crc32(IMAGE):08x}" in arrived.output

    run(story())


def _send_with(command: list[str], port: Path) -> subprocess.CompletedProcess[bytes]:
    with port.open("r+b", buffering=0) as line:
        return subprocess.run(command, stdin=line, stdout=line, stderr=subprocess.PIPE, timeout=60, check=False)


@pytest.mark.parametrize(
    ("brain", "notice"), [(partial(loops, 0.01), "loops"), (panics, "panicked")], ids=["loops", "panics"]
)
def test_the_console_tells_what_ails_a_board(tmp_path, brain, notice):
    async def story() -> None:
        async with board_at(tmp_path, brain, LINUX) as (board, console):
            heard = []
            console.on_notice = lambda found: heard.append(found.what)
            await board.on()
            with pytest.raises(ConsoleFailed):
                await console.wait_for(LINUX.prompt, 5)
            assert heard[-1] in (notice, "restarted")

    run(story())


def test_what_a_gateway_wrote_is_there_after_a_power_cut_only_if_it_was_synced(tmp_path):
    gateway = FakeLinux()

    async def story() -> None:
        async with board_at(tmp_path, gateway.brain, LINUX) as (board, console):
            await board.on()
            await console.wait_for(LINUX.prompt, 10)
            assert (await console.run("printf %s 'a $? b' > /etc/token; sync")).status == 0
            assert (await console.run("printf %s lost > /etc/other")).status == 0
            assert (await console.run("cat /etc/other")).output == "lost"
            await board.off()
            console.watch.expect_start()
            await board.on()
            await console.wait_for(LINUX.prompt, 10)
            assert (await console.run("cat /etc/token")).output == "a $? b"
            assert (await console.run("cat /etc/other")).status == 1

    run(story())


def test_a_login_is_asked_for(tmp_path):
    gateway = FakeLinux(login="root", password="open sesame")

    async def story() -> None:
        async with board_at(tmp_path, gateway.brain, LINUX) as (board, console):
            await board.on()
            for typed, awaited in [("root", "Password"), ("wrong", "incorrect"), ("root", "Password")]:
                await console.type(f"{typed}\n")
                await console.wait_for(re.compile(awaited), 10)
            await console.type("open sesame\n")
            await console.wait_for(LINUX.prompt, 10)
            assert (await console.run("echo in")).output == "in"

    run(story())


def test_dtr_resets_a_board_whose_circuit_does_so(tmp_path):
    async def story() -> None:
        board = FakeBoard(tmp_path, FakeUboot().brain)
        lines = ModemLines(board)
        await board.on()
        port = board.open_with_lines(WallClock(), lines)
        try:
            console = Console(port, UBOOT, "k3f")
            await console.wait_for(UBOOT_ASKS, 10)
            await console.type("\r")
            await console.wait_for(UBOOT.prompt, 10)
            await port.set_lines(dtr=False)
            assert board.starts == 1
            console.watch.expect_start()
            await port.set_lines(dtr=True)
            await console.wait_for(UBOOT_ASKS, 10)
            assert (board.starts, lines.history) == (2, [("dtr", False), ("dtr", True)])
        finally:
            await port.close()
            await board.close()

    run(story())


def test_time_is_handed_in(tmp_path):
    """A board that waits an hour, in no time."""
    slept: list[float] = []

    async def no_time(seconds: float) -> None:
        slept.append(seconds)

    def slow() -> Brain:
        yield Say(b"at last", 3600)
        yield from mute()

    async def story() -> None:
        board = FakeBoard(tmp_path, slow, no_time)
        port = await open_port(board.port, clock=WallClock())
        try:
            await board.on()
            assert await port.read(10) == b"at last"
            assert slept == [3600]
        finally:
            await port.close()
            await board.close()

    run(story())


def test_a_mistake_in_a_brain_is_raised_and_not_taken_for_a_silent_board(tmp_path):
    def broken() -> Brain:
        yield Hear()
        raise ZeroDivisionError

    async def story() -> None:
        board = FakeBoard(tmp_path, broken)
        port = await open_port(board.port, clock=WallClock())
        await board.on()
        await port.write(b"x")
        assert board._life is not None
        await asyncio.wait([board._life])
        await port.close()
        with pytest.raises(ZeroDivisionError):
            await board.close()
        await board.close()

    run(story())


def test_the_panic_is_one_that_linux_prints():
    assert b"Kernel panic - not syncing" in PANIC
