"""Certificates of a run's devices: the authorities that its tenant trusts, and strangers."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from fleetrig.harness.run.context import RunContext
from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.certificates.names import common_name_in
from fleetrig.simulator.certificates.profile import Validity
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import ClientCertificate

ORGANIZATION: Final = "fleetrig"
UNIT: Final = "devices"
RENEWED_DAYS: Final = 30
ALGORITHM: Final = "EC"


class DeviceCertificates:
    """The authorities of one run, the newest last, and what they issue.

    No two tenants of a server may trust an authority of the same name (spec 1.1), so the names have the tenant's.
    """

    def __init__(self, context: RunContext, tenant: str) -> None:
        self._context, self._tenant = context, tenant
        self._authorities: list[CertificateAuthority] = []
        self._others: dict[str, CertificateAuthority] = {}
        self._renewals = 0
        self.add_authority()

    def add_authority(self) -> None:
        number = len(self._authorities) + 1
        self._authorities.append(self._made(self._name(f"authority {number}"), f"authority {number}"))

    @property
    def authorities(self) -> Sequence[CertificateAuthority]:
        """The newest last."""
        return self._authorities

    def first(self, kind: str, serial: str) -> ClientCertificate:
        """What the factory gives a unit of this credential. Raises UsageError for too long a serial."""
        try:
            subject = subject_of(serial)
            match kind:
                case "expired_certificate":
                    return self._authorities[0].issue_client(subject, expired=True)
                case "early_certificate":
                    validity = Validity.later(self._context.driver.now_us())
                    return self._authorities[0].issue_client(subject, validity=validity)
                case "forged_certificate":
                    return self._other("forger", self._authorities[0].subject).issue_client(subject)
                case "strangers_certificate":
                    return self._other("stranger", self._name("stranger")).issue_client(subject)
                case _:
                    return self._authorities[0].issue_client(subject)
        except ValueError as wrong:
            raise UsageError(f"no certificate for {serial}: {wrong}") from None

    def renewed(self, shown: ClientCertificate, *, same_subject: bool = True) -> ClientCertificate:
        """Another key, by the newest authority; the same subject, or one with another OU."""
        self._renewals += 1
        validity = Validity.days(self._context.driver.now_us(), RENEWED_DAYS + self._renewals)
        if same_subject:
            return self._authorities[-1].renew(shown, validity)
        serial = common_name_in(x509.load_der_x509_certificate(shown.chain[0]).subject)
        return self._authorities[-1].issue_client(subject_of(serial, f"{UNIT} {self._renewals}"), validity=validity)

    def _name(self, common_name: str) -> x509.Name:
        return distinguished(ORGANIZATION, self._tenant, common_name)

    def _other(self, purpose: str, name: x509.Name) -> CertificateAuthority:
        if purpose not in self._others:
            self._others[purpose] = self._made(name, purpose)
        return self._others[purpose]

    def _made(self, name: x509.Name, purpose: str) -> CertificateAuthority:
        halves = (self._context.new_token(f"{half} half of {purpose}") for half in ("first", "second"))
        return CertificateAuthority(name, self._context.driver.now_us(), seed="".join(halves))


def subject_of(serial: str, unit: str = UNIT) -> x509.Name:
    """`CN=serial,OU=devices,O=fleetrig`."""
    return distinguished(ORGANIZATION, unit, serial)


def distinguished(organization: str, unit: str, common_name: str) -> x509.Name:
    parts = {
        NameOID.ORGANIZATION_NAME: organization,
        NameOID.ORGANIZATIONAL_UNIT_NAME: unit,
        NameOID.COMMON_NAME: common_name,
    }
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts.items()])


def auth_id_of(shown: ClientCertificate, template: str | None) -> str:
    """Under which a registry finds the credentials of a certificate (spec 2.2, step 4).

    Java writes names of CN, OU and O as RFC 4514 does (spec 0.1).
    """
    return expanded(template or "{{subject-dn}}", x509.load_der_x509_certificate(shown.chain[0]).subject)


def expanded(template: str, subject: x509.Name) -> str:
    """A template with the values of a name (spec 0.2)."""
    values = {
        "subject-dn": subject.rfc4514_string(),
        "subject-cn": _value(subject, NameOID.COMMON_NAME),
        "subject-ou": _value(subject, NameOID.ORGANIZATIONAL_UNIT_NAME),
        "subject-o": _value(subject, NameOID.ORGANIZATION_NAME),
    }
    for name, value in values.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return template


def _value(subject: x509.Name, kind: x509.ObjectIdentifier) -> str:
    found = subject.get_attributes_for_oid(kind)
    return str(found[0].value) if found else ""


def trusted_entry(own: x509.Certificate, *, is_short: bool = False) -> dict[str, Any]:
    """An entry of `trusted-ca`. `is_short`: by its key, since a registry reads 2,048 bytes of a tenant (spec 0)."""
    if not is_short:
        return {"cert": _base64(own.public_bytes(Encoding.DER))}
    return {
        "subject-dn": own.subject.rfc4514_string(),
        "public-key": public_key_of(own),
        "algorithm": ALGORITHM,
        "not-before": written(own.not_valid_before_utc),
        "not-after": written(own.not_valid_after_utc),
    }


def public_key_of(own: x509.Certificate) -> str:
    """As the registry shows it."""
    return _base64(own.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def written(moment: datetime) -> str:
    """A moment in UTC, as the registry writes it (spec 0, "Time values")."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
