"""Certificate authorities: roots and those below them. They issue certificates for servers and for devices.

The clock is handed in, and nothing is stored: keys live as long as the object. What is wrong on purpose is made of a
profile (`issue`). Two authorities that count at the same time are two objects; with `cross_signed_by` whoever trusts
the old one trusts the new one too, until all have been told of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.simulator.certificates.keys import KeyKind, KeyMaker, SigningKey, key_pem
from fleetrig.simulator.certificates.names import LONGEST_NAME, alternative, common_name_in, named
from fleetrig.simulator.certificates.pem import certificates_in, in_order, key_in
from fleetrig.simulator.certificates.profile import (
    FOR_CLIENTS,
    FOR_SERVERS,
    CertificateProfile,
    Validity,
    authority_profile,
    leaf_profile,
    profile_of,
)
from fleetrig.simulator.certificates.signing import Revocation, Signer
from fleetrig.simulator.contract.identity import ClientCertificate

YEAR_DAYS: Final = 365
CRL_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Issued:
    """A server's certificate, authorities below the root behind it, and its private key, both PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


def read_authority(
    pem: bytes, now_us: int, valid_days: float = YEAR_DAYS, *, keys: KeyMaker | None = None
) -> CertificateAuthority:
    """An authority that others have made: its certificate, its key, and perhaps the authorities above it.

    Raises ValueError for what is none.
    """
    certificates, key = certificates_in(pem), key_in(pem)
    if not isinstance(key, SigningKey):
        raise ValueError("its key is of a kind that issues no certificates: expected EC, RSA or Ed25519")
    own = next((one for one in certificates if one.public_key() == key.public_key()), None)
    if own is None:
        raise ValueError("the key does not belong to the certificate")
    return CertificateAuthority("", now_us, valid_days, keys=keys, existing=(in_order(own, certificates), key))


