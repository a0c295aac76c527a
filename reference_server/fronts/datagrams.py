"""Peers that send datagrams: the seam between a front (CoAP) and what carries its datagrams (UDP, or DTLS over it)."""

from __future__ import annotations

from typing import Protocol

from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.session import Session


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
