"""The line of a board that is not there: it stays when the board is off, and comes back as another device."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleetrig.hil.port import PortLost
from fleetrig.hil.ports.pty_line import UNSENT_LIMIT_BYTES
from fleetrig.hil.ports.serial_port import open_port
from tests.hil.lines import PATIENCE_S, FarEnd, WallClock, read_until


def test_unplugged_and_plugged_in_it_is_another_device_under_the_same_link(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        first = await open_port(far.url, clock=WallClock())
        device = (tmp_path / "port").readlink()
        far.line.unplug()
        assert not (tmp_path / "port").is_symlink()
        with pytest.raises(PortLost):
            await first.read(PATIENCE_S)
        await first.close()
        far.line.plug_in()
        assert (tmp_path / "port").readlink() != device
        far.line.plug_in()
        second = await open_port(far.url, clock=WallClock())
        far.line.say(b"anew")
        assert await read_until(second, b"anew") == b"anew"
        with pytest.raises(PortLost):
            await first.read(PATIENCE_S)
        for port in (first, second):
            await port.close()
        far.line.unplug()
        far.line.unplug()

    asyncio.run(story())


def test_what_is_said_to_nobody_is_lost_and_counted(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        far.line.say(bytes(UNSENT_LIMIT_BYTES + 100_000))
        assert 0 < far.line.lost_bytes <= 100_000
        far.line.unplug()
        far.line.say(b"to nobody")

    asyncio.run(story())


def test_a_large_answer_arrives_whole_however_slowly_it_is_taken(tmp_path: Path) -> None:
    async def story() -> None:
        far = FarEnd(tmp_path / "port")
        port = await open_port(far.url, clock=WallClock())
        far.line.say(bytes(200_000) + b"end")
        assert len(await read_until(port, b"end")) == 200_003
        assert far.line.lost_bytes == 0
        await port.close()
        far.line.unplug()

    asyncio.run(story())
