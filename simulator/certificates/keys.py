"""Private keys: of chance, or the same each time from a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

P_256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PUBLIC_EXPONENT: Final = 65537

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class KeyKind(StrEnum):
    """What is made here, by the names that options have. RSA-1024 is for tests of refusal."""

    P256 = "p256"
    ED25519 = "ed25519"
    RSA1024 = "rsa1024"
    RSA2048 = "rsa2048"
    RSA3072 = "rsa3072"
    RSA4096 = "rsa4096"

    @property
    def rsa_bits(self) -> int:
        """0 for a key that is not RSA."""
        return int(self.value[3:]) if self.value.startswith("rsa") else 0


class KeyMaker:
    """Makes the keys and serial numbers of an authority and of all that it issues.

    With a `seed` the same purpose gives the same key and number each time; RSA keys can only be of chance. An RSA key
    takes 30 ms to 1 s: at most `most_rsa_keys` of a kind are made, and then given out again in turn.
    """

    def __init__(self, seed: str | None = None, most_rsa_keys: int | None = None) -> None:
        self.seed = seed
        self._most_rsa_keys = most_rsa_keys
        self._rsa_keys: dict[int, list[rsa.RSAPrivateKey]] = {}
        self._given = 0

    def new_key(self, kind: KeyKind, purpose: str) -> SigningKey:
        """Raises ValueError for an RSA key from a seed."""
        if kind.rsa_bits:
            return self._rsa_key(kind.rsa_bits)
        if self.seed is None:
            return _OF_CHANCE[kind]()
        derived = self._derived(f"key of {purpose}")
        if kind is KeyKind.ED25519:
            return ed25519.Ed25519PrivateKey.from_private_bytes(derived)
        return ec.derive_private_key(int.from_bytes(derived, "big") % (P_256_ORDER - 1) + 1, ec.SECP256R1())

    def serial_number(self, purpose: str) -> int:
        """Positive, of 20 bytes at most (RFC 5280, 4.1.2.2)."""
        if self.seed is None:
            return x509.random_serial_number()
        return int.from_bytes(self._derived(f"serial number of {purpose}")[:19], "big") + 1

    def _rsa_key(self, bits: int) -> rsa.RSAPrivateKey:
        if self.seed is not None:
            raise ValueError("RSA keys cannot be made from a seed: take p256 or ed25519 there")
        made = self._rsa_keys.setdefault(bits, [])
        if self._most_rsa_keys is None or len(made) < self._most_rsa_keys:
            key = rsa.generate_private_key(PUBLIC_EXPONENT, bits)
            if self._most_rsa_keys is not None:
                made.append(key)
            return key
        self._given += 1
        return made[self._given % len(made)]

    def _derived(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{self.seed}/{purpose}".encode()).digest()


_OF_CHANCE: Final[dict[KeyKind, Callable[[], SigningKey]]] = {
    KeyKind.P256: lambda: ec.generate_private_key(ec.SECP256R1()),
    KeyKind.ED25519: ed25519.Ed25519PrivateKey.generate,
}


def key_pem(key: SigningKey) -> bytes:
    """PKCS #8, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def kind_of(key: object) -> KeyKind:
    """Of a public key. Raises ValueError for one of a kind that is not made here."""
    match key:
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
            return KeyKind.P256
        case ed25519.Ed25519PublicKey():
            return KeyKind.ED25519
        case rsa.RSAPublicKey() if f"rsa{key.key_size}" in list(KeyKind):
            return KeyKind(f"rsa{key.key_size}")
        case _:
            raise ValueError(f"keys of its kind ({key_text(key)}) are not made here")


def key_text(key: object) -> str:
    """What kind a public key is, for people: `RSA 2048`, `EC secp256r1`, `Ed25519`."""
    match key:
        case rsa.RSAPublicKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey():
            return f"EC {key.curve.name}"
        case _:
            return type(key).__name__.lstrip("_").removesuffix("PublicKey")
