"""One TLS connection: takes ciphertext from asyncio, gives what it means to the protocol of a front.

A front knows of it only while it is open. Whoever ends it, by a goodbye or by an alert, closes its own half and reads
for a while on: a connection that is closed with something unread is reset, and the peer would lose the last words.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from enum import Enum, auto

from fleetrig.reference_server.fronts.accepting import ProtocolFactory
from fleetrig.reference_server.fronts.sessions import session_of
from fleetrig.reference_server.fronts.tls.connections import TlsConnections
from fleetrig.reference_server.fronts.tls.engine import TlsEngine
from fleetrig.reference_server.fronts.tls.failure import TlsFailure, no_tls
from fleetrig.reference_server.fronts.tls.judgement import CertificateJudgement, Certificates
from fleetrig.reference_server.fronts.tls.transport import TlsTransport
from fleetrig.simulator.contract.handshake import TlsAlert

READ_BYTES = 64 * 1024
"""How much is read off a connection before others have their turn."""

UNHEARD_BYTES = 1024 * 1024


class TlsStage(Enum):
    SILENT = auto()
    """It has said nothing, and costs no more than a TCP connection."""
    SHAKING = auto()
    OPEN = auto()
    ENDING = auto()
    """Our last word is said. What still comes is thrown away."""


class TlsConnection(asyncio.Protocol):
    """The protocol of the TCP connection; `TlsTransport` asks it for what the protocol of a front wants."""

    __slots__ = (
        "_connections", "_engine", "_inner", "_is_paused", "_judgement", "_make", "_patience", "_read_again", "_stage",
        "outer", "session",
    )  # fmt: skip

    def __init__(self, connections: TlsConnections, make: ProtocolFactory) -> None:
        self._connections = connections
        self._make = make
        self._engine: TlsEngine | None = None
        self._judgement = CertificateJudgement(self._judge)
        self._inner: asyncio.Protocol | None = None
        self._stage = TlsStage.SILENT
        self._is_paused = False
        self._read_again: asyncio.Handle | None = None

    # What asyncio says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.outer = transport
        """The TCP connection."""
        if hasattr(transport, "max_size"):
            transport.max_size = READ_BYTES
        connections = self._connections
        session = session_of(transport, connections.listener, connections.handshakes.next_session_id)
        self.session = replace(session, tls=True)
        connections.add(self)
        within_s = connections.handshakes.limits.within_s
        said = f"no handshake within {within_s:g} s"
        self._patience = asyncio.get_running_loop().call_later(within_s, self.give_up, said)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stage is TlsStage.SHAKING:
            self._note(TlsFailure("refused", "it left in the middle of the handshake"))
        self._stage = TlsStage.ENDING
        self._forget()
        self._engine = None
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._stage is TlsStage.ENDING:
            return
        try:
            if self._engine is None:
                self._engine = self._begun(data)
            self._engine.feed(data)
            if self._stage is TlsStage.OPEN or self._shake(self._engine):
                self._read()
        except TlsFailure as failure:
            self._fail(failure)

    def eof_received(self) -> bool | None:
        """A client that closes its half closes the whole connection, as with TLS everywhere."""
        self._peer_ended()
        return None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    # What the transport of the inner protocol asks for

    @property
    def is_closing(self) -> bool:
        return self._stage is TlsStage.ENDING or self.outer.is_closing()

    def write(self, data: bytes) -> None:
        """Encrypts and sends. What comes after the end is dropped, as asyncio does."""
        left = memoryview(data)
        try:
            while left and self._engine is not None and not self.is_closing:
                left = left[self._engine.write(left) :]
                self._flush()
        except TlsFailure as failure:
            self._note(failure)
            self.abort()

    def close(self) -> None:
        """Says goodbye and ends the connection when all is sent."""
        if self.is_closing:
            return
        if self._engine is not None:
            self._engine.end()
        self._end()

    def abort(self) -> None:
        self.outer.abort()

    def pause(self) -> None:
        self._is_paused = True
        self.outer.pause_reading()

    def resume(self) -> None:
        """Goes on, first with what has been received already."""
        self._is_paused = False
        self.outer.resume_reading()
        if self._read_again is None:
            self._read_again = asyncio.get_running_loop().call_soon(self._go_on_reading)

    def give_up(self, why: str) -> None:
        """Ends a connection that waits for its peer."""
        if self._stage is not TlsStage.ENDING:
            self._note(TlsFailure("refused", why))
        self.drop()

    def drop(self) -> None:
        """Ends it without a word, to the peer or to the trace."""
        self._stage = TlsStage.ENDING
        self.abort()

    # The handshake

    def _begun(self, data: bytes) -> TlsEngine:
        if (failure := no_tls(data)) is not None:
            raise failure
        handshakes = self._connections.handshakes
        try:
            engine = self._connections.make_engine(handshakes.shown_certificate(self.session), self._judgement)
        except Exception as bug:
            self._judgement.bug = bug
            raise TlsFailure("refused", "the server cannot shake hands") from bug
        self._stage = TlsStage.SHAKING
        return engine

    def _shake(self, engine: TlsEngine) -> bool:
        is_done = engine.shake()
        self._flush()
        if not is_done:
            return False
        certificates = engine.certificates()
        self._ask_about(certificates)
        self._forget()
        self.session = replace(self.session, certificates=certificates, server_name=engine.server_name)
        self._stage = TlsStage.OPEN
        self._inner = self._make()
        self._inner.connection_made(TlsTransport(self))
        return True

    def _ask_about(self, certificates: Certificates) -> None:
        """The standard library lets nobody be asked in a handshake: then it is now, too late for an alert."""
        judgement = self._judgement
        if certificates and not judgement.is_made:
            judgement.certificates = certificates
            judgement.make()
        if judgement.alert is not None or judgement.bug is not None:
            raise TlsFailure("refused", "the platform does not take its certificate")

    def _judge(self, certificates: Certificates) -> TlsAlert | None:
        assert self._engine is not None
        self.session = replace(self.session, certificates=certificates, server_name=self._engine.server_name)
        handshakes = self._connections.handshakes
        return handshakes.judge.handshake(self.session, handshakes.clock.now_us())

    # Inside

    def _fail(self, failure: TlsFailure) -> None:
        """The platform has told why it refuses; all else is told here."""
        if self._judgement.bug is not None:
            self._connections.handshakes.on_bug(None, self._judgement.bug)
        elif self._judgement.alert is None:
            self._note(failure)
        if self._judgement.alert is TlsAlert.SILENCE:
            self._engine = None
        self._end()

    def _note(self, failure: TlsFailure) -> None:
        self._connections.handshakes.note(self.session, failure)

    def _go_on_reading(self) -> None:
        self._read_again = None
        try:
            self._read()
        except TlsFailure as failure:
            self._fail(failure)

    def _read(self) -> None:
        while self._stage is TlsStage.OPEN and not self._is_paused:
            assert self._engine is not None
            assert self._inner is not None
            data = self._engine.read()
            if data is None:
                self._say_what_tls_says()
                return
            if data:
                self._inner.data_received(data)
            else:
                self._peer_ended()
                self.outer.close()

    def _say_what_tls_says(self) -> None:
        """Unasked by the front: that there is no renegotiation, for one. Who goes on asking must listen too."""
        if self._flush() and self.outer.get_write_buffer_size() > UNHEARD_BYTES:
            self._note(TlsFailure("refused", "it goes on making TLS answer, and reads no answers"))
            self.abort()

    def _peer_ended(self) -> None:
        if self._stage is TlsStage.OPEN and self._inner is not None:
            self._inner.eof_received()
            self.close()

    def _flush(self) -> bool:
        """Whether there was anything to send."""
        ciphertext = b"" if self._engine is None else self._engine.outgoing()
        if ciphertext:
            self.outer.write(ciphertext)
        return bool(ciphertext)

    def _end(self) -> None:
        """Sends the last word, and waits for the peer to end as well."""
        self._flush()
        self._stage = TlsStage.ENDING
        self._forget()
        if self._connections.is_stopped or self.outer.is_closing():
            self.outer.close()
            return
        try:
            self.outer.write_eof()
        except OSError:  # the peer has gone already
            self.outer.close()
            return
        self.outer.resume_reading()
        self._connections.add(self)
        goodbye_s = self._connections.handshakes.limits.goodbye_within_s
        self._patience = asyncio.get_running_loop().call_later(goodbye_s, self.outer.close)

    def _forget(self) -> None:
        """The peer is not waited for any more, as far as it was."""
        self._patience.cancel()
        self._connections.remove(self)
