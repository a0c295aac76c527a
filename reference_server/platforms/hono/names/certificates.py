"""Certificates and public keys as Java reads them, each mistake named."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from fleetrig.reference_server.platforms.hono.names.der import first_element

PEM: Final = b"-----BEGIN"
SEQUENCE_TAG: Final = b"\x30"
KINDS: Final[dict[str, tuple[type, ...]]] = {
    "RSA": (rsa.RSAPublicKey,),
    "EC": (ec.EllipticCurvePublicKey,),
    "DSA": (dsa.DSAPublicKey,),
    "EDDSA": (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey),
    "ED25519": (ed25519.Ed25519PublicKey,),
    "ED448": (ed448.Ed448PublicKey,),
}
"""Java's names of algorithms, in upper case; the platform documents the first two."""


class NoCertificate(ValueError):
    """What is given as a certificate is none."""


class NoKey(ValueError):
    """What is given as a public key is none, or one of another algorithm."""


def certificate_of(raw: bytes) -> x509.Certificate:
    """DER, what stands behind it looked over, or PEM: as Java's CertificateFactory. Raises NoCertificate."""
    try:
        if raw[:1] != SEQUENCE_TAG and PEM in raw:
            return x509.load_pem_x509_certificate(raw)
        return x509.load_der_x509_certificate(first_element(raw))
    except (ValueError, UnsupportedAlgorithm):
        raise NoCertificate(_why_no_certificate(raw)) from None


def key_of(der: bytes, algorithm: str) -> PublicKeyTypes:
    """A SubjectPublicKeyInfo. Raises NoKey."""
    kinds = KINDS.get(algorithm.upper())
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        what = "a certificate: give it as cert" if _is_certificate(der) else "none"
        raise NoKey(f"expected Base64 of a public key in DER (SubjectPublicKeyInfo), got {what}") from None
    if kinds is None:
        raise NoKey(f"there is no algorithm {algorithm[:40]!r}; there is RSA and EC")
    if not isinstance(key, kinds):
        have = next((name for name, kinds in KINDS.items() if isinstance(key, kinds)), "of another kind")
        raise NoKey(f"the key is {have}, the algorithm says {algorithm} (RSA when it is left out)")
    return key


def _why_no_certificate(raw: bytes) -> str:
    expected = "expected Base64 of a certificate in DER"
    try:
        load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        pass
    else:
        return f"{expected}, got a bare public key: give it as public-key, with subject-dn, not-before and not-after"
    try:
        load_der_private_key(raw, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return f"{expected}, got {len(raw)} bytes that are none"
    return f"{expected}, got a private key: that stays with the authority"


def _is_certificate(der: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(der)
    except ValueError:
        return False
    return True
