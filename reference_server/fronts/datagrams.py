"""Peers that send datagrams: the seam between a front (CoAP) and what carries its datagrams (UDP, or DTLS over it)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.session import Session

SocketAddress = tuple[Any, ...]
"""As the system gives it: host, port, and two numbers more for IPv6."""


class DatagramPeer(Protocol):
    """One endpoint that sends to a listener: an address and port, with DTLS what its handshake has come to."""

    session: Session
    """What the front tells the server. Its id was taken from `FrontTools.next_session_id` when the peer first spoke."""

    def send(self, data: bytes) -> None:
        """Sends one datagram, at once; what the network has no room for is lost, as on any network."""

    def close(self, ending: Ending) -> None:
        """Forgets the peer. With DTLS: CLOSED says goodbye (close_notify), every other ending says nothing."""


class DatagramReceiver(Protocol):
    """A front, as the carriers of datagrams see it. Calls come from the event loop's own thread."""

    def peer_opened(self, peer: DatagramPeer) -> None:
        """Its first datagram has come; with DTLS: its handshake is done. Before any `received` of the peer."""

    def received(self, peer: DatagramPeer, data: bytes) -> None:
        """One datagram of a peer that was opened."""

    def peer_closed(self, peer: DatagramPeer) -> None:
        """The peer said goodbye (DTLS), or the carrier has forgotten it. Not called after `DatagramPeer.close`."""


@dataclass(frozen=True, slots=True)
class DatagramSocket:
    """An open socket, as a carrier sees it."""

    listener: str
    """The listener's name; see `Session.listener`."""
    local_port: int
    tls: ServerTls | None
    send_to: Callable[[bytes, SocketAddress], None]
    """Sends one datagram, at once; what the network has no room for is lost."""


class DatagramCarrier(Protocol):
    """What makes peers of the datagrams of one socket. It has no I/O of its own."""

    def datagram(self, data: bytes, address: SocketAddress) -> None:
        """One datagram has come from an address. Whatever is in it, nothing is raised."""

    def close(self) -> None:
        """The socket is closed: forgets all peers, telling nobody."""
