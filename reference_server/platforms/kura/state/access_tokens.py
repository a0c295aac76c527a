"""What a login over REST gives: an access token, and one that renews it (spec 5.5).

The token is a JWT that the account's JWT certificate signs; what counts is its record here, so that a logout ends it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleetrig.reference_server.platforms.kura.state.certificates import key_of, valid_certificate
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION, CertificateUsage, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.stores.interface import Kind
from fleetrig.simulator.contract.clock import US_PER_S

ISSUER: Final = "https://eclipse.org/kapua"
MOST_TOKEN_CHARS: Final = 4_096
REFRESH_CHARS: Final = 32


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A login. Of the token itself a hash is kept."""

    id: str
    scope_id: str
    user_id: str
    token_sha256: str
    refresh_token: str
    created_us: int
    expires_us: int
    refresh_expires_us: int
    invalidated_us: int | None = None


ACCESS_TOKEN: Final = Kind(
    "kura.access_token", AccessToken, lambda token: token.id, {"user": lambda token: (token.user_id,)}
)


def create_access_token(registry: Registry, user: User, now_us: int) -> tuple[AccessToken, str]:
    """A new one for a user who has signed in, and its text."""
    _forget_old(registry, user, now_us)
    made = AccessToken(
        registry.new_id(),
        user.scope_id,
        user.id,
        "",
        registry.new_word(REFRESH_CHARS),
        now_us,
        now_us + registry.settings.token_s * US_PER_S,
        now_us + registry.settings.refresh_token_s * US_PER_S,
    )
    text = _signed(registry, made, now_us)
    kept = replace(made, token_sha256=_hash(text))
    registry.store.put(ACCESS_TOKEN, INSTALLATION, kept)
    registry.learn("login-token", text)
    registry.learn("refresh-token", kept.refresh_token)
    return kept, text


def access_token_with(registry: Registry, text: str, now_us: int) -> AccessToken:
    """The login that a token belongs to. Raises LoginRefused."""
    found = _record_of(registry, text)
    if found is None:
        raise _refused("the token is none of this server's: log in at /v1/authentication/user")
    registry.learn("login-token", text)  # strangers' words are masked where they stand: nobody fills memory with them
    if found.invalidated_us is not None:
        raise _refused("its owner has logged out: log in again")
    if found.expires_us <= now_us:
        raise _refused("the token has expired: log in again or refresh it")
    return found


def refreshable_token(registry: Registry, text: str, refresh_token: str, now_us: int) -> AccessToken:
    """The login that is to be renewed. Raises LoginRefused."""
    found = _record_of(registry, text)
    registry.learn("refresh-token", refresh_token)
    is_right = found is not None and hmac.compare_digest(
        found.refresh_token.encode(), refresh_token.encode("utf-8", "replace")
    )
    if found is None or not is_right:
        raise _refused("token and refresh token do not belong together")
    if found.invalidated_us is not None or found.refresh_expires_us <= now_us:
        raise _refused("the login is over: log in again")
    return found


def invalidate(registry: Registry, token: AccessToken, now_us: int) -> None:
    registry.store.put(ACCESS_TOKEN, INSTALLATION, replace(token, invalidated_us=now_us))


def _record_of(registry: Registry, text: str) -> AccessToken | None:
    found = registry.store.get(ACCESS_TOKEN, INSTALLATION, _token_id(text))
    return found if found is not None and hmac.compare_digest(found.token_sha256, _hash(text)) else None


def _token_id(text: str) -> str:
    """What a token says that its id is; empty for what is no JWT."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > MOST_TOKEN_CHARS:
        return ""
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return ""
    found = claims.get("jti") if isinstance(claims, dict) else None
    return found if isinstance(found, str) and found.isascii() else ""


def _signed(registry: Registry, token: AccessToken, now_us: int) -> str:
    """RFC 7519 in the compact form. Without a certificate that is valid nobody can log in, as in Kapua."""
    certificate = valid_certificate(registry, token.scope_id, CertificateUsage.JWT, now_us)
    if certificate is None:
        raise _refused("no JWT certificate is valid: make one for the root account")
    key = key_of(certificate.key_pem)
    assert isinstance(key, Ed25519PrivateKey), "this server makes no other JWT certificates"
    claims = {
        "iss": ISSUER,
        "iat": now_us // US_PER_S,
        "exp": token.expires_us // US_PER_S,
        "sub": token.user_id,
        "sId": token.scope_id,
        "jti": token.id,
    }
    signed = f"{_part({'alg': 'EdDSA'})}.{_part(claims)}"
    return f"{signed}.{_encoded(key.sign(signed.encode('ascii')))}"


def _forget_old(registry: Registry, user: User, now_us: int) -> None:
    for token in registry.store.find(ACCESS_TOKEN, INSTALLATION, "user", user.id):
        if token.refresh_expires_us <= now_us or token.invalidated_us is not None:
            registry.store.delete(ACCESS_TOKEN, INSTALLATION, token.id)


def _part(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _refused(reason: str) -> LoginRefused:
    return LoginRefused(LoginFailure.BAD_CREDENTIALS, reason)
