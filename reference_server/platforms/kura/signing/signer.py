"""Puts signatures on what the server tells devices (SIG-SIM1, spec 3.6). The server never reads one."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, int64, octets, string
from fleetrig.reference_server.platforms.kura.signing.signed_parts import (
    SIG_ALG,
    SIG_ALIAS,
    SIG_TIME,
    SIG_VALUE,
    signed_bytes,
)
from fleetrig.simulator.certificates.keys import SigningKey

RSA_ALGORITHM: Final = "SHA256withRSA"
EC_ALGORITHM: Final = "SHA256withECDSA"
ED25519_ALGORITHM: Final = "Ed25519"


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
    metrics[SIG_VALUE] = octets(value)
    return KuraPayload(payload.timestamp_ms, payload.position, metrics, payload.body)


def algorithm_of(key: SigningKey) -> str:
    """`sig.alg`. The profile has three, and certificates with other keys are not let in for device management."""
    match key:
        case RSAPrivateKey():
            return RSA_ALGORITHM
        case EllipticCurvePrivateKey():
            return EC_ALGORITHM
        case Ed448PrivateKey():
            raise ValueError("SIG-SIM1 has no name for signatures of Ed448")
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
