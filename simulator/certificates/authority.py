"""Certificate authorities for tests: they issue certificates for servers and for devices, with a clock handed in.

P-256 keys. An authority made here carries basicConstraints, keyUsage and a key identifier, since strict verifiers want
them (libraries.md "TLS with client certificates"). Nothing here is stored; keys live as long as the object.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleetrig.simulator.certificates.pem import certificates_in, key_in
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.identity import ClientCertificate

EARLIER = timedelta(days=1)
"""Certificates count from yesterday, so that a device with a slow clock can use them."""
LONGEST_NAME: Final = 64
"""Of a common name (RFC 5280, ub-common-name)."""
P_256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its private key, both PEM; the key is kept out of every print."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


def read_authority(pem: bytes, now_us: int) -> CertificateAuthority:
    """An authority that others have made: its certificate and its key. Raises ValueError for what is none."""
    certificate, key = certificates_in(pem)[0], key_in(pem)
    if not isinstance(key, SigningKey):
        raise ValueError("its key is of a kind that issues no certificates: expected EC, RSA or Ed25519")
    if certificate.public_key() != key.public_key():
        raise ValueError("the key does not belong to the certificate")
    return CertificateAuthority("", now_us, existing=(certificate, key))


class CertificateAuthority:
    """One root, or an authority that `existing` is. `valid_days` is for the root and all that it issues.

    With a `seed` everything that it makes is the same each time, byte for byte: for virtual time.
    """

    def __init__(
        self,
        common_name: str,
        now_us: int,
        valid_days: int = 365,
        seed: str | None = None,
        existing: tuple[x509.Certificate, SigningKey] | None = None,
    ) -> None:
        self._seed = seed
        self._not_before = datetime.fromtimestamp(now_us // US_PER_S, UTC) - EARLIER
        self._not_after = self._not_before + EARLIER + timedelta(days=valid_days)
        self._key: SigningKey
        if existing is not None:
            self._certificate, self._key = existing
            return
        self._key = self._new_key("authority")
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = self._builder(name, name, self._key.public_key(), "authority").add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self._certificate = self._signed(builder.add_extension(_usage(ca=True), critical=True))

    @property
    def certificate_pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def subject(self) -> x509.Name:
        return self._certificate.subject

    def issue_server(self, hosts: Sequence[str]) -> Issued:
        """A server certificate for host names and literal addresses."""
        key = self._new_key(f"server {hosts[0]}")
        builder = self._leaf(hosts[0], key, ExtendedKeyUsageOID.SERVER_AUTH, f"server {hosts[0]}")
        names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        certificate = self._signed(builder.add_extension(names, critical=False))
        return Issued(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key))

    def issue_client(self, common_name: str, *, expired: bool = False) -> ClientCertificate:
        """A device's certificate: its name is the common name. `expired`: it was good until an hour before now.

        Raises ValueError for a name that is too long to be one.
        """
        if len(common_name) > LONGEST_NAME:
            raise ValueError(f"{common_name!r} cannot be a common name, which has {LONGEST_NAME} characters at most")
        purpose = f"client {common_name}{' expired' if expired else ''}"
        key = self._new_key(purpose)
        until = self._not_before + EARLIER - timedelta(hours=1) if expired else None
        certificate = self._signed(self._leaf(common_name, key, ExtendedKeyUsageOID.CLIENT_AUTH, purpose, until))
        return ClientCertificate((certificate.public_bytes(serialization.Encoding.DER),), _key_pem(key))

    def _leaf(
        self,
        common_name: str,
        key: ec.EllipticCurvePrivateKey,
        usage: x509.ObjectIdentifier,
        purpose: str,
        until: datetime | None = None,
    ) -> x509.CertificateBuilder:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            self._builder(subject, self._certificate.subject, key.public_key(), purpose, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(issuer_key, critical=False)
        )

    def _builder(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        public_key: CertificatePublicKeyTypes,
        purpose: str,
        until: datetime | None = None,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(self._serial_number(purpose))
            .not_valid_before(self._not_before)
            .not_valid_after(self._not_after if until is None else until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )

    def _serial_number(self, purpose: str) -> int:
        if self._seed is None:
            return x509.random_serial_number()
        return int.from_bytes(self._derived(f"serial number of {purpose}")[:19], "big") + 1

    def _new_key(self, purpose: str) -> ec.EllipticCurvePrivateKey:
        if self._seed is None:
            return ec.generate_private_key(ec.SECP256R1())
        number = int.from_bytes(self._derived(f"key of {purpose}"), "big") % (P_256_ORDER - 1) + 1
        return ec.derive_private_key(number, ec.SECP256R1())

    def _derived(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{self._seed}/{purpose}".encode()).digest()

    def _signed(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        if isinstance(self._key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return builder.sign(self._key, None)
        if self._seed is None or isinstance(self._key, rsa.RSAPrivateKey):
            return builder.sign(self._key, hashes.SHA256())
        try:
            return builder.sign(self._key, hashes.SHA256(), ecdsa_deterministic=True)
        except UnsupportedAlgorithm:  # OpenSSL before 3.2: names, keys and numbers are the same each time all the same
            return builder.sign(self._key, hashes.SHA256())


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


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
