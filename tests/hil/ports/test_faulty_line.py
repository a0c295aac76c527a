"""A line that fails on purpose, with real pseudo-terminals on both sides, and a real bootloader behind it."""

from __future__ import annotations

import asyncio
import random
import re
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fleetrig.hil.consoles.console import Console
from fleetrig.hil.consoles.shell_dialect import UBOOT as UBOOT_SHELL
from fleetrig.hil.emulated.uboot_board import UBOOT, uboot_board
from fleetrig.hil.flashers.xmodem_sending import send_xmodem
from fleetrig.hil.port import PortLost, Way
from fleetrig.hil.ports.board_line import BoardLine
from fleetrig.hil.ports.faulty_line import FaultyLine
from fleetrig.hil.ports.line_faults import LineFault, LineFaultKind
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.hil.lines import PATIENCE_S, FarEnd, WallClock, read_until, until
from tests.peers.programs import need_program

pytestmark = pytest.mark.slow

TO, FROM = Way.TO_BOARD, Way.FROM_BOARD


class Set:
    """A board's end, the faulty line, and what it tells."""

    def __init__(self, far: FarEnd, line: FaultyLine, events: list[TraceEvent], trace: Trace) -> None:
        self.far, self.line, self.events, self.trace = far, line, events, trace


@asynccontextmanager
async def faulty(folder: Path, faults: Sequence[LineFault], seed: int = 1) -> AsyncIterator[Set]:
    far = FarEnd(folder / "board")
    trace, events = Trace(), list[TraceEvent]()
    trace.listen(events.append)
    source = await open_port(far.url, clock=WallClock())
    line = FaultyLine(source, folder / "faulty", faults, seed=seed, board="gw-1", trace=trace, clock=WallClock())
    try:
        yield Set(far, line, events, trace)
    finally:
        await line.close()
        await line.close()
        await source.close()
        far.line.unplug()


def test_without_faults_every_byte_goes_both_ways(tmp_path: Path) -> None:
    data = bytes(range(256)) * 50

    async def story() -> None:
        async with faulty(tmp_path, []) as it:
            port = await open_port(it.line.url, clock=WallClock())
            await port.write(data)
            await it.far.until_typed(data)
            it.far.line.say(data + b"end")
            assert await read_until(port, b"end") == data + b"end"
            assert it.events == []
            await port.close()

    asyncio.run(story())


def test_each_fault_is_told_when_it_fires_and_not_before(tmp_path: Path) -> None:
    drop = LineFault(LineFaultKind.DROP, TO, at=(1,))
    twice = LineFault(LineFaultKind.DUPLICATE, FROM, at=(0,), length_bytes=2)

    async def story() -> list[TraceEvent]:
        async with faulty(tmp_path, [twice, drop]) as it:
            assert it.line.unfired() == [twice, drop]
            port = await open_port(it.line.url, clock=WallClock())
            await port.write(b"abc")
            await it.far.until_typed(b"ac")
            assert it.line.unfired() == [twice]
            it.far.line.say(b"ok.")
            assert await read_until(port, b".") == b"okok."
            assert it.line.unfired() == []
            await port.close()
            return it.events

    events = asyncio.run(story())
    assert [(event.lane, event.kind, event.device, event.fault, event.name, event.reason) for event in events] == [
        ("board", "line_fault", "gw-1", "drop", "to_board", "byte 1: 62 became nothing"),
        ("board", "line_fault", "gw-1", "duplicate", "from_board", "byte 0: 6f 6b came twice"),
    ]


def test_unplugged_it_comes_back_as_another_device_and_is_found_again(tmp_path: Path) -> None:
    async def story() -> None:
        unplug = LineFault(LineFaultKind.UNPLUG, FROM, at=(5,), for_s=0.1)
        async with faulty(tmp_path, [unplug]) as it:
            device = (tmp_path / "faulty").readlink()
            board = BoardLine("gw-1", it.line.url, WallClock(), it.trace)
            await board.open()
            it.far.line.say(b"helloworld")
            with pytest.raises(PortLost) as lost:
                await read_until(board.port, b"world")
            await board.reopen(lost.value, PATIENCE_S)
            assert (tmp_path / "faulty").readlink() != device
            it.far.line.say(b"back.")
            assert await read_until(board.port, b".") == b"back."
            assert [event.kind for event in it.events] == ["port_opened", "line_fault", "port_lost", "port_opened"]
            await board.close()

    asyncio.run(story())


def test_a_stall_holds_one_direction_only(tmp_path: Path) -> None:
    async def story() -> None:
        stall = LineFault(LineFaultKind.STALL, TO, at=(1,), for_s=1_000.0)
        async with faulty(tmp_path, [stall]) as it:
            port = await open_port(it.line.url, clock=WallClock())
            await port.write(b"ab")
            await until(lambda: bool(it.events))
            it.far.line.say(b"still talking.")
            assert await read_until(port, b".") == b"still talking."
            assert it.far.typed == b"a"
            await port.close()

    asyncio.run(story())


def test_when_the_boards_own_port_is_lost_this_one_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with faulty(tmp_path, []) as it:
            port = await open_port(it.line.url, clock=WallClock())
            it.far.line.unplug()
            with pytest.raises(PortLost):
                await port.read(PATIENCE_S)
            await port.close()

    asyncio.run(story())


@pytest.mark.peer
@pytest.mark.slow
def test_xmodem_to_a_real_bootloader_survives_bit_errors_and_its_checksum_is_right(tmp_path: Path) -> None:
    """U-Boot's own CRC-32 is the judge; the faults have fired in the middle of three blocks."""
    need_program("qemu-system-aarch64", "qemu-system-arm")
    if not UBOOT.exists():
        need_program("u-boot-qemu", "u-boot-qemu")
    image = random.Random(7).randbytes(24 * 1024)
    # The console's own commands are shorter than this, and XMODEM protects what comes after.
    faults = [LineFault(LineFaultKind.BIT_ERROR, TO, at=(3_000, 9_000, 15_000))]

    async def story() -> list[TraceEvent]:
        trace, events = Trace(), list[TraceEvent]()
        trace.listen(events.append)
        board = uboot_board(tmp_path)
        source = await open_port(board.port, clock=WallClock())
        line = FaultyLine(source, tmp_path / "faulty", faults, seed=1, board="gw", trace=trace, clock=WallClock())
        port = await open_port(line.url, clock=WallClock())
        try:
            await board.on()
            console = Console(port, UBOOT_SHELL, "T0")
            await console.wait_for(re.compile("stop autoboot"), PATIENCE_S)
            await console.type("\r")
            await console.run("echo ready")
            await console.type("loadx 41000000\n")
            await console.wait_for(re.compile("bps"), PATIENCE_S)
            heard = console.take_rest()
            sent = await send_xmodem(port, image, heard=heard, answer_within_s=PATIENCE_S, on_block=lambda *_: None)
            assert sent.why_not == ""
            await console.wait_for(re.compile("Total Size"), PATIENCE_S)
            answer = await console.run(f"crc32 41000000 {len(image):x}", 20)
            assert f"{zlib.crc32(image):08x}" in answer.output
            assert line.unfired() == []
        finally:
            await port.close()
            await line.close()
            await source.close()
            await board.close()
        return events

    assert [event.fault for event in asyncio.run(story())] == ["bit_error"] * 3
