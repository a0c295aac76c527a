"""Certificates as a peer has sent them: read, compared and verified one by the next, as Java does it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from fleetrig.simulator.certificates.names import common_name_in
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def text_of(der: bytes) -> str:
    """A certificate as credentials keep it: PEM without armour and line ends."""
    return base64.b64encode(der).decode("ascii")


def readable(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE_BY_LIBRARY:
        return None


def common_name_of(der: bytes) -> str:
    """Empty when it has none, or cannot be read."""
    certificate = readable(der)
    if certificate is None:
        return ""
    try:
        return common_name_in(certificate.subject)
    except UNREADABLE_BY_LIBRARY:
        return ""


def refused_by_dates(certificate: x509.Certificate, now_us: int) -> str:
    """Why it does not count now; empty when it does (S108)."""
    now = EPOCH + timedelta(microseconds=now_us)
    try:
        if now < certificate.not_valid_before_utc:
            return f"the certificate counts from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} on"
        if now > certificate.not_valid_after_utc:
            return f"the certificate has expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S}"
    except ValueError:
        return "the dates of the certificate cannot be read"
    return ""


def chain_flaw(chain: Sequence[bytes]) -> str:
    """Why it is no chain: each certificate is signed by the next. Names and dates are not looked at (spec 2.4)."""
    certificates = [readable(der) for der in chain]
    for number, (issued, issuer) in enumerate(pairwise(certificates), 1):
        if issued is None or issuer is None or not _is_signed_by(issued, issuer):
            return f"certificate {number} of the chain is not signed by the next one"
    return ""


def _is_signed_by(issued: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        _verify(issued, issuer)
    except (*UNREADABLE_BY_LIBRARY, InvalidSignature):
        return False
    return True


def _verify(issued: x509.Certificate, issuer: x509.Certificate) -> None:
    """Raises InvalidSignature, or what the library raises for what it cannot read."""
    key, signature, content = issuer.public_key(), issued.signature, issued.tbs_certificate_bytes
    parameters, hash_algorithm = issued.signature_algorithm_parameters, issued.signature_hash_algorithm
    match key, parameters:
        case rsa.RSAPublicKey(), padding.PKCS1v15() | padding.PSS() if hash_algorithm is not None:
            key.verify(signature, content, parameters, hash_algorithm)
        case ec.EllipticCurvePublicKey(), ec.ECDSA():
            key.verify(signature, content, parameters)
        case (ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey(), _):
            key.verify(signature, content)
        case _:
            raise UnsupportedAlgorithm("the key of the next certificate makes no such signatures")
