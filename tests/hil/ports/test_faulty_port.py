"""A port behind a bad line: its bytes are spoilt, its modem lines and speed are those of the board's own adapter."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fleetrig.hil.fakes.fake_board import Brain, FakeBoard, Hear, ModemLines, Say
from fleetrig.hil.port import BoardPort, Way
from fleetrig.hil.ports.faulty_line import FaultyLine
from fleetrig.hil.ports.faulty_port import FaultyPort
from fleetrig.hil.ports.line_faults import LineFault, LineFaultKind
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.hil.powers.rts_dtr import RtsDtrPower
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.wall_clock import WallClock

FLIPPED = LineFault(LineFaultKind.BIT_ERROR, Way.FROM_BOARD, at=(0,))


def greets() -> Brain:
    yield Say(b"here")
    while True:
        yield Say((yield Hear()))


async def taken(port: BoardPort) -> bytes:
    """Four bytes, in however many pieces they come."""
    data = b""
    while len(data) < 4:
        data += await port.read(10)
    return data


def test_a_board_is_reset_through_a_line_that_spoils_its_bytes(tmp_path: Path) -> None:
    asyncio.run(_reset(tmp_path))


async def _reset(folder: Path) -> None:
    board = FakeBoard(folder, greets)
    lines = ModemLines(board)
    own = board.open_with_lines(WallClock(), lines)
    faulty = FaultyLine(own, folder / "faulty", [FLIPPED], 1, "gw-1", Trace(), WallClock())
    port = FaultyPort(await open_port(faulty.url, clock=WallClock()), own)
    try:
        await board.on()
        first = await taken(port)
        assert first != b"here"
        assert first[1:] == b"ere"
        assert not faulty.unfired()
        await RtsDtrPower(port, "dtr", 0.0).reset()
        assert lines.history == [("dtr", True), ("dtr", False)]
        await port.set_lines(dtr=True)  # this model starts the board when DTR rises
        assert await taken(port) == b"here"
        assert board.starts == 2
        await port.set_speed(9_600)
        assert own._device.baudrate == 9_600  # type: ignore[attr-defined]
        await port.send_break(0.0)
    finally:
        await port.close()
        await faulty.close()
        await own.close()
        await board.close()
