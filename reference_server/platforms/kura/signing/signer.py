"""Puts signatures on what the server tells devices (SIG-SIM1, spec 3.6). The server never reads one."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, int64, octets, string
from fleetrig.reference_server.platforms.kura.signing.signed_parts import (
    SIG_ALG,
    SIG_ALIAS,
    SIG_TIME,
    SIG_VALUE,
    signed_bytes,
)

SigningKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey
RSA_ALGORITHM: Final = "SHA256withRSA"
EC_ALGORITHM: Final = "SHA256withECDSA"
ED25519_ALGORITHM: Final = "Ed25519"


@lru_cache(maxsize=64)
def signing_key(pem: str) -> SigningKey:
    """Read once for each key: to read one costs more than to sign with it. Raises ValueError for other keys."""
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey):
        raise ValueError("control messages are signed with a key of RSA, of an elliptic curve or of Ed25519")
    return key


def signed(
    payload: KuraPayload, key: SigningKey, alias: str, application_topic: str, client_id: str, now_ms: int
) -> KuraPayload:
    """The payload with its four metrics; `client_id` is the receiver's."""
    metrics = {
        **payload.metrics,
        SIG_ALG: string(algorithm_of(key)),
        SIG_ALIAS: string(alias),
        SIG_TIME: int64(now_ms),
    }
    value = _sign(key, signed_bytes(application_topic, client_id, metrics, payload.body))
    return replace(payload, metrics={**metrics, SIG_VALUE: octets(value)})


def algorithm_of(key: SigningKey) -> str:
    match key:
        case RSAPrivateKey():
            return RSA_ALGORITHM
        case EllipticCurvePrivateKey():
            return EC_ALGORITHM
        case _:
            return ED25519_ALGORITHM


def _sign(key: SigningKey, data: bytes) -> bytes:
    match key:
        case RSAPrivateKey():
            return key.sign(data, PKCS1v15(), SHA256())
        case EllipticCurvePrivateKey():
            return key.sign(data, ECDSA(SHA256()))
        case _:
            return key.sign(data)
