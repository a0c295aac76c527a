"""What a TLS or DTLS handshake may come to, without saying which library performs it."""

from __future__ import annotations

from enum import StrEnum


class TlsAlert(StrEnum):
    """Why a server ends a handshake, as the peer hears it (RFC 8446 §6.2; the names are its own)."""

    BAD_CERTIFICATE = "bad_certificate"
    UNSUPPORTED_CERTIFICATE = "unsupported_certificate"
    CERTIFICATE_REVOKED = "certificate_revoked"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    UNKNOWN_CA = "unknown_ca"
    HANDSHAKE_FAILURE = "handshake_failure"
    SILENCE = "silence"
    """No alert at all: TLS closes the connection, DTLS lets the peer wait."""


class ShownCertificate(StrEnum):
    """Which certificate a server shows; everything but OWN is a fault."""

    OWN = "own"
    EXPIRED = "expired"
    """It is out of date."""
    NOT_YET_VALID = "not_yet_valid"
    """Its time has not come yet."""
    WRONG_NAME = "wrong_name"
    """It is for another host."""
    STRANGER = "stranger"
    """Of an authority that nobody trusts."""
    LONG_CHAIN = "long_chain"
    """Good, with so many intermediate authorities that small devices run out of memory (16 KiB and more)."""
