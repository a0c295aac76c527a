"""TLS by the standard library: clients without certificates, or with those of trusted authorities."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.engine import BLOCK_BYTES
from fleetrig.reference_server.fronts.tls.failure import TlsFailure, openssl_failure
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate

ASKED_FOR: Final = "fleetrig_server_name"
"""The attribute of a TLS connection that keeps its server name: on the server side the library has none."""
VERIFY_MODES: Final = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.OPTIONAL: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}


def stdlib_context(certificate: ServerCertificate, client_auth: ClientAuth, alpn: Sequence[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # each connection shows its certificates anew
    context.verify_mode = VERIFY_MODES[client_auth]
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # whom a user trusts may be an intermediate authority
    context.sni_callback = _note_server_name
    if alpn:
        context.set_alpn_protocols(alpn)
    certificate.load_into(context)
    return context


def _note_server_name(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    setattr(connection, ASKED_FOR, name or "")


class StdlibEngine:
    """A `TlsEngine`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    @property
    def server_name(self) -> str:
        return str(getattr(self._tls, ASKED_FOR, ""))

    def feed(self, ciphertext: bytes) -> None:
        self._incoming.write(ciphertext)

    def shake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise _failure(error) from error
        return True

    def certificates(self) -> tuple[bytes, ...]:
        own = self._tls.getpeercert(binary_form=True)
        if own is None:
            return ()
        # The library has a public method for this only from Python 3.13 on. A resumed session has no chain.
        chain = self._tls._sslobj.get_unverified_chain() or ()  # type: ignore[attr-defined] # noqa: SLF001
        return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain) or (own,)

    def read(self) -> bytes | None:
        try:
            return self._tls.read(BLOCK_BYTES)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            raise _failure(error) from error

    def write(self, data: memoryview) -> int:
        block, written = data[:BLOCK_BYTES], 0
        try:
            while written < len(block):
                written += self._tls.write(block[written:])  # one record at a time
            return written
        except ssl.SSLError as error:
            raise _failure(error) from error

    def end(self) -> None:
        with suppress(ssl.SSLError):
            self._tls.unwrap()

    def outgoing(self) -> bytes:
        return self._outgoing.read()


def _failure(error: ssl.SSLError) -> TlsFailure:
    return openssl_failure(error.reason or "", getattr(error, "verify_message", ""))
