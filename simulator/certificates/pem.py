"""Certificates and keys as PEM files hold them, often both in one file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from fleetrig.simulator.certificates.names import common_name_in
from fleetrig.simulator.contract.identity import ClientCertificate

UNREADABLE_BY_LIBRARY: Final = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip
"""What the library raises for certificates that it cannot read, and for extensions, which it reads when asked for."""

CRL: Final = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


def certificates_in(pem: bytes) -> list[x509.Certificate]:
    """At least one. Raises ValueError."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise ValueError("it holds no PEM certificate (-----BEGIN CERTIFICATE-----)") from None


def key_in(pem: bytes) -> PrivateKeyTypes:
    """The private key. Raises ValueError."""
    try:
        return serialization.load_pem_private_key(key_pem_in(pem), password=None)
    except TypeError:
        raise ValueError("its key is protected by a password: give one without") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it holds no PEM private key (-----BEGIN PRIVATE KEY-----)") from None


def key_pem_in(pem: bytes) -> bytes:
    """The part of a file that is the private key; empty without one."""
    mark = pem.find(b"PRIVATE KEY-----")
    start = pem.rfind(b"-----BEGIN", 0, mark) if mark >= 0 else -1
    end = pem.find(b"-----END", mark)
    end = pem.find(b"-----", end + len(b"-----END"))
    return pem[start : end + len(b"-----")] + b"\n" if start >= 0 and end >= 0 else b""


def client_certificate_in(pem: bytes) -> ClientCertificate:
    """A device's certificate with its key and the authorities between it and the root. Raises ValueError."""
    chain, key = certificates_in(pem), key_in(pem)
    own = next((one for one in chain if one.public_key() == key.public_key()), None)
    if own is None:
        raise ValueError("the key does not belong to the certificate")
    ders = tuple(one.public_bytes(serialization.Encoding.DER) for one in in_order(own, chain))
    return ClientCertificate(ders, key_pem_in(pem))


def common_name_of(certificate: ClientCertificate) -> str:
    """The name that a device's certificate gives it; empty when it has none."""
    return common_name_in(x509.load_der_x509_certificate(certificate.chain[0]).subject)


def in_order(own: x509.Certificate, others: Iterable[x509.Certificate]) -> list[x509.Certificate]:
    """A certificate, then who issued it, and so on upwards; what is no part of that follows in the order given."""
    path, left = [own], [one for one in dict.fromkeys(others) if one != own]
    while issuer := next((one for one in left if is_issuer(one, path[-1])), None):
        left.remove(issuer)
        path.append(issuer)
    return [*path, *left]


def is_issuer(issuer: x509.Certificate, issued: x509.Certificate) -> bool:
    """Whether this one signed that one, by name and signature."""
    if issuer.subject != issued.issuer:
        return False
    try:
        issued.verify_directly_issued_by(issuer)
    except (*UNREADABLE_BY_LIBRARY, InvalidSignature):
        return False
    return True


def crls_in(pem: bytes) -> list[x509.CertificateRevocationList]:
    """The lists of revoked certificates in a PEM file, at least one. Raises ValueError."""
    try:
        found = [x509.load_pem_x509_crl(one) for one in CRL.findall(pem)]
        for one in found:
            one.extensions  # noqa: B018  what cannot be read is found now
    except UNREADABLE_BY_LIBRARY:
        found = []
    if not found:
        raise ValueError("it holds no PEM list of revoked certificates (-----BEGIN X509 CRL-----)")
    return found
