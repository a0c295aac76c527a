"""What OpenSSL asks of the certificates of a chain, one by one, whatever the time. The sentences are its own.

Read out of its `crypto/x509/{x509_vfy,v3_purp}.c` and `crypto/x509/x509_txt.c`, at security level 2, which is the
default from OpenSSL 3.2 on, and that of Debian and Ubuntu before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

NO_AUTHORITY: Final = "invalid CA certificate"
TOO_DEEP: Final = "path length constraint exceeded"
NOT_FOR_CLIENTS: Final = "unsuitable certificate purpose"
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
    reason = "" if is_for_clients(own) else NOT_FOR_CLIENTS
    for below, authority in enumerate(authorities):
        reason = (NO_AUTHORITY if not may_issue(authority) else _too_deep(authority, path[1 : below + 1])) or reason
    return _weakness(path) or reason


def may_issue(certificate: x509.Certificate) -> bool:
    """`check_ca`: what says nothing of it is an authority only as a root of version 1."""
    extensions = certificate.extensions
    try:
        if not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.issuer == certificate.subject


def is_for_clients(certificate: x509.Certificate) -> bool:
    """`check_purpose_ssl_client`: both usages allow it, where they say anything."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        if not (usage.digital_signature or usage.key_agreement):
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.isdisjoint(usages)


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
