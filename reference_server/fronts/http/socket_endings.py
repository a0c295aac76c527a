"""How an answer fails to arrive, as a socket shows it: a reset, or a body that is cut."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Final

from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.http import Body, body_length, body_slice

LINGER_ZERO: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends a RST and forgets what was not sent."""


def reset(transport: asyncio.Transport) -> None:
    """Ends the connection with a TCP RST."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    transport.abort()


def cut(delivery: Delivery) -> Body:
    """What is sent of a truncated body: as much as the delivery says, or half of it."""
    body = delivery.response.body if delivery.response is not None else b""
    length = body_length(body)
    left = length // 2 if delivery.cut_after_bytes is None else min(length, delivery.cut_after_bytes)
    return body_slice(body, 0, left)
