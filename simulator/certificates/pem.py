"""Certificates and keys as PEM files hold them, often both in one file."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from fleetrig.simulator.contract.identity import ClientCertificate


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
    others = [one for one in chain if one != own]
    ders = tuple(one.public_bytes(serialization.Encoding.DER) for one in (own, *others))
    return ClientCertificate(ders, key_pem_in(pem))


def common_name_of(certificate: ClientCertificate) -> str:
    """The name that a device's certificate gives it; empty when it has none."""
    found = x509.load_der_x509_certificate(certificate.chain[0]).subject.get_attributes_for_oid(
        x509.NameOID.COMMON_NAME
    )
    return str(found[0].value) if found else ""
