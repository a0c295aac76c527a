"""Certificates as ThingsBoard looks at them: who signed whom, and the id that things are found by (spec 2.4)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from fleetrig.harness.doctor.certificates import CertificateFacts, facts_of
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY, certificates_in


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """One certificate of a chain. `id`: SHA3-256 of its text, which credentials and chain profiles are found by."""

    facts: CertificateFacts
    der: bytes = field(repr=False)
    id: str
    is_authority: bool
    """It may sign others (basicConstraints)."""

    @property
    def common_name(self) -> str:
        return self.facts.common_name


def shown_certificates(pem: bytes) -> tuple[ShownCertificate, ...]:
    """In the order of the file. Raises ValueError."""
    return tuple(map(shown, certificates_in(pem)))


def shown(certificate: x509.Certificate) -> ShownCertificate:
    der = certificate.public_bytes(Encoding.DER)
    return ShownCertificate(facts_of(certificate), der, certificate_id(der), _is_authority(certificate))


def certificate_id(der: bytes) -> str:
    """Of the certificate's base64 without armour and line ends (spec 1.1)."""
    return hashlib.sha3_256(base64.b64encode(der)).hexdigest()


def basic_id(client_id: str, user_name: str) -> str:
    """`credentialsId` of MQTT_BASIC credentials (spec 1.1)."""
    if not client_id:
        return user_name
    return hashlib.sha3_256((f"{client_id}|{user_name}" if user_name else client_id).encode()).hexdigest()


def broken_at(chain: Sequence[ShownCertificate]) -> int | None:
    """The number, from 1, of the first certificate that the next one has not signed."""
    for number, (issued, issuer) in enumerate(pairwise(chain), 1):
        if not is_signed_by(issued, issuer):
            return number
    return None


def is_signed_by(issued: ShownCertificate, issuer: ShownCertificate) -> bool:
    """By the signature alone, as the server looks at it: names and dates do not count."""
    try:
        _verify(_loaded(issued), _loaded(issuer).public_key())
    except (*UNREADABLE_BY_LIBRARY, InvalidSignature):
        return False
    return True


def _verify(issued: x509.Certificate, key: object) -> None:
    """Raises InvalidSignature, also for a key of another kind."""
    signature, content, algorithm = issued.signature, issued.tbs_certificate_bytes, issued.signature_hash_algorithm
    match key, issued.signature_algorithm_parameters:
        case rsa.RSAPublicKey(), (padding.PKCS1v15() | padding.PSS()) as parameters if algorithm is not None:
            key.verify(signature, content, parameters, algorithm)
        case ec.EllipticCurvePublicKey(), ec.ECDSA() as parameters:
            key.verify(signature, content, parameters)
        case ((ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey()), _):
            key.verify(signature, content)
        case _:
            raise InvalidSignature


def device_name(pattern: str, common_name: str) -> str | None:
    """What the pattern finds in a common name: its first group; None when it finds nothing. Raises re.error for a
    pattern that cannot be read here, IndexError for one without a group."""
    found = re.search(pattern, common_name)
    return None if found is None else found[1]


def authority_in(secret: str | None) -> ShownCertificate | None:
    """The first certificate of a chain profile's secret, which alone counts. One is kept without its armour."""
    text = secret or ""
    try:
        if "-----BEGIN" in text:
            return shown_certificates(text.encode())[0]
        return shown(x509.load_der_x509_certificate(base64.b64decode(text)))
    except (IndexError, *UNREADABLE_BY_LIBRARY):
        return None


def _loaded(one: ShownCertificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(one.der)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *UNREADABLE_BY_LIBRARY):
        return certificate.subject == certificate.issuer
