"""What certificates say: a device's own, and the one a server showed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.errors import UsageError

MAX_BYTES = 1024 * 1024
DAY = "%Y-%m-%d %H:%M UTC"


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate. `names` are the host names and addresses of its subjectAltName."""

    subject: str
    common_name: str
    issuer: str
    issuer_common_name: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...] = ()
    is_self_signed: bool = False
    is_for_clients: bool = True
    """Whether its extendedKeyUsage lets a TLS client use it; a certificate without one is for everything."""
    issuer_fingerprints: tuple[str, ...] = ()
    """MD5, SHA-1 and SHA-256 of the authorities that came in the same file, in hex, with and without colons."""

    def outside(self, when: datetime) -> str:
        """Why it does not count at that time; empty when it does."""
        if when > self.not_after:
            return f"expired on {self.not_after:{DAY}}"
        if when < self.not_before:
            return f"is not valid before {self.not_before:{DAY}}"
        return ""

    def is_for(self, host: str) -> bool:
        """Whether a client that asked for `host` may accept it (RFC 6125: one `*` stands for one whole label)."""
        wanted = _normal(host)
        rest = wanted.partition(".")[2]
        return any(name == wanted or (name.startswith("*.") and rest and name[2:] == rest) for name in self.names)


def read_certificate(path: Path) -> CertificateFacts:
    """The first certificate of a PEM file, or the only one of a DER file. Raises UsageError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read the certificate {path}: {why_unread(path, error)}") from None
    try:
        chain = x509.load_pem_x509_certificates(content)
    except ValueError:
        try:
            chain = [x509.load_der_x509_certificate(content)]
        except ValueError:
            raise UsageError(
                f"{path} holds no certificate; expected PEM (-----BEGIN CERTIFICATE-----) or DER"
            ) from None
    return facts_of(chain[0], chain[1:])


def from_der(content: bytes) -> CertificateFacts:
    """The certificate that a server showed."""
    return facts_of(x509.load_der_x509_certificate(content))


def facts_of(certificate: x509.Certificate, authorities: list[x509.Certificate] | None = None) -> CertificateFacts:
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        common_name=_common_name(certificate.subject),
        issuer=certificate.issuer.rfc4514_string(),
        issuer_common_name=_common_name(certificate.issuer),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=_names(certificate),
        is_self_signed=certificate.subject == certificate.issuer,
        is_for_clients=_is_for_clients(certificate),
        issuer_fingerprints=tuple(text for one in authorities or [] for text in _fingerprints(one)),
    )


def _normal(host: str) -> str:
    """As names of a certificate are spelled: lower case, addresses in their short form."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().rstrip(".")


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    hosts = [name.lower() for name in listed.get_values_for_type(x509.DNSName)]
    return (*hosts, *(str(address) for address in listed.get_values_for_type(x509.IPAddress)))


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True
    return not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.isdisjoint(usages)


def _fingerprints(certificate: x509.Certificate) -> list[str]:
    digests = [certificate.fingerprint(kind).hex() for kind in (hashes.MD5(), hashes.SHA1(), hashes.SHA256())]
    return [*digests, *(":".join(text[at : at + 2] for at in range(0, len(text), 2)) for text in digests)]
