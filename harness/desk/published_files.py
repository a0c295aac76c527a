"""Files under addresses of our own, for devices that fetch an update wherever they are told to.

Each file has a path that nobody can guess. Only these files are given out, whole, as long as the block lasts.
"""

from __future__ import annotations

import asyncio
import secrets as chance
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import quote

from fleetrig.harness.desk.deploying import UpdateFile
from fleetrig.reference_server.address import Address
from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.errors import UsageError, system_said

MOST_HEAD_BYTES: Final = 16 * 1024
HEAD_WITHIN_S: Final = 10.0
PATH_BYTES: Final = 12
BLANK_LINE: Final = b"\r\n\r\n"
GONE: Final = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class PublishedFiles:
    """Use `published_files`."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._port = 0
        self._files: dict[str, UpdateFile] = {}
        self._open: set[asyncio.StreamWriter] = set()

    def publish(self, file: UpdateFile) -> str:
        """The URL under which devices find it."""
        path = f"/{chance.token_urlsafe(PATH_BYTES)}/{quote(file.name, safe='')}"
        self._files[path] = file
        return f"http://{Address(self._host, self._port)}{path}"

    async def listen(self, port: int) -> asyncio.Server:
        """Raises OSError."""
        server = await asyncio.start_server(self._answer, self._host, port, limit=MOST_HEAD_BYTES)
        self._port = server.sockets[0].getsockname()[1]
        return server

    def break_off(self) -> None:
        """Ends the connections that are open: a server waits for them, and a device may stay on for ever."""
        for writer in self._open:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, then the connection ends: whoever leaves early, or asks for nothing of ours, gets no more."""
        self._open.add(writer)
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(HEAD_WITHIN_S):
                head = await reader.readuntil(BLANK_LINE)
            await self._send(head.decode("latin-1").split(" "), writer)
        writer.close()
        self._open.discard(writer)

    async def _send(self, words: list[str], writer: asyncio.StreamWriter) -> None:
        file = self._files.get(words[1]) if words[0] in ("GET", "HEAD") and len(words) > 1 else None
        if file is None:
            writer.write(GONE)
            await writer.drain()
            return
        kind = "Content-Type: application/octet-stream"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {file.size_bytes}\r\n{kind}\r\n".encode())
        writer.write(b"Connection: close\r\n\r\n")
        await writer.drain()
        for block in body_blocks(file.content) if words[0] == "GET" else ():
            writer.write(block)
            await writer.drain()


@asynccontextmanager
async def published_files(at: Address) -> AsyncIterator[PublishedFiles]:
    """Raises UsageError for an address at which nobody can listen."""
    files = PublishedFiles(at.host)
    try:
        server = await files.listen(at.port)
    except OSError as wrong:
        raise UsageError(f"--serve-at {at}: {system_said(wrong)}") from None
    async with server:
        try:
            yield files
        finally:
            files.break_off()
