"""TLS by pyOpenSSL: clients may show any certificate, and the platform judges it in the handshake.

The standard library cannot do that: it ends the handshake of whom it cannot verify.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from OpenSSL import SSL

from fleetrig.reference_server.fronts.tls.alerts import judge_certificates
from fleetrig.reference_server.fronts.tls.engine import BLOCK_BYTES
from fleetrig.reference_server.fronts.tls.failure import TlsFailure, openssl_failure
from fleetrig.reference_server.fronts.tls.judgement import CertificateJudgement
from fleetrig.reference_server.fronts.tls.server_certificate import ServerCertificate
from fleetrig.simulator.certificates.pem import certificates_in, key_in


def judging_context(certificate: ServerCertificate, alpn: Sequence[str]) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # who resumes a session shows no certificate
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    own, *others = certificates_in(certificate.chain_pem)
    context.use_certificate(own)
    for one in others:
        context.add_extra_chain_cert(one)
    context.use_privatekey(key_in(certificate.key_pem))  # type: ignore[arg-type]
    judge_certificates(context)
    if alpn:
        context.set_alpn_select_callback(_choice([name.encode() for name in alpn]))
    return context


def _choice(spoken: Sequence[bytes]) -> Any:
    def choose(_: SSL.Connection, offered: list[bytes]) -> Any:
        return next((name for name in spoken if name in offered), SSL.NO_OVERLAPPING_PROTOCOLS)

    return choose


class JudgingEngine:
    """A `TlsEngine`. A refusal of the judge is a TlsFailure like any other; the `judgement` tells them apart."""

    def __init__(self, context: SSL.Context, judgement: CertificateJudgement) -> None:
        self._judgement = judgement
        self._tls = SSL.Connection(context, None)
        self._tls.set_app_data(judgement)
        self._tls.set_accept_state()
        self._tickets = b""
        """Of TLS 1.3: nobody can use them here, and the library cannot leave them out. They go with what is said next,
        which saves a packet in each handshake."""

    @property
    def server_name(self) -> str:
        return (self._tls.get_servername() or b"").decode("ascii", "replace")

    def feed(self, ciphertext: bytes) -> None:
        if ciphertext:  # the library raises for an empty piece, such as a datagram may be
            self._tls.bio_write(ciphertext)

    def shake(self) -> bool:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise _failure(error) from error
        if self._tls.get_protocol_version_name() == "TLSv1.3":
            self._tickets = self._drained()
        return True

    def certificates(self) -> tuple[bytes, ...]:
        return self._judgement.certificates

    def read(self) -> bytes | None:
        try:
            return self._tls.recv(BLOCK_BYTES)
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            return b""
        except SSL.SysCallError:  # there are no system calls here: a goodbye after a warning is not told as one
            return b"" if self._tls.get_shutdown() & SSL.RECEIVED_SHUTDOWN else None
        except SSL.Error as error:
            raise _failure(error) from error

    def write(self, data: memoryview) -> int:
        try:
            return self._tls.send(data[:BLOCK_BYTES])
        except SSL.Error as error:
            raise _failure(error) from error

    def end(self) -> None:
        with suppress(SSL.Error):
            self._tls.shutdown()

    def outgoing(self) -> bytes:
        said = self._drained()
        if said:
            said, self._tickets = self._tickets + said, b""
        return said

    def _drained(self) -> bytes:
        pieces = []
        with suppress(SSL.WantReadError):
            while True:
                pieces.append(self._tls.bio_read(BLOCK_BYTES))
        return b"".join(pieces)


def _failure(error: SSL.Error) -> TlsFailure:
    found = error.args[0] if error.args else ()
    return openssl_failure(found[0][-1] if found and isinstance(found, list) else "")
