"""A shared port, judged by clients that nobody here wrote: pyserial's and ser2net's RFC 2217, and socat's line."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import serial

from fleetrig.hil.port import BoardPort, PortLost
from fleetrig.hil.ports.pty_line import PtyLine
from fleetrig.hil.ports.serial_port import open_port
from fleetrig.hil.ports.shared_port import SharedPort
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.hil.bridge.bridged_board import RealClock, on_a_loop, until

pytestmark = pytest.mark.slow

ALL_BYTES = bytes(range(256))


@dataclass
class Desk:
    """A board behind a pseudo-terminal, its shared port, and what was told."""

    line: PtyLine
    typed: bytearray
    address: str
    told: list[TraceEvent]
    running: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"rfc2217://{self.address}"

    def reasons(self, name: str) -> list[str]:
        return [event.reason for event in self.told if event.name == name]


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    typed, told, trace, clock = bytearray(), list[TraceEvent](), Trace(), RealClock()
    trace.listen(told.append)
    line = PtyLine(folder / "port", typed.extend)
    port = await open_port(os.fspath(line.link), clock=clock)
    shared = SharedPort("gw-1", port, 115_200, clock, trace)
    try:
        async with shared.listening("127.0.0.1", 0) as address:
            running = asyncio.create_task(shared.run())
            try:
                yield Desk(line, typed, address, told, running)
            finally:
                running.cancel()
                await asyncio.wait([running])
    finally:
        await port.close()
        line.unplug()


def opened(url: str) -> serial.SerialBase:
    return serial.serial_for_url(url, baudrate=115_200, timeout=10)


@on_a_loop
async def test_pyserials_own_client_writes_and_reads_every_byte(tmp_path: Path) -> None:
    async with desk(tmp_path) as shared:
        client = await asyncio.to_thread(opened, shared.url)
        await asyncio.to_thread(client.write, ALL_BYTES)
        await until(lambda: bytes(shared.typed) == ALL_BYTES)
        shared.line.say(ALL_BYTES)
        assert await asyncio.to_thread(client.read, 256) == ALL_BYTES
        await asyncio.to_thread(setattr, client, "baudrate", 9_600)
        await until(lambda: shared.reasons("speed"))
        await asyncio.to_thread(client.close)
        await until(lambda: shared.reasons("left"))
    assert shared.reasons("joined")[0].endswith(" writes")
    assert shared.reasons("speed")[0].endswith(": 9600 baud")
    assert "has no line RTS: it is no serial adapter" in " ".join(shared.reasons("line"))


@pytest.mark.slow
@on_a_loop
async def test_the_second_client_reads_along_and_reaches_nothing(tmp_path: Path) -> None:
    async with desk(tmp_path) as shared:
        writes, reads = [await open_port(shared.url, clock=RealClock()) for _ in range(2)]
        await reads.set_speed(9_600)
        await reads.write(b"from the one who reads along")
        await writes.write(b"typed\r")
        await until(lambda: shared.typed)
        shared.line.say(b"said\r\n")
        assert [await read_line(port) for port in (writes, reads)] == [b"said\r\n"] * 2
        await writes.close()
        await until(lambda: shared.reasons("left"))
        third = await open_port(shared.url, clock=RealClock())
        await third.write(b"now I")
        await until(lambda: shared.typed.endswith(b"now I"))
        await reads.close()
        await third.close()
    assert bytes(shared.typed) == b"typed\rnow I"
    assert [reason.partition(" ")[2] for reason in shared.reasons("joined")] == ["writes", "reads along", "writes"]
    assert shared.reasons("speed") == []


NO_SETTINGS = {
    "a speed of one byte": b"\xff\xfa\x2c\x01\xff\xf0",
    "parity 99": b"\xff\xfa\x2c\x03\x63\xff\xf0",
    "no mask": b"\xff\xfa\x2c\x0a\xff\xf0",
    "an end without a begin": b"\xff\xf0",
    "no end": b"\xff\xfa" + bytes(10_000),
}


async def read_line(port: BoardPort) -> bytes:
    """All up to the end of a line, in however many pieces it comes."""
    came = b""
    while not came.endswith(b"\n"):
        some = await port.read(30)
        assert some, came
        came += some
    return came


def left_so_far(shared: Desk, count: int) -> bool:
    return len(shared.reasons("left")) == count


@pytest.mark.slow
@on_a_loop
async def test_clients_that_speak_no_rfc_2217_are_sent_away_and_the_next_is_served(tmp_path: Path) -> None:
    async with desk(tmp_path) as shared:
        for count, sent in enumerate(NO_SETTINGS.values(), 1):
            _, writer = await asyncio.open_connection(*shared.address.split(":"))
            writer.write(sent)
            await until(partial(left_so_far, shared, count))
            writer.close()
        port = await open_port(shared.url, clock=RealClock())
        await port.write(b"here")
        await until(lambda: bytes(shared.typed) == b"here")
        await port.close()
    assert all(": a setting" in reason for reason in shared.reasons("left")[: len(NO_SETTINGS)])


@on_a_loop
async def test_who_takes_nothing_is_left_behind(tmp_path: Path) -> None:
    async with desk(tmp_path) as shared:
        host, _, number = shared.address.partition(":")
        with socket.create_connection((host, int(number))) as deaf:
            await until(lambda: shared.reasons("joined"))

            def talk() -> bool:
                shared.line.say(bytes(64 * 1024))
                return bool(shared.reasons("left"))

            await until(talk)
            assert deaf.fileno() >= 0
    assert shared.reasons("left")[0].endswith("it has not taken 1,048,576 bytes")


@on_a_loop
async def test_the_loss_of_the_port_ends_the_sharing(tmp_path: Path) -> None:
    async with desk(tmp_path) as shared:
        shared.line.unplug()
        await asyncio.wait([shared.running])
        with pytest.raises(PortLost, match="unplugged"):
            shared.running.result()


@on_a_loop
async def test_an_address_that_is_taken_is_said_to_be(tmp_path: Path) -> None:
    async with desk(tmp_path) as shared:
        host, _, number = shared.address.partition(":")
        port = await open_port("loop://", clock=RealClock())
        other = SharedPort("gw-2", port, 115_200, RealClock(), Trace())
        with pytest.raises(BrokenBench, match=f"{number} cannot be listened on: .*another --rfc2217"):
            await other.listening(host, int(number)).__aenter__()
        await port.close()


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ser2net") is None, reason="ser2net is not installed")
@on_a_loop
async def test_ser2net_carries_a_shared_port_further(tmp_path: Path, free_port: int) -> None:
    async with desk(tmp_path) as shared:
        host, _, number = shared.address.partition(":")
        settings = tmp_path / "ser2net.yaml"
        settings.write_text(
            "connection: &board\n"
            f"  accepter: tcp,127.0.0.1,{free_port}\n"
            f"  connector: telnet(rfc2217=true),tcp,{host},{number}\n"
        )
        ser2net = await asyncio.create_subprocess_exec("ser2net", "-n", "-d", "-c", settings, "-P", tmp_path / "pid")
        try:
            reader, writer = await connected(free_port)
            await until(lambda: shared.reasons("joined"))
            writer.write(ALL_BYTES)
            await until(lambda: bytes(shared.typed) == ALL_BYTES)
            shared.line.say(ALL_BYTES)
            async with asyncio.timeout(30):
                assert await reader.readexactly(256) == ALL_BYTES
            writer.close()
        finally:
            ser2net.terminate()
            await ser2net.wait()


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As soon as somebody listens there."""
    found: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    async with asyncio.timeout(30):
        while not found:
            try:
                found.append(await asyncio.open_connection("127.0.0.1", port))
            except OSError:
                await asyncio.sleep(0.02)
    return found[0]
