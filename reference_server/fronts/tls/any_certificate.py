"""TLS that asks clients for a certificate and lets every handshake succeed, whatever they show.

As nginx does: who is not accepted gets an HTTP answer that says so, and no broken connection. The standard library
cannot do that: it ends the handshake of whom it cannot verify. So TLS is done here by pyOpenSSL, in memory, between a
TCP connection of asyncio and the protocol of a front, which sees an ordinary transport.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from fleetrig.reference_server.fronts.accepting import ProtocolFactory

HANDSHAKE_WITHIN_S: Final = 60.0
"""As the standard library's own limit for servers."""
BLOCK_BYTES: Final = 64 * 1024


def asking_context(certificate: Path, key: Path) -> SSL.Context:
    """A server's context that asks for certificates and accepts any; the files were read once already."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(key))
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_alpn_select_callback(_choose_http)
    return context


def _choose_http(_: SSL.Connection, offered: list[bytes]) -> Any:
    return b"http/1.1" if b"http/1.1" in offered else SSL.NO_OVERLAPPING_PROTOCOLS


class TlsConnection(asyncio.Protocol):
    """One connection: takes ciphertext from asyncio, gives what it means to the protocol that `make` makes."""

    def __init__(self, context: SSL.Context, shaking: set[asyncio.Transport], make: ProtocolFactory) -> None:
        """`shaking` holds the TCP connections whose handshake is under way: no front knows of them yet."""
        self._context = context
        self._shaking = shaking
        self._make = make
        self._inner: asyncio.Protocol | None = None
        self._outer: asyncio.Transport | None = None
        self._is_paused = self._is_closing = False
        self._read_again: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._outer = transport
        self._shaking.add(transport)
        self._tls = SSL.Connection(self._context, None)
        self._tls.set_accept_state()
        self._patience = asyncio.get_running_loop().call_later(HANDSHAKE_WITHIN_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        self._patience.cancel()
        self._shaking.discard(self.outer)
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            self._tls.bio_write(data)
            if self._inner is not None or self._shook_hands():
                self._read()
        except SSL.Error:
            self._flush()  # an alert says why
            self.close()

    def eof_received(self) -> bool | None:
        """A client that closes its half closes the whole connection, as with TLS everywhere."""
        return None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    # What the transport of the inner protocol asks for

    @property
    def outer(self) -> asyncio.Transport:
        """The TCP connection."""
        assert self._outer is not None
        return self._outer

    @property
    def is_closing(self) -> bool:
        return self._is_closing or self.outer.is_closing()

    def write(self, data: bytes) -> None:
        """Encrypts and sends. What comes after the end is dropped, as asyncio does."""
        left = memoryview(data)
        try:
            while left and not self.is_closing:
                left = left[self._tls.send(left[:BLOCK_BYTES]) :]
                self._flush()
        except SSL.Error:
            self.outer.abort()

    def close(self) -> None:
        """Ends TLS in order, then the connection, when all is sent."""
        if self.is_closing:
            return
        self._is_closing = True
        with suppress(SSL.Error):
            self._tls.shutdown()
        self._flush()
        self.outer.close()

    def pause(self) -> None:
        self._is_paused = True
        self.outer.pause_reading()

    def resume(self) -> None:
        """Goes on, first with what is decrypted here already."""
        self._is_paused = False
        self.outer.resume_reading()
        if self._read_again is None:
            self._read_again = asyncio.get_running_loop().call_soon(self._go_on_reading)

    def certificates(self) -> tuple[bytes, ...]:
        """What the client showed, DER, its own first."""
        own = self._tls.get_peer_certificate(as_cryptography=True)
        if own is None:
            return ()
        others = self._tls.get_peer_cert_chain(as_cryptography=True) or []
        return tuple(dict.fromkeys(one.public_bytes(Encoding.DER) for one in (own, *others)))

    def server_name(self) -> str:
        """The host that the client asked for (SNI); empty when it named none."""
        return (self._tls.get_servername() or b"").decode("ascii", "replace")

    # Inside

    def _shook_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        self._flush()
        self._patience.cancel()
        self._shaking.discard(self.outer)
        self._inner = self._make()
        self._inner.connection_made(TlsTransport(self))
        return True

    def _go_on_reading(self) -> None:
        self._read_again = None
        try:
            self._read()
        except SSL.Error:
            self.close()

    def _read(self) -> None:
        while self._inner is not None and not self._is_paused and not self.is_closing:
            try:
                data = self._tls.recv(BLOCK_BYTES)
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self._inner.eof_received()
                self.close()
                break
            self._inner.data_received(data)
        self._flush()

    def _flush(self) -> None:
        while True:
            try:
                ciphertext = self._tls.bio_read(BLOCK_BYTES)
            except SSL.WantReadError:
                return
            self.outer.write(ciphertext)


class TlsTransport(asyncio.Transport):
    """What a front's protocol gets as its transport."""

    def __init__(self, connection: TlsConnection) -> None:
        super().__init__()
        self._connection = connection

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        match name:
            case "peer_certificates":
                return self._connection.certificates()
            case "server_name":
                return self._connection.server_name()
            case "sslcontext":
                return self._connection
            case _:
                return self._connection.outer.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._connection.is_closing

    def write(self, data: Any) -> None:
        self._connection.write(bytes(data))

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self._connection.close()

    def abort(self) -> None:
        self._connection.outer.abort()

    def pause_reading(self) -> None:
        self._connection.pause()

    def resume_reading(self) -> None:
        self._connection.resume()

    def is_reading(self) -> bool:
        return self._connection.outer.is_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._connection.outer.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._connection.outer.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._connection.outer.get_write_buffer_limits()
