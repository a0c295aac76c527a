"""Files that should hold certificates, and what stands in them instead: people paste keys, requests, Base64."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from fleetrig.reference_server.platforms.hono.names.java_names import rfc2253_of
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY

PUBLIC_KEY: Final = "a public key"
PRIVATE_KEY: Final = "a private key"
REQUEST: Final = "a certificate request (CSR)"
LOADERS: Final[tuple[tuple[str, tuple[Callable[[bytes], Any], ...]], ...]] = (
    (PUBLIC_KEY, (load_pem_public_key, load_der_public_key)),
    (
        PRIVATE_KEY,
        (lambda data: load_pem_private_key(data, None), lambda data: load_der_private_key(data, None)),
    ),
    (REQUEST, (x509.load_pem_x509_csr, x509.load_der_x509_csr)),
)


def certificates_of(content: bytes) -> tuple[x509.Certificate, ...]:
    """PEM, DER, or the Base64 of DER that a registry takes; in the order of the file. Empty for what holds none."""
    for data in (content, _from_base64(content)):
        for load in (x509.load_pem_x509_certificates, lambda der: [x509.load_der_x509_certificate(der)]):
            try:
                return tuple(filter(_has_names, load(data)))
            except UNREADABLE_BY_LIBRARY:
                continue
    return ()


def _has_names(certificate: x509.Certificate) -> bool:
    """Raises what the library raises for what it cannot read."""
    rfc2253_of(certificate.subject)
    rfc2253_of(certificate.issuer)
    return True


def what_it_is(content: bytes) -> str:
    """`a public key`, `a private key` …: what is no certificate; `nothing that is known` for all else."""
    for data in (content, _from_base64(content)):
        for called, loaders in LOADERS:
            if any(_loads(load, data) for load in loaders):
                return called
    return "nothing that is known"


def _loads(load: Callable[[bytes], Any], data: bytes) -> bool:
    try:
        load(data)
    except UNREADABLE_BY_LIBRARY:
        return False
    return True


def _from_base64(content: bytes) -> bytes:
    """Empty for what is no Base64."""
    try:
        return b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
