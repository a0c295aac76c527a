"""A listening UDP port, and the carrier for datagrams that are not encrypted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.binding import bind, bind_error
from fleetrig.reference_server.fronts.datagrams import (
    DatagramCarrier,
    DatagramReceiver,
    DatagramSocket,
    SocketAddress,
)
from fleetrig.reference_server.fronts.front import FrontTools, OnFull
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.server import Server
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.session import Session

RECEIVE_BUFFER_BYTES: Final = 8 * 1024 * 1024
"""Asked for; the system may give less. A fleet that comes back all at once fits into it."""

LARGEST_DATAGRAM_BYTES: Final = 65_535

AT_ONCE: Final = 64
"""So many datagrams are read before others have their turn."""

CarrierMaker = Callable[[DatagramReceiver, DatagramSocket, Server, FrontTools], DatagramCarrier]


class DatagramListener:
    """Holds its port from the start, but reads only between `open` and `close`, and not during outages."""

    def __init__(
        self,
        name: str,
        address: Address,
        tls: ServerTls | None = None,
        on_full: OnFull = lambda _: None,
        carry: CarrierMaker | None = None,
    ) -> None:
        """`carry` makes peers of datagrams: those of UDP, unless something else is given (DTLS).

        Raises BrokenBench or UsageError when the port is not available."""
        self.name = name
        """`coap`, `coaps`; see `Session.listener`."""
        self._carry: CarrierMaker = carry or UdpCarrier
        self._tls = tls
        self._sockets = bind(address, socket.SOCK_DGRAM)
        self.address = Address(address.host, self._sockets[0].getsockname()[1])
        """Where it listens: with the real port in place of port 0."""
        self._deaf: list[socket.socket] = []
        """They hold the port during an outage."""
        self._readers: list[DatagramReader] = []
        self._receiver: tuple[DatagramReceiver, Server, FrontTools] | None = None

    def judge_by(self, handshakes: Handshakes) -> None:
        """As with every listener. DTLS asks the server that it is opened for."""
        if self._tls is not None:
            self._tls.judge_by(handshakes)

    async def open(self, receiver: DatagramReceiver, server: Server, tools: FrontTools) -> None:
        """Raises BrokenBench when another program has taken the port meanwhile."""
        self._receiver = (receiver, server, tools)
        _close_all(self._deaf)
        try:
            self._sockets = self._sockets or bind(self.address, socket.SOCK_DGRAM)
            while self._sockets:
                make = partial(self._carrier, receiver, server, tools)
                self._readers.append(DatagramReader(self._sockets.pop(0), make))
        except OSError as error:
            self.close()
            raise bind_error(self.address, error) from error

    def refuse(self) -> None:
        """Peers are told that nobody listens (ICMP port unreachable). The port stays ours."""
        self._stop_reading()
        _close_all(self._sockets)
        self._deaf = self._deaf or bind(self.address, socket.SOCK_DGRAM)
        for sock in self._deaf:
            _hear_nobody(sock)

    async def accept_again(self) -> None:
        if self._receiver is not None and not self._readers:
            await self.open(*self._receiver)

    def close(self) -> None:
        self._stop_reading()
        _close_all(self._sockets)
        _close_all(self._deaf)

    def _carrier(
        self, receiver: DatagramReceiver, server: Server, tools: FrontTools, sock: socket.socket
    ) -> DatagramCarrier:
        port = DatagramSocket(self.name, self.address.port, self._tls, partial(_send_to, sock))
        return self._carry(receiver, port, server, tools)

    def _stop_reading(self) -> None:
        for reader in self._readers:
            reader.close()
        self._readers.clear()


class DatagramReader:
    """Reads one socket, which it owns, and gives what comes to its carrier until `close`."""

    def __init__(self, sock: socket.socket, make: Callable[[socket.socket], DatagramCarrier]) -> None:
        self._sock = sock
        self._carrier = make(sock)
        self._loop = asyncio.get_running_loop()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._loop.add_reader(sock, self._read)

    def close(self) -> None:
        self._loop.remove_reader(self._sock)
        self._sock.close()
        self._carrier.close()

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, address = self._sock.recvfrom(LARGEST_DATAGRAM_BYTES)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # what became of an earlier datagram to somebody
            self._carrier.datagram(data, address)
            if self._sock.fileno() < 0:
                return  # an outage has begun with that datagram


class UdpCarrier:
    """A `DatagramCarrier`: every address and port is a peer from its first datagram on, until the front forgets it."""

    def __init__(self, receiver: DatagramReceiver, sock: DatagramSocket, server: Server, tools: FrontTools) -> None:
        self._receiver = receiver
        self._sock = sock
        self._next_session_id = tools.next_session_id
        self._peers: dict[SocketAddress, UdpPeer] = {}

    def datagram(self, data: bytes, address: SocketAddress) -> None:
        peer = self._peers.get(address)
        if peer is None:
            sock = self._sock
            session = Session(address[0], sock.local_port, self._next_session_id(), sock.listener)
            peer = self._peers[address] = UdpPeer(session, address, self)
            self._receiver.peer_opened(peer)
        if address in self._peers:  # it may have been refused
            self._receiver.received(peer, data)

    def close(self) -> None:
        self._peers.clear()

    def send_to(self, data: bytes, address: SocketAddress) -> None:
        self._sock.send_to(data, address)

    def forget(self, address: SocketAddress) -> None:
        self._peers.pop(address, None)


class UdpPeer:
    """A `DatagramPeer`."""

    __slots__ = ("_address", "_carrier", "session")

    def __init__(self, session: Session, address: SocketAddress, carrier: UdpCarrier) -> None:
        self.session = session
        self._address = address
        self._carrier = carrier

    def send(self, data: bytes) -> None:
        self._carrier.send_to(data, self._address)

    def close(self, ending: Ending) -> None:
        self._carrier.forget(self._address)


def _hear_nobody(sock: socket.socket) -> None:
    """A socket that is connected to itself holds its port, and to everybody else the port is unreachable."""
    sock.connect(sock.getsockname())


def _close_all(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()
    sockets.clear()


def _send_to(sock: socket.socket, data: bytes, address: SocketAddress) -> None:
    with suppress(OSError):
        sock.sendto(data, address)
