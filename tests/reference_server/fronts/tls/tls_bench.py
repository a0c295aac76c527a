"""A TLS listener on a loopback port before an echo, in an event loop of its own; the server behind it is a fake."""

from __future__ import annotations

import asyncio
import re
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import cast

from fleetrig.reference_server.address import Address
from fleetrig.reference_server.fronts.listening import Listener
from fleetrig.reference_server.fronts.sessions import session_of
from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.handshakes import HandshakeLimits, Handshakes
from fleetrig.reference_server.fronts.tls.server_tls import ServerTls
from fleetrig.reference_server.fronts.tls.throw_away import ServerCertificates
from fleetrig.simulator.contract.handshake import ShownCertificate, TlsAlert
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.reference_server.fronts.conftest import NOON_US, Loop, Noon
from tests.reference_server.fronts.peer import Peer


def now_us() -> int:
    return time.time_ns() // 1000


@dataclass
class FakeJudge:
    """A `HandshakeJudge` that says what it is told to."""

    shows: ShownCertificate = ShownCertificate.OWN
    judge: Callable[[Session], TlsAlert | None] = lambda _: None
    asked: list[Session] = field(default_factory=list)
    judged: list[Session] = field(default_factory=list)

    def shown_certificate(self, session: Session, now_us: int) -> ShownCertificate:
        assert now_us == NOON_US
        self.asked.append(session)
        return self.shows

    def handshake(self, session: Session, now_us: int) -> TlsAlert | None:
        assert now_us == NOON_US
        self.judged.append(session)
        return self.judge(session)


class Echo(asyncio.Protocol):
    """Says what it hears; `SEND n` is answered with n bytes, `END` with the end, `PAUSE` with nothing."""

    def __init__(self, bench: TlsBench) -> None:
        self.bench = bench
        self.heard = b""
        self.paused = self.resumed = self.ends = 0
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.session = session_of(transport, "toys", lambda: -1)
        self.bench.opened.append(self)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if self.heard.startswith(b"PAUSE") and data != b"PAUSE":
            return
        if data.startswith(b"SEND "):
            self.transport.write(bytes(int(data.split()[1])))
        elif data == b"PAUSE":
            self.transport.pause_reading()
        elif data.startswith(b"END"):
            self.transport.write(b"the last words")
            self.transport.close()
        else:
            self.transport.write(data)

    def pause_writing(self) -> None:
        self.paused += 1

    def resume_writing(self) -> None:
        self.resumed += 1

    def eof_received(self) -> bool | None:
        self.ends += 1
        return None

    def connection_lost(self, exc: BaseException | None) -> None:
        self.is_lost = True
        self.bench.lost.append(self)


@dataclass
class TlsBench:
    loop: Loop
    certificates: ServerCertificates
    judge: FakeJudge = field(default_factory=FakeJudge)
    opened: list[Echo] = field(default_factory=list)
    lost: list[Echo] = field(default_factory=list)
    events: list[TraceEvent] = field(default_factory=list)
    bugs: list[BaseException] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    tls: ServerTls = field(init=False)

    def listen(
        self,
        client_auth: ClientAuth = ClientAuth.NONE,
        *,
        trusted: bytes = b"",
        alpn: Sequence[str] = (),
        limits: HandshakeLimits | None = None,
    ) -> int:
        """The port of one more listener."""
        trace = Trace()
        trace.listen(self.events.append)
        self.tls = ServerTls(self.certificates.of, client_auth, alpn)
        if trusted:
            self.tls.trust(trusted)
        listener = Listener("toys", Address("127.0.0.1", 0), self.tls)
        ids = count(1).__next__
        limits = limits or HandshakeLimits()
        listener.judge_by(Handshakes(self.judge, Noon(), trace, lambda _, bug: self.bugs.append(bug), ids, limits))
        self.loop.run(listener.open(lambda: Echo(self)))
        self.listeners.append(listener)
        return listener.address.port

    def close(self) -> None:
        for listener in self.listeners:
            self.loop.call(listener.close)
        for echo in self.opened:
            self.loop.call(echo.transport.abort)
        self.loop.run(asyncio.sleep(0))

    def until(self, condition: Callable[[], bool]) -> None:
        """Until the server's side has come so far."""

        async def waiting() -> None:
            while not condition():  # noqa: ASYNC110 (what is waited for is the front's, which has no event for it)
                await asyncio.sleep(0.001)

        self.loop.run(waiting())

    def said(self) -> list[tuple[str, str]]:
        """(kind, reason) of what stands in the network lane."""
        return [(event.kind, event.reason) for event in self.events]


def client(
    bench: TlsBench,
    certificate: ClientCertificate | None = None,
    version: ssl.TLSVersion | None = None,
    *,
    security_level: int = 1,
) -> ssl.SSLContext:
    """Trusts the throw-away authority and shows the certificate."""
    context = ssl.create_default_context(cafile=bench.certificates.ca)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    context.set_ciphers(f"DEFAULT@SECLEVEL={security_level}")
    if certificate is not None:
        show_certificate(context, certificate)
    return context


def show_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    pem = "".join(map(ssl.DER_cert_to_PEM_cert, certificate.chain))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "client.pem")
        file.write_text(pem + certificate.key_pem.decode())
        context.load_cert_chain(file)


def what_came(port: int, context: ssl.SSLContext) -> str:
    """What a client meets that says `hello`: `echo`, `alert …` or `end`."""
    try:
        with Peer(port, context) as peer:
            peer.send(b"hello")
            return "echo" if peer.socket.recv(64) == b"hello" else "end"
    except ssl.SSLEOFError:
        return "end"
    except ssl.SSLError as error:
        return "alert " + re.split("alert.", (error.reason or "").lower().replace("_", " "))[-1]
    except ConnectionError as error:
        return type(error).__name__
