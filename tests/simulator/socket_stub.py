"""The handler of a test behind a real socket: what `VirtualHttp` shows at once is performed on the wire."""

from __future__ import annotations

import asyncio
import ssl

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.delivery import Delivery, Ending, HttpHandler
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.session import Session
from tests.simulator.transports.raw_server import Connection, RawServer, silent


class SocketStub(RawServer):
    """`async with SocketStub(handler) as server`. `holds` keeps every answer back until it is set."""

    def __init__(self, handler: HttpHandler, context: ssl.SSLContext | None = None) -> None:
        super().__init__(self._handle, context)
        self._handler = handler
        self.holds: asyncio.Event | None = None

    async def _handle(self, connection: Connection, raw: bytes) -> None:
        delivery = self._handler(self._parsed(raw), Session(), 0)
        if self.holds is not None:
            await _held(connection, self.holds)
        await asyncio.sleep(delivery.delay_us / 1e6)
        await self._perform(connection, raw, delivery)

    async def _perform(self, connection: Connection, raw: bytes, delivery: Delivery) -> None:
        match delivery.ending:
            case Ending.RESET:
                connection.reset()
            case Ending.SILENCE:
                await silent(connection, raw)
            case Ending.CLOSED:
                connection.close()
            case Ending.TRUNCATED if delivery.response is not None:
                body = body_bytes(delivery.response.body)
                cut = len(body) // 2 if delivery.cut_after_bytes is None else delivery.cut_after_bytes
                await connection.send(_head(delivery.response, len(body)) + body[:cut])
                connection.close()
            case Ending.WHOLE if delivery.response is not None:
                body = body_bytes(delivery.response.body)
                await connection.send(_head(delivery.response, len(body)) + body)
            case other:
                raise AssertionError(f"{other} cannot be shown by a listener that is there")

    def _parsed(self, raw: bytes) -> HttpRequest:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        return HttpRequest(method, self.origin, target, headers, body)


async def _held(connection: Connection, until: asyncio.Event) -> None:
    """Waits, and notices when the client leaves meanwhile."""
    leaving, released = asyncio.ensure_future(connection.reader.read(1)), asyncio.ensure_future(until.wait())
    await asyncio.wait({leaving, released}, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (leaving, released):
        waiting.cancel()
    await asyncio.gather(leaving, released, return_exceptions=True)
    if not until.is_set():
        raise ConnectionResetError("the client has left")


def _head(response: HttpResponse, length: int) -> bytes:
    lines = [f"HTTP/1.1 {response.status} -", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
