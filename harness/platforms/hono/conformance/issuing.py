"""Authorities and certificates that rows make (docs/contracts/hono.md §2)."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.profile import FOR_CLIENTS, Validity, leaf_profile
from fleetrig.simulator.contract.identity import ClientCertificate

ATTRIBUTES: Final = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
D1: Final = (("O", "ACME"), ("OU", "iot"), ("CN", "device-1"))
"""The subject of the device that most rows know, in the order of its encoding."""
D1_AUTH_ID: Final = "CN=device-1,OU=iot,O=ACME"
D2: Final = (*D1[:2], ("CN", "device-2"))

Subject = Sequence[tuple[str, str]]


def name_of(subject: Subject) -> x509.Name:
    """Its parts in the order in which they are given."""
    return x509.Name([x509.NameAttribute(ATTRIBUTES[keyword], value) for keyword, value in subject])


class Authority:
    """One that tenants trust: `O=ACME, OU=iot, CN=…`, EC P-256."""

    def __init__(self, common_name: str, below: Authority | None = None) -> None:
        subject = name_of((*D1[:2], ("CN", common_name)))
        self.ca: CertificateAuthority = (
            CertificateAuthority(subject, now_us()) if below is None else below.ca.authority_below(subject)
        )
        self.subject_dn = f"CN={common_name},OU=iot,O=ACME"
        """As Java writes it (§0)."""

    @property
    def base64_der(self) -> str:
        return base64.b64encode(self.ca.certificate.public_bytes(Encoding.DER)).decode()

    @property
    def public_key(self) -> str:
        """Base64 of the SubjectPublicKeyInfo."""
        key = self.ca.certificate.public_key()
        return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    def trusted(self, *, provisions: bool = True, **more: Any) -> dict[str, Any]:
        """An entry of a tenant's `trusted-ca`; further members are written `auth_id_template`."""
        members = {name.replace("_", "-"): value for name, value in more.items()}
        return {"cert": self.base64_der, "auto-provisioning-enabled": provisions, **members}

    def trusted_by_key(self, begin: str = "2020-01-01T00:00:00Z", end: str = "2040-01-01T00:00:00Z") -> dict[str, Any]:
        """The same by name, key and validity."""
        named = {"subject-dn": self.subject_dn, "public-key": self.public_key, "algorithm": "EC"}
        return {**named, "not-before": begin, "not-after": end, "auto-provisioning-enabled": True}

    def device(self, subject: Subject = D1, validity: Validity | None = None) -> ClientCertificate:
        """A device's certificate, alone, with a new key."""
        issued = self.ca.issue_client(name_of(subject), validity=validity)
        return ClientCertificate(issued.chain[:1], issued.key_pem)

    def renamed(self, certificate: ClientCertificate, subject: Subject) -> ClientCertificate:
        """The same key under another name."""
        key = x509.load_der_x509_certificate(certificate.chain[0]).public_key()
        profile = leaf_profile(name_of(subject), Validity.days(now_us(), 30), FOR_CLIENTS)
        issued = self.ca.issue(profile, key, "renamed").public_bytes(Encoding.DER)
        return ClientCertificate((issued,), certificate.key_pem)

    def followed_by_itself(self, certificate: ClientCertificate) -> ClientCertificate:
        """A certificate that it issued, and then its own."""
        own = self.ca.certificate.public_bytes(Encoding.DER)
        return ClientCertificate((*certificate.chain, own), certificate.key_pem)


def now_us() -> int:
    return time.time_ns() // 1000


def base64_of(certificate: ClientCertificate) -> str:
    return base64.b64encode(certificate.chain[0]).decode()


def expired() -> Validity:
    return Validity.expired(now_us())


def not_yet_valid() -> Validity:
    return Validity.later(now_us())
