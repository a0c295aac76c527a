"""Judges the certificates of clients inside the handshake, so that a refusal reaches the peer as the alert it should.

For TLS and DTLS. OpenSSL has the certificates verified while it reads the peer's Certificate message, as Java's trust
managers do: before the peer has proved that it holds the key. It makes an alert of the error that its verification ends
with. pyOpenSSL tells a callback neither the chain as it was sent nor lets it set that error, so the callbacks here are
OpenSSL's own.
"""

from __future__ import annotations

from typing import Any, Final

from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from fleetrig.reference_server.fronts.tls.judgement import CertificateJudgement, Certificates
from fleetrig.simulator.contract.handshake import TlsAlert

ERRORS: Final = {
    TlsAlert.BAD_CERTIFICATE: lib.X509_V_ERR_CERT_REJECTED,
    TlsAlert.UNSUPPORTED_CERTIFICATE: lib.X509_V_ERR_INVALID_PURPOSE,
    TlsAlert.CERTIFICATE_REVOKED: lib.X509_V_ERR_CERT_REVOKED,
    TlsAlert.CERTIFICATE_EXPIRED: lib.X509_V_ERR_CERT_HAS_EXPIRED,
    TlsAlert.CERTIFICATE_UNKNOWN: lib.X509_V_ERR_SUBJECT_ISSUER_MISMATCH,  # any that OpenSSL has no other alert for
    TlsAlert.UNKNOWN_CA: lib.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
    TlsAlert.HANDSHAKE_FAILURE: lib.X509_V_ERR_APPLICATION_VERIFICATION,
    TlsAlert.SILENCE: lib.X509_V_ERR_APPLICATION_VERIFICATION,
}
"""The error of a verification that OpenSSL turns into the alert (`ssl_x509err2alert`). SILENCE is the transport's: it
throws the alert away."""
INTERNAL_ERROR: Final = lib.X509_V_ERR_OUT_OF_MEM

HANDSHAKE_RECORD: Final = 22
CERTIFICATE_MESSAGE: Final = 11
DTLS_MAJOR: Final = 0xFE
TLS_1_3: Final = 0x0304


def judge_certificates(context: SSL.Context) -> None:
    """Has the judgement asked that is the app data of each `SSL.Connection`, if its peer shows certificates."""
    lib.SSL_CTX_set_verify(context._context, SSL.VERIFY_PEER, _VERIFY)  # noqa: SLF001
    lib.SSL_CTX_set_msg_callback(context._context, _NOTE_MESSAGE)  # noqa: SLF001


def _error(judgement: CertificateJudgement) -> int:
    judgement.make()
    if judgement.bug is not None:
        return int(INTERNAL_ERROR)
    return int(lib.X509_V_OK if judgement.alert is None else ERRORS[judgement.alert])


def _judgement(ssl: Any) -> CertificateJudgement | None:
    connection = SSL.Connection._reverse_mapping.get(ssl)  # noqa: SLF001
    found = None if connection is None else connection.get_app_data()
    return found if isinstance(found, CertificateJudgement) else None


@ffi.callback("int (*)(int, X509_STORE_CTX *)", error=0)  # type: ignore[untyped-decorator]
def _VERIFY(_: int, store: Any) -> int:  # noqa: N802
    """Called for each certificate and each flaw that OpenSSL finds; flaws are for the judge alone to see."""
    ssl = lib.X509_STORE_CTX_get_ex_data(store, lib.SSL_get_ex_data_X509_STORE_CTX_idx())
    judgement = _judgement(ssl)
    error = INTERNAL_ERROR if judgement is None else _error(judgement)
    lib.X509_STORE_CTX_set_error(store, error)
    return int(error == lib.X509_V_OK)


@ffi.callback("void (*)(int, int, int, const void *, size_t, SSL *, void *)")  # type: ignore[untyped-decorator]
def _NOTE_MESSAGE(sent: int, version: int, kind: int, data: Any, length: int, ssl: Any, _: Any) -> None:  # noqa: N802
    """Called for each message and record; the peer's certificates are those of its Certificate message."""
    if sent or kind != HANDSHAKE_RECORD or not length or ffi.cast("unsigned char *", data)[0] != CERTIFICATE_MESSAGE:
        return
    judgement = _judgement(ssl)
    if judgement is not None:
        judgement.certificates = certificates_of(bytes(ffi.buffer(data, length)), version)


def certificates_of(message: bytes, version: int) -> Certificates:
    """The certificates of a Certificate message (RFC 5246 §7.4.2, RFC 8446 §4.4.2), as far as they are whole.

    `version` is that of the protocol as it stands on the wire. DTLS has a longer head (RFC 6347 §4.2.2)."""
    at = 12 if version >> 8 == DTLS_MAJOR else 4
    is_tls_1_3 = version == TLS_1_3
    if is_tls_1_3:
        at += 1 + message[at] if at < len(message) else 0
    at += 3  # the length of the list
    found = []
    while at + 3 <= len(message):
        length = int.from_bytes(message[at : at + 3], "big")
        found.append(message[at + 3 : at + 3 + length])
        at += 3 + length
        if is_tls_1_3:  # extensions of the certificate
            at += 2 + int.from_bytes(message[at : at + 2], "big")
    return tuple(found)
