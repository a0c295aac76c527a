"""A client certificate as the adapters look at it: its dates in the handshake, its issuer's signature later (spec 2.2).

Validation is Java's PKIX on a path of one certificate: the trusted authority must be its direct issuer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtensionOID

from fleetrig.reference_server.platforms.hono.names.java_names import rfc2253_of
from fleetrig.simulator.certificates.names import common_name_in
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LEAST_RSA_BITS: Final = 1024
LEAST_EC_BITS: Final = 224
"""`jdk.certpath.disabledAlgorithms` of JDK 17: RSA and DSA below 1024, EC below 224, MD2 and MD5. SHA-1 only where the
JDK's own authorities have signed, so a tenant's may."""
CHECKED_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_MAPPINGS, ExtensionOID.POLICY_CONSTRAINTS, ExtensionOID.INHIBIT_ANY_POLICY,
    }
)  # fmt: skip
"""Critical extensions that Java's PKIX understands; any other one is a refusal."""
KNOWN_CERTIFICATES: Final = 4_096
"""Of so many devices that come again, nothing is computed anew; each takes about 7 KiB. What is remembered hangs on the
bytes of the certificate and of the authority's key alone: no change of a tenant makes it wrong."""
LONGEST_KNOWN_BYTES: Final = 4_096
"""A longer one is not remembered: it may have been made to fill the memory."""


class Unreadable(Exception):
    """What was shown is no certificate."""


@dataclass(frozen=True, slots=True)
class DeviceCertificate:
    """The end-entity certificate; anything else that a device sends is ignored."""

    certificate: x509.Certificate
    subject_dn: str
    issuer_dn: str
    """Both as Java prints them."""
    common_name: str
    """Empty when it has none."""
    size_bytes: int


def read(der: bytes) -> DeviceCertificate:
    """Raises Unreadable. A device shows its certificate twice: in the handshake and with its first request."""
    return _known(der) if len(der) <= LONGEST_KNOWN_BYTES else _read(der)


def _read(der: bytes) -> DeviceCertificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        subject, issuer = certificate.subject, certificate.issuer
        names = rfc2253_of(subject), rfc2253_of(issuer), common_name_in(subject)
        return DeviceCertificate(certificate, *names, len(der))
    except UNREADABLE_BY_LIBRARY as error:
        raise Unreadable(f"the client certificate cannot be read: {str(error)[:200]}") from None


_known = lru_cache(KNOWN_CERTIFICATES)(_read)


def refused_by_dates(certificate: x509.Certificate, now_us: int) -> str:
    """Why it does not count now; empty when it does. The handshake looks at nothing else over HTTP and MQTT."""
    now = EPOCH + timedelta(microseconds=now_us)
    if now < certificate.not_valid_before_utc:
        return f"the client certificate counts from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%S} on"
    if now > certificate.not_valid_after_utc:
        return f"the client certificate has expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%S}"
    return ""


def refused_by_authority(shown: DeviceCertificate, authority_dn: str, public_key: bytes, now_us: int) -> str:
    """Why a trusted authority (a name and a key, DER) has not issued it; empty when it has."""
    if not same_name(authority_dn, shown.issuer_dn):
        return f"{authority_dn} is not its issuer {shown.issuer_dn}"
    judge = _known_verdict if shown.size_bytes <= LONGEST_KNOWN_BYTES else _refused_at_any_time
    certificate = shown.certificate
    return refused_by_dates(certificate, now_us) or judge(certificate, authority_dn, public_key)


def _refused_at_any_time(certificate: x509.Certificate, authority_dn: str, public_key: bytes) -> str:
    return (
        _refused_by_algorithms(certificate, public_key)
        or _refused_by_extensions(certificate)
        or _refused_by_signature(certificate, authority_dn, public_key)
    )


_known_verdict = lru_cache(KNOWN_CERTIFICATES)(_refused_at_any_time)


def same_name(one: str, other: str) -> bool:
    """As Java compares names: case and runs of blanks in values do not matter."""
    return one == other or _canonical(one) == _canonical(other)


def _canonical(name: str) -> str:
    return " ".join(name.split()).lower()


def _refused_by_algorithms(certificate: x509.Certificate, public_key: bytes) -> str:
    flaw = _flaw_of_authority(public_key) or _flaw_of_key(_own_key(certificate), "the device")
    if flaw:
        return flaw
    return "it is signed with MD5, which Java refuses" if isinstance(_hash_of(certificate), hashes.MD5) else ""


@lru_cache(maxsize=256)
def _flaw_of_authority(public_key: bytes) -> str:
    return _flaw_of_key(_public_key(public_key), "the authority")


def _flaw_of_key(key: object, whose: str) -> str:
    """Most have elliptic curves, and are looked for first."""
    match key:
        case ec.EllipticCurvePublicKey():
            if key.key_size < LEAST_EC_BITS:
                return f"the key of {whose} has {key.key_size} bits: Java refuses EC below {LEAST_EC_BITS}"
        case rsa.RSAPublicKey() | dsa.DSAPublicKey() if key.key_size < LEAST_RSA_BITS:
            return f"the key of {whose} has {key.key_size} bits: Java refuses RSA below {LEAST_RSA_BITS}"
        case None:
            return f"the public key of {whose} cannot be read"
    return ""


def _refused_by_extensions(certificate: x509.Certificate) -> str:
    try:
        extensions = certificate.extensions
    except UNREADABLE_BY_LIBRARY as error:
        return f"its extensions cannot be read: {str(error)[:200]}"
    unknown = [one.oid.dotted_string for one in extensions if one.critical and one.oid not in CHECKED_EXTENSIONS]
    return f"its critical extension {unknown[0]} is not known to Java" if unknown else ""


def _refused_by_signature(certificate: x509.Certificate, authority_dn: str, public_key: bytes) -> str:
    try:
        _verify(certificate, public_key)
    except InvalidSignature:
        return f"its signature is not by the key of {authority_dn}: another authority of the same name has issued it"
    except UNREADABLE_BY_LIBRARY as error:
        return f"its signature cannot be verified with the key of {authority_dn}: {str(error)[:200]}"
    return ""


def _verify(certificate: x509.Certificate, public_key: bytes) -> None:
    """Raises InvalidSignature, or what the library raises for what it cannot read."""
    signature, content = certificate.signature, certificate.tbs_certificate_bytes
    match _public_key(public_key), certificate.signature_algorithm_parameters:
        case ec.EllipticCurvePublicKey() as key, ec.ECDSA() as how:
            key.verify(signature, content, how)
        case rsa.RSAPublicKey() as key, padding.PKCS1v15() | padding.PSS() as how:
            hash_algorithm = certificate.signature_hash_algorithm
            if hash_algorithm is None:
                raise UnsupportedAlgorithm("the signature names no hash function")
            key.verify(signature, content, how, hash_algorithm)
        case (ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey()) as key, _:
            key.verify(signature, content)
        case _:
            raise InvalidSignature


@lru_cache(maxsize=256)
def _public_key(der: bytes) -> object:
    """None for what is no key."""
    try:
        return serialization.load_der_public_key(der)
    except UNREADABLE_BY_LIBRARY:
        return None


def _own_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except UNREADABLE_BY_LIBRARY:
        return None


def _hash_of(certificate: x509.Certificate) -> object:
    try:
        return certificate.signature_hash_algorithm
    except UNREADABLE_BY_LIBRARY:
        return None
