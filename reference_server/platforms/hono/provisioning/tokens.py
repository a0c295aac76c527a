"""Signed tokens (JWT) by which devices sign in: read, and verified with the public keys on record (spec 4.1).

The rules are those of the real adapter: the header `typ` is `JWT`; `iat` is at most ten minutes ahead; `exp` is later,
and at most 24 hours (and ten minutes) after `iat`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from fleetrig.simulator.certificates.pem import UNREADABLE_BY_LIBRARY
from fleetrig.simulator.contract.clock import US_PER_S

AUDIENCE: Final = "hono-adapter"
TYPE: Final = "JWT"
SKEW_S: Final = 600
LONGEST_S: Final = 24 * 3600
HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
CURVE_BYTES: Final = {"256": 32, "384": 48, "512": 66}
"""Of each half of an ECDSA signature (RFC 7518 §3.4)."""
LEAST_RSA_BITS: Final = 2048
"""RFC 7518 §3.3; the library of the real adapter holds to it."""
MOST_CHARS: Final = 8_192


class MalformedToken(Exception):
    """It is no JWT, or does not say whose it is."""


class TokenRefused(Exception):
    """It is signed by none of the keys on record, or does not count now."""


@dataclass(frozen=True, slots=True)
class Token:
    """`header` and `signature` as they were sent: whether they are that is asked when it is verified."""

    header: str
    claims: Mapping[str, Any]
    signed: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Who a token says it comes from."""

    tenant_id: str
    auth_id: str
    issuer: str


def read_token(text: str) -> Token:
    """Raises MalformedToken."""
    parts = text.split(".", 2)
    if len(parts) < 3 or len(text) > MOST_CHARS:
        raise MalformedToken("a JWT has three parts with dots between")
    header, claims, signature = parts
    signed = f"{header}.{claims}".encode("ascii", "replace")
    return Token(header, _section(claims), signed, signature)


def owner_in(token: Token, of_place: tuple[str, str] | None) -> TokenOwner:
    """By its claims if it is for adapters, else by (tenant, auth-id) of where it was sent. Raises MalformedToken."""
    claims = token.claims
    if AUDIENCE in _audience(claims.get("aud")):
        tenant_id, auth_id, issuer = (_text(claims.get(name)) for name in ("tid", "sub", "iss"))
        if tenant_id is None:
            raise MalformedToken("JWT must specify tenant ID in tid claim")
        if auth_id is None:
            raise MalformedToken("JWT must specify auth ID in sub claim")
        return TokenOwner(tenant_id, auth_id, auth_id if issuer is None else issuer)
    if of_place is None:
        raise MalformedToken(f"its aud is not {AUDIENCE}, and it is not sent where a tenant and an auth-id are named")
    return TokenOwner(*of_place, of_place[1])


def verify(token: Token, secrets: Sequence[Mapping[str, Any]], now_us: int) -> int:
    """Until when it counts (us). `secrets`: those that count now, with `key` (Base64 DER). Raises TokenRefused."""
    try:
        header, signature = _section(token.header), _decoded(token.signature)
    except MalformedToken as malformed:
        raise TokenRefused(str(malformed)) from None
    if header.get("typ") != TYPE:
        raise TokenRefused(f"its header typ is not {TYPE}")
    if not _is_audience(token.claims.get("aud")):
        raise TokenRefused("its aud is no text and no array of texts")
    if not any(_is_signed_by(header.get("alg"), token.signed, signature, secret) for secret in secrets):
        raise TokenRefused("it is signed by none of the public keys on record")
    now_s = now_us / US_PER_S
    issued_s, expires_s, begins_s = (_number(token.claims.get(name)) for name in ("iat", "exp", "nbf"))
    if issued_s is None or expires_s is None:
        raise TokenRefused("it has no claim " + ("iat" if issued_s is None else "exp"))
    if now_s - SKEW_S > expires_s:
        raise TokenRefused(f"it has expired {now_s - expires_s:.0f} s ago")
    if begins_s is not None and now_s + SKEW_S < begins_s:
        raise TokenRefused(f"it counts only {begins_s - now_s:.0f} s from now")
    if issued_s > now_s + SKEW_S:
        raise TokenRefused(f"its iat is more than {SKEW_S} s ahead: is the clock of the device right?")
    if not issued_s < expires_s <= issued_s + LONGEST_S + SKEW_S:
        raise TokenRefused("its exp is not later than its iat, or more than 24 hours later")
    return int((expires_s + SKEW_S) * US_PER_S)


def _audience(claim: object) -> Sequence[object]:
    return claim if isinstance(claim, list) else [claim]


def _is_audience(claim: object) -> bool:
    return claim is None or isinstance(claim, str) or (
        isinstance(claim, list) and all(isinstance(one, str) for one in claim)
    )  # fmt: skip


def _text(claim: object) -> str | None:
    """A number stands for its text."""
    return claim if claim is None or isinstance(claim, str) else json.dumps(claim)


def _number(claim: object) -> float | None:
    return float(claim) if isinstance(claim, int | float) and not isinstance(claim, bool) else None


def _section(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(_decoded(text))
    except (ValueError, RecursionError):
        raise MalformedToken("a part of the JWT is no JSON") from None
    if not isinstance(document, dict):
        raise MalformedToken("a part of the JWT is no JSON object")
    return document


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise MalformedToken("a part of the JWT is no Base64") from None


def _is_signed_by(algorithm: object, signed: bytes, signature: bytes, secret: Mapping[str, Any]) -> bool:
    if not isinstance(algorithm, str) or algorithm[2:] not in HASHES:
        return False
    try:
        key = serialization.load_der_public_key(base64.b64decode(secret.get("key") or "", validate=True))
        _verify(signed, signature, key, algorithm[:2], algorithm[2:])
    except (*UNREADABLE_BY_LIBRARY, InvalidSignature):
        return False
    return True


def _verify(signed: bytes, signature: bytes, key: object, family: str, size: str) -> None:
    """Raises InvalidSignature, or what the library raises for what it cannot read."""
    digest = HASHES[size]
    match family, key:
        case "RS", rsa.RSAPublicKey() if key.key_size >= LEAST_RSA_BITS:
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        case "PS", rsa.RSAPublicKey() if key.key_size >= LEAST_RSA_BITS:
            salt = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(signature, signed, salt, digest)
        case "ES", ec.EllipticCurvePublicKey() if len(signature) == 2 * CURVE_BYTES[size]:
            half = CURVE_BYTES[size]
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))
        case _:
            raise InvalidSignature
