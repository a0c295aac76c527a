"""The tokens of an operator: JWTs signed with HS512 (RFC 7519, RFC 7515; section 4, "Login").

Nothing here asks for the time or for chance: both are handed in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

ACCESS_S: Final = 9000
REFRESH_S: Final = 604_800
ISSUER: Final = "thingsboard.io"
REFRESH_SCOPE: Final = "REFRESH_TOKEN"

_HEADER: Final = {"alg": "HS512"}


class BadJwt(Exception):
    """No token that could have been ours."""


class StaleJwt(Exception):
    """It has expired, or somebody else signed it: the real server tells both in the same words."""


def sign(claims: Mapping[str, Any], key: bytes) -> str:
    """The token of these claims, in the compact form."""
    signed = f"{_encoded(_document(_HEADER))}.{_encoded(_document(claims))}"
    return f"{signed}.{_encoded(_signature(signed, key))}"


def verify(token: str, key: bytes, now_s: int) -> dict[str, Any]:
    """The claims of a token that is ours and in time. Raises BadJwt, StaleJwt."""
    signed, dot, signature = token.rpartition(".")
    if not dot or signed.count(".") != 1:
        raise BadJwt("expected three parts with dots between them")
    header, claims = (_object(part) for part in signed.split("."))
    if header.get("alg") != _HEADER["alg"]:
        raise BadJwt("expected the algorithm HS512")
    if not hmac.compare_digest(_signature(signed, key), _decoded(signature)):
        raise StaleJwt("the signature is not of this server: a token of another one, or from before it was set up anew")
    expires_s = claims.get("exp")
    if isinstance(expires_s, int) and expires_s <= now_s:
        raise StaleJwt("the token has expired: log in again or refresh it")
    return claims


def _signature(signed: str, key: bytes) -> bytes:
    return hmac.new(key, signed.encode(), hashlib.sha512).digest()


def _document(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise BadJwt("expected base64url in every part") from None


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise BadJwt("expected JSON in the first two parts") from None
    if not isinstance(value, dict):
        raise BadJwt("expected objects in the first two parts")
    return value
