"""What stands in a certificate, as data; `signing.py` makes one of it.

A profile is data: for a faulty certificate, say one of an authority without keyUsage, take a good profile and leave an
extension out (`without`). Authorities made here carry basicConstraints, keyUsage and a key identifier, since strict
verifiers want them (libraries.md "TLS with client certificates").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from fleetrig.simulator.contract.clock import US_PER_S

DAY_US: Final = 86_400 * US_PER_S
HOUR_US: Final = 3_600 * US_PER_S
EARLIER_US: Final = DAY_US
"""Certificates count from yesterday, so that a device with a slow clock can use them."""
FIRST: Final = datetime(1950, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

FOR_CLIENTS: Final = ExtendedKeyUsageOID.CLIENT_AUTH
FOR_SERVERS: Final = ExtendedKeyUsageOID.SERVER_AUTH
IDENTIFIERS: Final = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)

Extensions = tuple[x509.Extension[x509.ExtensionType], ...]


@dataclass(frozen=True, slots=True)
class Validity:
    """When a certificate counts: from `begin` to `end`, whole seconds. Raises ValueError for what no date can say."""

    begin: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not FIRST <= self.begin <= self.end <= LAST:
            raise ValueError("a certificate counts from some time on until a later one, between 1950 and 9999")

    @classmethod
    def from_us(cls, begin_us: int, end_us: int) -> Validity:
        return cls(date_of(begin_us), date_of(end_us))

    @classmethod
    def days(cls, now_us: int, days: float, *, earlier_us: int = EARLIER_US) -> Validity:
        """For so many days from now; it counts a little earlier."""
        return cls.from_us(now_us - earlier_us, now_us + round(days * DAY_US))

    @classmethod
    def expired(cls, now_us: int) -> Validity:
        """It was good until an hour before now."""
        return cls.from_us(now_us - DAY_US, now_us - HOUR_US)

    @classmethod
    def later(cls, now_us: int, days: float = 365) -> Validity:
        """It is not yet valid: it counts from tomorrow on."""
        return cls.from_us(now_us + DAY_US, now_us + DAY_US + round(days * DAY_US))


@dataclass(frozen=True, slots=True)
class CertificateProfile:
    """All of a certificate but key, issuer and serial number; key identifiers are added when it is signed."""

    subject: x509.Name
    validity: Validity
    extensions: Extensions

    def without(self, *kinds: type[x509.ExtensionType]) -> CertificateProfile:
        """The same without these extensions."""
        return replace(self, extensions=tuple(one for one in self.extensions if not isinstance(one.value, kinds)))

    def with_validity(self, validity: Validity) -> CertificateProfile:
        return replace(self, validity=validity)


def profile_of(certificate: x509.Certificate) -> CertificateProfile:
    """What a certificate says, to be said again: of a renewal, and of one that another authority signs too."""
    validity = Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return CertificateProfile(certificate.subject, validity, tuple(certificate.extensions)).without(*IDENTIFIERS)


def date_of(time_us: int) -> datetime:
    """Microseconds of a clock as a date of whole seconds. Raises ValueError beyond what dates can say."""
    try:
        return EPOCH + timedelta(seconds=time_us // US_PER_S)
    except OverflowError:
        raise ValueError("a certificate's dates lie between 1950 and 9999") from None


def authority_profile(subject: x509.Name, validity: Validity, path_length: int | None = None) -> CertificateProfile:
    """An authority; `path_length`: how many other authorities may come below it, None for any number."""
    constraints = extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return CertificateProfile(subject, validity, (constraints, _CA_USAGE))


def leaf_profile(
    subject: x509.Name,
    validity: Validity,
    usage: x509.ObjectIdentifier,
    alternatives: Sequence[x509.GeneralName] = (),
) -> CertificateProfile:
    """A device (`FOR_CLIENTS`) or a server (`FOR_SERVERS`), with alternative names (`names.alternative`)."""
    names = (extension(x509.SubjectAlternativeName(alternatives)),) if alternatives else ()
    usages = extension(x509.ExtendedKeyUsage([usage]))
    return CertificateProfile(subject, validity, (_NO_AUTHORITY, _LEAF_USAGE, usages, *names))


def extension(value: x509.ExtensionType, *, critical: bool = False) -> x509.Extension[x509.ExtensionType]:
    """As a profile has it."""
    return x509.Extension(value.oid, critical, value)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


_CA_USAGE: Final = extension(_usage(ca=True), critical=True)
_LEAF_USAGE: Final = extension(_usage(ca=False), critical=True)
_NO_AUTHORITY: Final = extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
