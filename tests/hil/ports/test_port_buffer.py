"""What has come and nobody has read, between a port's thread and its readers."""

from __future__ import annotations

import asyncio

import pytest

from fleetrig.hil.port import PortLost
from fleetrig.hil.ports.port_buffer import UNREAD_LIMIT_BYTES, PortBuffer
from tests.hil.lines import PATIENCE_S


def test_nothing_in_time_is_nothing() -> None:
    async def story() -> None:
        buffer = PortBuffer(asyncio.get_running_loop())
        assert await buffer.read(0) == b""
        assert buffer.read_blocking(1, 0) == b""

    asyncio.run(story())


def test_a_reader_that_waits_is_woken() -> None:
    async def story() -> None:
        buffer = PortBuffer(asyncio.get_running_loop())
        reading = asyncio.create_task(buffer.read(PATIENCE_S))
        await asyncio.sleep(0)
        buffer.put(b"came")
        assert await buffer.read(0) == b""  # the watchers have not heard it yet
        buffer.wake(4)
        assert await reading == b"came"

    asyncio.run(story())


def test_a_thread_waits_for_as_many_as_it_asked_for() -> None:
    async def story() -> None:
        buffer = PortBuffer(asyncio.get_running_loop())
        reading = asyncio.create_task(asyncio.to_thread(buffer.read_blocking, 4, PATIENCE_S))
        for data in (b"a", b"bcde"):
            await asyncio.to_thread(buffer.put, data)
            buffer.wake(len(data))
        assert await reading == b"abcd"
        assert await buffer.read(0) == b"e"

    asyncio.run(story())


def test_what_nobody_reads_is_forgotten_from_the_oldest_and_counted() -> None:
    async def story() -> None:
        buffer = PortBuffer(asyncio.get_running_loop())
        buffer.put(b"old" + bytes(UNREAD_LIMIT_BYTES - 3))
        buffer.put(b"new")
        assert buffer.forgotten_bytes == 3
        assert buffer.read_blocking(UNREAD_LIMIT_BYTES, 0).endswith(b"\0new")

    asyncio.run(story())


def test_the_first_loss_is_the_one_that_is_told() -> None:
    async def story() -> None:
        buffer = PortBuffer(asyncio.get_running_loop())
        buffer.end(PortLost("port", "unplugged"))
        buffer.end(PortLost("port", "closed"))
        with pytest.raises(PortLost, match="port: unplugged"):
            await buffer.read(PATIENCE_S)

    asyncio.run(story())
