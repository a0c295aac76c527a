"""A TLS listener that echoes, as a process of its own: `python -m tests.benchmarks.tls_listener KIND FOLDER`.

KIND: `bare` (asyncio and the standard library, certificates of clients required; it gives no session tickets, as ours
do not), `tickets` (the same with two tickets for each connection, the library's default), `required` or `any` (ours).
FOLDER has server.pem (chain and key) and ca.pem, the authority of clients. The first line it prints is the port.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from itertools import count
from pathlib import Path
from typing import cast

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.sessions import session_of
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.handshakes import Handshakes
from fleetrig.reference_server.fronts.tls.server_certificate import read_server_certificate
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.reference import SystemClock
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace


class TakesAll:
    """A `HandshakeJudge`."""

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        return ShownCertificate.OWN

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        assert session.certificates
        return None


class BenchEcho(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.session = session_of(transport, "bench", lambda: 0)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def main(kind: str, folder: Path) -> None:
    pem, ca = folder / "server.pem", folder / "ca.pem"
    if kind in ("bare", "tickets"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
        if kind == "bare":
            context.num_tickets = 0
        server = await asyncio.get_running_loop().create_server(BenchEcho, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
    else:
        certificate = read_server_certificate(pem, pem)
        tls = ServerTls(lambda _: certificate, ClientAuth(kind))
        tls.trust(ca.read_bytes())
        listener = Listener("bench", Address("127.0.0.1", 0), tls)
        listener.judge_by(
            Handshakes(TakesAll(), SystemClock(), Trace(), lambda _, bug: sys.exit(str(bug)), count(1).__next__)
        )
        await listener.open(BenchEcho)
        port = listener.address.port
    print(port, flush=True)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
