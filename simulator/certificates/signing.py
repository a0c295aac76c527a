"""The one place where certificates and lists of revoked ones are signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.simulator.certificates.keys import SigningKey
from fleetrig.simulator.certificates.profile import CertificateProfile, Validity, date_of

REASONS: Final = {flag.value: flag for flag in x509.ReasonFlags if flag is not x509.ReasonFlags.remove_from_crl}
"""Why a certificate is revoked, by the names of RFC 5280, 5.3.1: `keyCompromise`, `superseded` …"""


@dataclass(frozen=True, slots=True)
class Revocation:
    """One certificate that no longer counts, since `at_us`."""

    serial_number: int
    at_us: int
    reason: str = "unspecified"
    """One of `REASONS`."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs. `is_repeatable`: the same gives the same bytes, also with a key of an elliptic curve."""

    name: x509.Name
    key: SigningKey = field(repr=False)
    identifier: x509.AuthorityKeyIdentifier
    is_repeatable: bool = False

    @classmethod
    def of(cls, certificate: x509.Certificate, key: SigningKey, *, is_repeatable: bool = False) -> Signer:
        """An authority, also of others: its certificate says how it identifies its key."""
        try:
            own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
        except x509.ExtensionNotFound:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        return cls(certificate.subject, key, identifier, is_repeatable)

    def sign(
        self, profile: CertificateProfile, public_key: CertificatePublicKeyTypes, serial_number: int
    ) -> x509.Certificate:
        """Raises ValueError for a profile that no certificate can hold."""
        own = x509.SubjectKeyIdentifier.from_public_key(public_key)
        identifiers = (x509.Extension(own.oid, False, own), x509.Extension(self.identifier.oid, False, self.identifier))
        dates = profile.validity
        # All at once: method by method the builder copies itself, which takes longer than the signature.
        builder = x509.CertificateBuilder(
            self.name, profile.subject, public_key, serial_number, dates.begin, dates.end,
            [*identifiers, *profile.extensions],
        )  # fmt: skip
        certificate: x509.Certificate = self._signed(builder)
        return certificate

    def revocation_list(self, revocations: Iterable[Revocation], number: int, validity: Validity) -> bytes:
        """A list of revoked certificates (CRL) in PEM; the next one has a higher number (RFC 5280, 5.2.3)."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(validity.begin)
            .next_update(validity.end)
            .add_extension(self.identifier, critical=False)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for one in revocations:
            builder = builder.add_revoked_certificate(_entry(one))
        signed: x509.CertificateRevocationList = self._signed(builder)
        return signed.public_bytes(Encoding.PEM)

    def _signed(self, builder: Any) -> Any:
        if isinstance(self.key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return builder.sign(self.key, None)
        if self.is_repeatable and isinstance(self.key, ec.EllipticCurvePrivateKey):
            try:
                return builder.sign(self.key, hashes.SHA256(), ecdsa_deterministic=True)
            except UnsupportedAlgorithm:  # OpenSSL before 3.2: all but the signature is the same each time
                pass
        return builder.sign(self.key, hashes.SHA256())


def _entry(one: Revocation) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder(one.serial_number, date_of(one.at_us))
    if one.reason != x509.ReasonFlags.unspecified.value:
        builder = builder.add_extension(x509.CRLReason(REASONS[one.reason]), critical=False)
    return builder.build()
