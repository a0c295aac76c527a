"""A peer that is no HTTP library: a loopback socket that reads requests byte by byte and answers what a test says."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Answer = Callable[["Connection", bytes], Awaitable[None]]
"""Told the connection and the whole request; what it does not write is not sent."""


class Connection:
    """One accepted connection, from the server's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.ended = asyncio.Event()
        """The client has closed its end, or reset it."""

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """A TCP RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def read_request(self) -> bytes:
        """Head and body as they came. Raises IncompleteReadError when the client leaves."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return head + (await self.reader.readexactly(length))


class RawServer:
    """`async with RawServer(answer) as server`: everything it got stands in `requests`."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections: list[Connection] = []
        self.arrived = asyncio.Event()
        """A request has been read; the one that waits for the next clears it."""
        self._answer = answer
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        return f"http{'s' if self._context else ''}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self.connections:
            connection.writer.transport.abort()
        await asyncio.gather(*(one.writer.wait_closed() for one in self.connections), return_exceptions=True)
        await self._server.wait_closed()

    async def until(self, met: Callable[[], bool]) -> None:
        """Waits for requests until one of them makes it so."""
        while not (self.requests and met()):
            self.arrived.clear()
            await self.arrived.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self.connections.append(connection)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                request = await connection.read_request()
                self.requests.append(request)
                self.arrived.set()
                await self._answer(connection, request)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or the test is over
        finally:
            connection.ended.set()
            self._tasks.discard(task)


def whole(body: bytes = b"{}", status: str = "200 OK", *more: str) -> bytes:
    """A plain answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


def saying(data: bytes) -> Answer:
    """Every request is answered by these bytes."""

    async def answer(connection: Connection, _: bytes) -> None:
        await connection.send(data)

    return answer


async def silent(connection: Connection, _: bytes) -> None:
    """Waits until the client gives up."""
    await connection.reader.read()
    connection.ended.set()
