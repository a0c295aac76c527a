"""What OpenSSL asks of the certificates of a chain, one by one, whatever the time. The sentences are its own.

Read out of its `crypto/x509/{x509_vfy,v3_purp}.c` and `crypto/x509/x509_txt.c`, at security level 2, which is the
default from OpenSSL 3.2 on, and that of Debian and Ubuntu before.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

NO_AUTHORITY: Final = "invalid CA certificate"
TOO_DEEP: Final = "path length constraint exceeded"
NOT_FOR_CLIENTS: Final = "unsuitable certificate purpose"
NO_SIGNER: Final = "key usage does not include certificate signing"
WEAK_KEY: Final = "EE certificate key too weak"
WEAK_AUTHORITY: Final = "CA certificate key too weak"
WEAK_DIGEST: Final = "CA signature digest algorithm too weak"

LEAST_RSA_BITS: Final = 2048
LEAST_CURVE_BITS: Final = 224
WEAK_DIGESTS: Final = ("md5", "sha1")


def broken_rule(path: Sequence[x509.Certificate]) -> str:
    """Which one a chain breaks, the client's own certificate first; empty when it breaks none.

    Where it breaks several, it is the one that is looked at last, since nginx tells the last one. Raises what the
    library raises for extensions that cannot be read.
    """
    own, *authorities = path
    reason = "" if _signs(own) and _is_for_clients(own) else NOT_FOR_CLIENTS
    for below, authority in enumerate(authorities):
        is_last = below == len(authorities) - 1
        broken = _broken_by(authority, is_last=is_last) or _too_deep(authority, path[1 : below + 1])
        reason = broken or reason
    reason = _weakness(path) or reason
    return reason if all(map(_may_sign_certificates, authorities)) else NO_SIGNER


def _broken_by(authority: x509.Certificate, *, is_last: bool) -> str:
    """`check_extensions` for all but the first certificate of a chain."""
    kind = _authority_kind(authority)
    if kind is _AuthorityKind.NONE or not _is_for_clients(authority):
        return NOT_FOR_CLIENTS
    return "" if kind is _AuthorityKind.DECLARED or is_last else NO_AUTHORITY


class _AuthorityKind(Enum):
    """What `check_ca` says: the last of a chain may be an authority without saying so."""

    NONE = 0
    DECLARED = 1
    IMPLIED = 3


def _authority_kind(certificate: x509.Certificate) -> _AuthorityKind:
    if not _may_sign_certificates(certificate):
        return _AuthorityKind.NONE
    extensions = certificate.extensions
    try:
        declared = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        return _AuthorityKind.DECLARED if declared else _AuthorityKind.NONE
    except x509.ExtensionNotFound:
        is_old_root = certificate.version is x509.Version.v1 and certificate.issuer == certificate.subject
        has_usage = any(isinstance(one.value, x509.KeyUsage) for one in extensions)
        return _AuthorityKind.IMPLIED if is_old_root or has_usage else _AuthorityKind.NONE


def _may_sign_certificates(certificate: x509.Certificate) -> bool:
    """What says nothing of its usage may."""
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _signs(certificate: x509.Certificate) -> bool:
    """`check_purpose_ssl_client`: a client signs its handshake, or agrees on a key."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.key_agreement


def _is_for_clients(certificate: x509.Certificate) -> bool:
    """`check_purpose_ssl_client`: asked of authorities too. anyExtendedKeyUsage is not enough for OpenSSL."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _too_deep(authority: x509.Certificate, between: Sequence[x509.Certificate]) -> str:
    """`between`: the authorities below it; those that stand for themselves again are not counted."""
    try:
        most = authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    except x509.ExtensionNotFound:
        return ""
    return TOO_DEEP if most is not None and sum(one.issuer != one.subject for one in between) > most else ""


def _weakness(path: Sequence[x509.Certificate]) -> str:
    """`check_auth_level`: every key, and every signature but that of the last certificate."""
    reason = ""
    for position, certificate in enumerate(path):
        if _is_weak(certificate):
            reason = WEAK_AUTHORITY if position else WEAK_KEY
        if position < len(path) - 1 and _has_weak_digest(certificate):
            reason = WEAK_DIGEST
    return reason


def _is_weak(certificate: x509.Certificate) -> bool:
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=bits) | dsa.DSAPublicKey(key_size=bits):
            return bits < LEAST_RSA_BITS
        case ec.EllipticCurvePublicKey(key_size=bits):
            return bits < LEAST_CURVE_BITS
        case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
            return False
        case _:
            return True


def _has_weak_digest(certificate: x509.Certificate) -> bool:
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False
    return digest is not None and digest.name in WEAK_DIGESTS
