"""TLS by the standard library: clients without certificates, or with those of trusted authorities."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from fleetrig.reference_server.fronts.tls.client_auth import ClientAuth
from fleetrig.reference_server.fronts.tls.client_hello import LONGEST_BYTES, server_name_in
from fleetrig.reference_server.fronts.tls.engine import BLOCK_BYTES
from fleetrig.reference_server.fronts.tls.failure import TlsFailure, openssl_failure
from fleetrig.reference_server.fronts.tls.remembered_chains import RememberedChains
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate

VERIFY_MODES: Final = {
    ClientAuth.NONE: ssl.CERT_NONE,
    ClientAuth.OPTIONAL: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRED: ssl.CERT_REQUIRED,
}


def stdlib_context(certificate: ServerCertificate, client_auth: ClientAuth, alpn: Sequence[str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # TLS 1.3; sessions of 1.2 can be resumed, the library has no way to forbid it
    context.verify_mode = VERIFY_MODES[client_auth]
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # whom a user trusts may be an intermediate authority
    if alpn:
        context.set_alpn_protocols(alpn)
    certificate.load_into(context)
    return context


class StdlibEngine:
    """A `TlsEngine`."""

    def __init__(self, context: ssl.SSLContext, chains: RememberedChains) -> None:
        """`chains`: of all connections of this context."""
        self._chains = chains
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

        self._hello: bytes | None = b""
        """What has come so far; None when the server name is known."""
        self.server_name = ""

    def feed(self, ciphertext: bytes) -> None:
        self._incoming.write(ciphertext)
        if self._hello is not None:
            self._look_for_name(self._hello + ciphertext)

    def _look_for_name(self, hello: bytes) -> None:
        name = server_name_in(hello)
        is_over = name is not None or len(hello) > LONGEST_BYTES
        self._hello, self.server_name = None if is_over else hello, name or ""

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
        if self._tls.session_reused:
            return self._chains.of(own)
        # The library has a public method for this only from Python 3.13 on.
        chain = self._tls._sslobj.get_unverified_chain() or ()  # type: ignore[attr-defined] # noqa: SLF001
        shown = tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain) or (own,)
        if self._tls.version() == "TLSv1.2":
            self._chains.remember(shown)
        return shown

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