class CertificateAuthority:
    """A root, or the authority that `existing` is. `valid_days`, or `validity`, is for itself and all that it issues.

    With a `seed` everything that it makes is the same each time, byte for byte: for virtual time.
    """

    def __init__(
        self,
        common_name: str | x509.Name,
        now_us: int,
        valid_days: float = YEAR_DAYS,
        seed: str | None = None,
        *,
        kind: KeyKind = KeyKind.P256,
        validity: Validity | None = None,
        keys: KeyMaker | None = None,
        existing: tuple[Sequence[x509.Certificate], SigningKey] | None = None,
    ) -> None:
        """`existing`: its path, that is its certificate and all authorities above it, and its key.

        Raises ValueError for a name that cannot be one, and for an RSA key from a seed.
        """
        self._now_us = now_us
        self.keys = keys or KeyMaker(seed)
        self._validity = validity or Validity.days(now_us, valid_days)
        self._revoked: list[Revocation] = []
        self._lists = 0
        path, key = existing or self._new_root(_as_name(common_name), kind)
        self.path = tuple(path)
        """Its certificate, who issued that, and so on: the root comes last if it is known."""
        self.signer = Signer.of(path[0], key, is_repeatable=self.keys.seed is not None)

    @property
    def certificate(self) -> x509.Certificate:
        return self.path[0]

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def path_pem(self) -> bytes:
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.path)

    @property
    def key_pem(self) -> bytes:
        return key_pem(self.signer.key)

    @property
    def subject(self) -> x509.Name:
        return self.certificate.subject

    def issue(
        self, profile: CertificateProfile, public_key: CertificatePublicKeyTypes, purpose: str
    ) -> x509.Certificate:
        """Whatever a profile says; `purpose` tells what is made from one seed apart."""
        return self.signer.sign(profile, public_key, self.keys.serial_number(purpose))

    def issue_server(
        self,
        hosts: Sequence[str],
        *,
        name: str | x509.Name = "",
        kind: KeyKind = KeyKind.P256,
        validity: Validity | None = None,
    ) -> Issued:
        """A server certificate for host names and literal addresses; `name`: its subject, else the first of them.

        Raises ValueError for what is neither.
        """
        purpose = f"server {hosts[0]}"
        names = tuple(map(alternative, hosts))
        subject = _as_name(name or (hosts[0] if len(hosts[0]) <= LONGEST_NAME else "server"))
        key = self.keys.new_key(kind, purpose)
        profile = leaf_profile(subject, validity or self._validity, FOR_SERVERS, names)
        certificate = self.issue(profile, key.public_key(), purpose)
        return Issued(b"".join(one.public_bytes(Encoding.PEM) for one in self.chain_of(certificate)), key_pem(key))

    def issue_client(
        self,
        name: str | x509.Name,
        *,
        expired: bool = False,
        kind: KeyKind = KeyKind.P256,
        validity: Validity | None = None,
        alternatives: Sequence[x509.GeneralName] = (),
    ) -> ClientCertificate:
        """A device's certificate; a `name` that is a text is its common name.

        `expired`: it was good until an hour before now. Raises ValueError for a name that is too long to be one.
        """
        subject = _as_name(name)
        purpose = f"client {name if isinstance(name, str) else name.rfc4514_string()}{' expired' if expired else ''}"
        validity = Validity.expired(self._now_us) if expired else validity or self._validity
        key = self.keys.new_key(kind, purpose)
        profile = leaf_profile(subject, validity, FOR_CLIENTS, alternatives)
        return self._shown(self.issue(profile, key.public_key(), purpose), key_pem(key))

    def renew(
        self, certificate: ClientCertificate, validity: Validity, *, kind: KeyKind | None = KeyKind.P256
    ) -> ClientCertificate:
        """The same names with other dates and another serial number; `kind`: of its new key, None keeps the key."""
        old = x509.load_der_x509_certificate(certificate.chain[0])
        purpose = f"renewal of {old.serial_number} until {validity.end}"
        key = None if kind is None else self.keys.new_key(kind, purpose)
        public_key = old.public_key() if key is None else key.public_key()
        renewed = self.issue(profile_of(old).with_validity(validity), public_key, purpose)
        return self._shown(renewed, certificate.key_pem if key is None else key_pem(key))

    def authority_below(
        self,
        common_name: str | x509.Name,
        *,
        kind: KeyKind = KeyKind.P256,
        path_length: int | None = None,
        validity: Validity | None = None,
    ) -> CertificateAuthority:
        """An intermediate authority, which issues for the same days and from the same seed."""
        subject = _as_name(common_name)
        purpose = f"authority {subject.rfc4514_string()}"
        key = self.keys.new_key(kind, purpose)
        profile = authority_profile(subject, validity or self._validity, path_length)
        return self._with((self.issue(profile, key.public_key(), purpose), *self.path), key)

    def cross_signed_by(self, older: CertificateAuthority) -> CertificateAuthority:
        """This authority with a certificate of an older one: what it issues then, those who trust that one take too."""
        purpose = f"cross {self.subject.rfc4514_string()}"
        certificate = older.issue(profile_of(self.certificate), self.certificate.public_key(), purpose)
        return self._with((certificate, *older.path), self.signer.key)

    def revoke(self, certificate: bytes, at_us: int, reason: str = "unspecified") -> None:
        """A certificate (DER) that no longer counts; `crl` tells of it. Raises ValueError for one of somebody else."""
        known = x509.load_der_x509_certificate(certificate)
        if known.issuer != self.subject:
            raise ValueError(f"{common_name_in(known.subject)!r} is of another authority")
        self._revoked.append(Revocation(known.serial_number, at_us, reason))

    def crl(self, now_us: int, days: float = CRL_DAYS) -> bytes:
        """The list of what it has revoked, in PEM, as of now; each has a higher number than the one before."""
        self._lists += 1
        return self.signer.revocation_list(self._revoked, self._lists, Validity.days(now_us, days, earlier_us=0))

    def chain_of(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """What a TLS peer is shown: a certificate and the authorities above it; roots are known or not trusted."""
        return [certificate, *(one for one in self.path if one.subject != one.issuer)]

    def _shown(self, certificate: x509.Certificate, key: bytes) -> ClientCertificate:
        return ClientCertificate(tuple(one.public_bytes(Encoding.DER) for one in self.chain_of(certificate)), key)

    def _new_root(self, name: x509.Name, kind: KeyKind) -> tuple[list[x509.Certificate], SigningKey]:
        key = self.keys.new_key(kind, "authority")
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        signer = Signer(name, key, identifier, is_repeatable=self.keys.seed is not None)
        number = self.keys.serial_number("authority")
        return [signer.sign(authority_profile(name, self._validity), key.public_key(), number)], key

    def _with(self, path: Sequence[x509.Certificate], key: SigningKey) -> CertificateAuthority:
        return CertificateAuthority("", self._now_us, validity=self._validity, keys=self.keys, existing=(path, key))


def _as_name(name: str | x509.Name) -> x509.Name:
    return named(name) if isinstance(name, str) else name
