"""The keystores of a gateway: trusted certificates, and keys with their chains (spec 3.4).

What is in them is remembered as PEM. Keys are made of what was drawn, so that the same draw gives the same key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fleetrig.simulator.certificates.keys import P_256_ORDER
from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.effects import Effect, Outcome
from fleetrig.simulator.flows.kura.life import GatewayLife
from fleetrig.simulator.flows.kura.prime_numbers import rsa_key

SSL_STORE, HTTPS_STORE, SIGNING_STORE = "SSLKeystore", "HttpsKeystore", "DMKeystore"
KEYSTORES: Final = "keystores"
CERTIFICATE, PRIVATE_KEY = "TRUSTED_CERTIFICATE", "PRIVATE_KEY"
SELF_SIGNED_FOR: Final = timedelta(days=365)
SEED_BYTES: Final = 32
RSA_BITS: Final = (1024, 2048, 3072, 4096)

GatewayKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Entry = dict[str, Any]
"""`type`, and `certificate`, or `key` and `chain`."""
Stores = dict[str, dict[str, Entry]]


def stores_of(life: GatewayLife) -> Stores:
    """Name -> alias in small letters -> what is there: what was remembered, or what the factory put in."""
    found = life.memory.get(KEYSTORES)
    if isinstance(found, dict):
        kept: dict[str, Any] = found
        return {name: dict(entries) for name, entries in kept.items()}
    settings = life.settings
    factory: Mapping[str, Mapping[str, str]] = {
        SSL_STORE: settings.trust_anchors, SIGNING_STORE: settings.signing_certificates,
    }  # fmt: skip
    return {
        name: {alias.lower(): trusted(pem) for alias, pem in factory.get(name, {}).items()}
        for name in settings.keystores
    }


def keep_stores(life: GatewayLife, stores: Stores) -> Generator[Effect, Outcome, None]:
    yield from life.keep(keystores=stores)


def trusted(pem: str) -> Entry:
    return {"type": CERTIFICATE, "certificate": pem.strip()}


def certificates_in(life: GatewayLife, store: str) -> Iterator[tuple[str, x509.Certificate]]:
    """The trusted certificates of a store, by alias; what cannot be read trusts nobody."""
    for alias, entry in stores_of(life).get(store, {}).items():
        if entry.get("type") == CERTIFICATE:
            try:
                yield alias, read_certificate(str(entry["certificate"]))
            except ValueError:
                continue


def read_certificate(pem: str) -> x509.Certificate:
    """Raises ValueError for what is none."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except UNREADABLE_BY_LIBRARY:
        raise ValueError("it is no certificate in PEM") from None


def read_key(pem: str) -> GatewayKey:
    """Raises ValueError for what is no key that a gateway uses."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (*UNREADABLE_BY_LIBRARY, TypeError):
        raise ValueError("it is no private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("a gateway has keys of the kinds EC and RSA")
    return key


class UnknownAlgorithm(ValueError):
    """One that no gateway has heard of."""


CURVES: Final[dict[int, ec.EllipticCurve]] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
"""By the size of their keys; a key that is smaller than its curve is one all the same."""


def make_key(algorithm: str, size: int, drawn: str) -> GatewayKey:
    """Raises ValueError for a kind that it does not make."""
    seed = hashlib.sha256(drawn.encode()).digest()
    match algorithm.upper(), size:
        case "EC", bits if bits in CURVES:
            return ec.derive_private_key(int.from_bytes(seed) % (P_256_ORDER - 1) + 1, CURVES[bits])
        case "EC", _:
            raise UnknownAlgorithm("no curve is so large")
        case "RSA", bits if bits in RSA_BITS:
            return rsa_key(bits, seed)
        case _:
            raise ValueError(f"{algorithm} of {size} bits is not made here")


def key_pem(key: GatewayKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode().strip()


def self_signed(key: GatewayKey, name: x509.Name, algorithm: str, at_us: int) -> x509.Certificate:
    """As a new key pair gets one. Raises ValueError for an algorithm that does not fit the key."""
    now = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(at_us // 1_000).not_valid_before(now).not_valid_after(now + SELF_SIGNED_FOR)
    )  # fmt: skip
    return builder.sign(key, hash_of(key, algorithm), ecdsa_deterministic=_deterministic(key))


def signing_request(key: GatewayKey, name: x509.Name, algorithm: str) -> str:
    """PKCS #10, in PEM. Raises ValueError for an algorithm that does not fit the key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    made = builder.sign(key, hash_of(key, algorithm), ecdsa_deterministic=_deterministic(key))
    return made.public_bytes(Encoding.PEM).decode()


def hash_of(key: GatewayKey, algorithm: str) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    """Of a signature algorithm such as SHA256withRSA. Raises ValueError for one that does not fit the key."""
    digest, _, kind = algorithm.upper().partition("WITH")
    if kind not in ("RSA", "ECDSA"):
        raise UnknownAlgorithm(f"{algorithm} is not known here")
    if kind != ("RSA" if isinstance(key, rsa.RSAPrivateKey) else "ECDSA"):
        raise ValueError(f"{algorithm} does not fit the key")
    match digest:
        case "SHA256":
            return hashes.SHA256()
        case "SHA384":
            return hashes.SHA384()
        case "SHA512":
            return hashes.SHA512()
        case _:
            raise UnknownAlgorithm(f"{algorithm} is not known here")


def _deterministic(key: GatewayKey) -> bool | None:
    return True if isinstance(key, ec.EllipticCurvePrivateKey) else None
