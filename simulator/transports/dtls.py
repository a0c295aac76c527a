"""DTLS of devices over UDP: certificates or a pre-shared key, the server checked or not.

channel = await open_dtls("127.0.0.1", 5684, tls)
channel.send(b"...")
data = await channel.receive()
channel.close()
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from fleetrig.simulator.transports.client_tls import DeviceTls
from fleetrig.simulator.transports.dtls_client import DtlsClient
from fleetrig.simulator.transports.loopback_names import reachable_host

WAITING_DATAGRAMS: Final = 256
"""What came and nobody has read; more is lost, as in the buffer of a socket."""


async def open_dtls(host: str, port: int, tls: DeviceTls) -> DtlsChannel:
    """Shakes hands. The caller limits the time: a server that says nothing is given up after minutes only.

    Raises ssl.SSLError when it fails, ConnectionRefusedError where nobody listens, TimeoutError and other OSErrors.
    """
    loop = asyncio.get_running_loop()
    refused: ConnectionRefusedError | None = None
    for family, _, _, _, address in await loop.getaddrinfo(reachable_host(host), port, type=socket.SOCK_DGRAM):
        _, channel = await loop.create_datagram_endpoint(
            lambda: DtlsChannel(DtlsClient(tls, host)), family=family, remote_addr=(str(address[0]), port)
        )
        try:
            await channel.opened()
        except ConnectionRefusedError as error:
            refused = error
        else:
            return channel
    raise refused or OSError(f"no address of {host}")


class DtlsChannel(asyncio.DatagramProtocol):
    """An open association. It ends with the first error, which every later call raises."""

    def __init__(self, client: DtlsClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._came: deque[bytes] = deque()
        self._ended: BaseException | None = None
        self._changed: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def opened(self) -> None:
        """Returns after the handshake. Raises what `open_dtls` does; the channel is closed then."""
        try:
            await self._until(lambda: self._client.is_open)
        except BaseException:
            self.close()
            raise

    def send(self, data: bytes) -> None:
        """Sends a datagram. Raises OSError, and EOFError after the server's goodbye."""
        if self._ended is not None:
            raise self._ended
        self._client.send(data)
        self._flush()

    async def receive(self) -> bytes:
        """The next datagram. Raises EOFError after the server's goodbye (close_notify), and OSError."""
        await self._until(lambda: bool(self._came))
        return self._came.popleft()

    def close(self) -> None:
        """Says goodbye (close_notify), in any state."""
        if self._ended is None and self._client.is_open:
            self._client.say_goodbye()
        self._end(EOFError("the DTLS association was closed here"))

    # What asyncio calls

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._try(self._client.start)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._try(lambda: self._take(data))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there, says the other machine (ICMP)."""
        self._end(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or EOFError("the DTLS association was closed here"))

    # Inside

    def _take(self, datagram: bytes) -> None:
        for data in self._client.take(datagram):
            if len(self._came) < WAITING_DATAGRAMS:
                self._came.append(data)

    def _try(self, step: Callable[[], None]) -> None:
        if self._ended is not None:
            return
        try:
            step()
        except (OSError, EOFError) as error:
            self._end(error)
        else:
            self._flush()
            self._wake_up()
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_in_s = self._client.due_in_s()
        if due_in_s is not None:
            self._timer = self._loop.call_later(due_in_s, self._try, self._client.advance)

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            for datagram in self._client.outgoing():
                self._transport.sendto(datagram)

    def _end(self, why: BaseException) -> None:
        """What is left to say (an alert) is said."""
        if self._ended is not None:
            return
        self._flush()
        self._ended = why
        self._wake_up()
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()

    def _wake_up(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            if self._ended is not None:
                raise self._ended
            self._changed = self._loop.create_future()
            await self._changed
