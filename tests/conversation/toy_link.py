"""A device's side of the toy front: `RealBench(…, openers={"toy": open_toy})`."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.transports.client_tls import DeviceTls
from tests.conversation.toy_front import FrameReader, to_frame


async def open_toy(where: str, tls: DeviceTls) -> ToyWire:
    """An `Opener` for `toy://127.0.0.1:41234`."""
    host, _, port = where.removeprefix("toy://").rpartition(":")
    return ToyWire(*await asyncio.open_connection(host, int(port)))


class ToyWire:
    """A `Wire`: frames over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        self._came: list[Envelope] = []

    async def send(self, envelope: Envelope) -> None:
        self._writer.write(to_frame(envelope))
        await self._writer.drain()

    async def receive(self) -> Envelope:
        while not self._came:
            data = await self._reader.read(1 << 16)
            if not data:
                raise EOFError("the server has closed the connection")
            self._came += self._frames.feed(data)
        return self._came.pop(0)

    def give_up(self, request: Envelope) -> None:
        """Nothing is repeated."""

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
