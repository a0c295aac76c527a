"""A DTLS echo for benchmarks: `ours`, or a `bare` one of pyOpenSSL. Prints its port.

The bare one asks for certificates and takes any, with a cookie; it keeps no time, has no bounds and tells nobody.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

from OpenSSL import SSL

from fleetrig.reference_server.address import Address as ListenAddress
from fleetrig.reference_server.fronts.datagrams import DatagramSocket
from fleetrig.reference_server.fronts.dtls.carrier import DtlsCarrier
from fleetrig.reference_server.fronts.front import FrontTools
from fleetrig.reference_server.fronts.tls.server_certificate import read_server_certificate
from fleetrig.reference_server.fronts.udp import DatagramListener
from fleetrig.simulator.contract.trace import Trace
from tests.reference_server.fronts.dtls.bench import Echo, Judge, Midnight

Address = tuple[str, int]


async def ours(certificate: Path) -> None:
    shown = read_server_certificate(certificate, certificate)

    def carry(receiver: Echo, sock: DatagramSocket, server: Judge, tools: FrontTools) -> DtlsCarrier:
        return DtlsCarrier(receiver, sock, server, tools, lambda _: shown)  # type: ignore[arg-type]

    listener = DatagramListener("coaps", ListenAddress("127.0.0.1", 0), carry=carry)  # type: ignore[arg-type]
    tools = FrontTools(Midnight(), Trace(), lambda _, bug: sys.exit(repr(bug)), count(1).__next__)
    await listener.open(Echo(), Judge(), tools)  # type: ignore[arg-type]
    print(listener.address.port, flush=True)
    await asyncio.Event().wait()


class Bare:
    """All peers of one socket; those in `hello` have no cookie yet."""

    def __init__(self, certificate: Path, sock: socket.socket) -> None:
        context = self._context = SSL.Context(SSL.DTLS_SERVER_METHOD)
        context.use_certificate_chain_file(str(certificate))
        context.use_privatekey_file(str(certificate))
        context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET)
        context.set_cookie_generate_callback(lambda _: b"cookie")
        context.set_cookie_verify_callback(lambda _, cookie: cookie == b"cookie")
        self._sock = sock
        self._hello: dict[Address, SSL.Connection] = {}
        self._peers: dict[Address, SSL.Connection] = {}

    def read(self) -> None:
        data, address = self._sock.recvfrom(65_535)
        peer = self._peers.get(address) or self._hello.get(address) or self._new(address)
        peer.bio_write(data)
        try:
            if address in self._hello:
                peer.DTLSv1_listen()
                self._peers[address] = self._hello.pop(address)
            peer.do_handshake()
            peer.send(peer.recv(1 << 14))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            del self._peers[address]
        with suppress(SSL.WantReadError):
            self._sock.sendto(peer.bio_read(65_535), address)

    def _new(self, address: Address) -> SSL.Connection:
        peer = self._hello[address] = SSL.Connection(self._context, None)
        peer.set_accept_state()
        peer.set_ciphertext_mtu(1_232)
        return peer


async def bare(certificate: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        asyncio.get_running_loop().add_reader(sock, Bare(certificate, sock).read)
        print(sock.getsockname()[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run({"ours": ours, "bare": bare}[sys.argv[1]](Path(sys.argv[2])))
