"""Datagrams between a device and one server: what CoAP's messages go over, by plain UDP or by DTLS."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from fleetrig.simulator.transports.arrivals import Arrivals

UNREAD_LIMIT: Final = 64
"""More datagrams than anybody leaves unread; then the oldest goes, as in a socket's own buffer."""


class DatagramChannel(Protocol):
    """A way for datagrams to one server and back."""

    def send(self, datagram: bytes) -> None:
        """Sends it, or loses it. Raises only what `receive` raises too: OSError, EOFError."""

    async def receive(self) -> bytes:
        """The next datagram. Raises OSError, and EOFError when the server has closed the channel (DTLS only)."""

    def close(self) -> None:
        """Closes it, in any state. Raises nothing."""


async def open_udp(host: str, port: int) -> UdpChannel:
    """A channel from a port of its own. Raises OSError for a host without an address."""
    _, channel = await asyncio.get_running_loop().create_datagram_endpoint(UdpChannel, remote_addr=(host, port))
    return channel


class UdpChannel(asyncio.DatagramProtocol):
    """A `DatagramChannel`: a connected socket, so only the server is heard, and its host when nothing listens there."""

    def __init__(self) -> None:
        self._unread: Arrivals[bytes] = Arrivals(UNREAD_LIMIT)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._unread.put(data)

    def error_received(self, exc: Exception) -> None:
        self._unread.end(exc)

    def send(self, datagram: bytes) -> None:
        self._transport.sendto(datagram)

    async def receive(self) -> bytes:
        return await self._unread.take()

    def close(self) -> None:
        self._transport.abort()
