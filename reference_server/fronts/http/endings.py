"""How an answer gets onto the wire, and how it does not: each `Ending` as a socket shows it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from fleetrig.simulator.contract.bodies import body_blocks
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import Body, FileSlice, body_length

LINGER_ZERO: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends a RST and forgets what was not sent."""

SENDFILE_FROM_BYTES: Final = 64 * 1024

Drain = Callable[[], Awaitable[None]]


class ShortFile(Exception):
    """A file slice promised more bytes than the file has: a bug of ours, or somebody touched the file."""


def reset(transport: asyncio.Transport) -> None:
    """Ends the connection with a TCP RST."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    transport.abort()


async def send(transport: asyncio.Transport, drain: Drain, head: bytes, body: Body) -> None:
    """Head and body; a body in a file is streamed. Raises ConnectionError when the client has left."""
    if isinstance(body, bytes):
        transport.write(head + body if body else head)
        return
    transport.write(head)
    for part in body if isinstance(body, tuple) else (body,):
        if isinstance(part, FileSlice):
            await _send_file(transport, drain, part)
        else:
            transport.write(part)
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
        raise ShortFile(f"{part.path} ended after {sent_bytes} of {part.length_bytes} bytes")


async def _sendfile(transport: asyncio.Transport, part: FileSlice) -> int:
    _check(transport)
    with open(part.path, "rb") as file:  # noqa: ASYNC230, PTH123 (opening does not wait; the kernel does the reading)
        loop = asyncio.get_running_loop()
        return await loop.sendfile(transport, file, part.offset_bytes, part.length_bytes)


def _check(transport: asyncio.Transport) -> None:
    if transport.is_closing():
        raise ConnectionResetError("the client has left")


def cut(delivery: Delivery) -> Body:
    """What is sent of a truncated body: as much as the delivery says, or half of it."""
    body = delivery.response.body if delivery.response is not None else b""
    length = body_length(body)
    left = length // 2 if delivery.cut_after_bytes is None else min(length, delivery.cut_after_bytes)
    parts: list[bytes | FileSlice] = []
    for part in body if isinstance(body, tuple) else (body,):
        taken = min(left, len(part))
        parts.append(part[:taken] if isinstance(part, bytes) else FileSlice(part.path, part.offset_bytes, taken))
        left -= taken
    return tuple(parts)
