"""Sends a whole answer: head and body, and a body in a file without reading all of it into memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.http import Body, FileSlice, parts_of

SENDFILE_FROM_BYTES: Final = 64 * 1024

Drain = Callable[[], Awaitable[None]]


class ShortFile(BrokenBench):
    """A file slice promised more bytes than the file has: it was changed while it was sent."""


async def send(transport: asyncio.Transport, drain: Drain, head: bytes, body: Body) -> None:
    """Head and body; a body in a file is streamed. Raises ConnectionError when the client has left."""
    if isinstance(body, bytes):
        transport.write(head + body if body else head)
        return
    transport.write(head)
    for part in parts_of(body):
        if isinstance(part, FileSlice):
            await _send_file(transport, drain, part)
            continue
        for block in body_blocks(part):
            transport.write(block)
            await drain()


async def _send_file(transport: asyncio.Transport, drain: Drain, part: FileSlice) -> None:
    sent_bytes = 0
    if part.length_bytes >= SENDFILE_FROM_BYTES and transport.get_extra_info("sslcontext") is None:
        sent_bytes = await _sendfile(transport, part)
    else:
        for block in body_blocks(part):
            _check(transport)
            transport.write(block)
            sent_bytes += len(block)
            await drain()
    if sent_bytes != part.length_bytes:
        said = f"ended after {sent_bytes} of {part.length_bytes} bytes: it was changed while it was sent"
        raise ShortFile(f"the file {part.path} {said}")


async def _sendfile(transport: asyncio.Transport, part: FileSlice) -> int:
    _check(transport)
    with open(part.path, "rb") as file:  # noqa: ASYNC230, PTH123 (opening does not wait; the kernel does the reading)
        loop = asyncio.get_running_loop()
        return await loop.sendfile(transport, file, part.offset_bytes, part.length_bytes)


def _check(transport: asyncio.Transport) -> None:
    if transport.is_closing():
        raise ConnectionResetError("the client has left")
