"""Who calls the operator's API: the bearer token of a login, in `X-Authorization` or `Authorization` (section 4)."""

from __future__ import annotations

from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import HttpRefusal, plain
from fleetrig.reference_server.platforms.thingsboard.rest.jwt import REFRESH_SCOPE, BadJwt, StaleJwt, verify
from fleetrig.reference_server.platforms.thingsboard.state.api_keys import api_key_with
from fleetrig.reference_server.platforms.thingsboard.state.errors import ErrorCode
from fleetrig.reference_server.platforms.thingsboard.state.people import user_by_id
from fleetrig.reference_server.platforms.thingsboard.state.records import User
from fleetrig.reference_server.platforms.thingsboard.state.signing_key import signing_key

HEADERS: Final = ("X-Authorization", "Authorization")
BEARER: Final = "Bearer "
API_KEY: Final = "ApiKey "


def authenticate(call: Call) -> None:
    """Fills in the user. Raises 401, and 302 for a scheme that is no token."""
    presented = next((value for name in HEADERS if (value := call.request.header(name)) is not None), None)
    if presented is None:
        raise unauthenticated("no X-Authorization: Bearer <token>; log in at /api/auth/login first")
    if presented.startswith(API_KEY) and call.registry.traits.has_api_keys:
        call.user = _user_with_key(call, presented.removeprefix(API_KEY))
        return
    if not presented.startswith(BEARER):
        location = ("Location", f"{call.request.origin}/oauth2Login")
        raise plain(302, reason="the header's scheme is not Bearer: the server sends to its page", headers=(location,))
    claims = call.claims = read_token(call, presented.removeprefix(BEARER))
    if REFRESH_SCOPE in scopes_of(claims):
        raise unauthenticated("a refresh token in place of the token")
    call.user = user_of(call, claims)


def _user_with_key(call: Call, value: str) -> User:
    """Raises 401 (ApiKeyAuthenticationProvider)."""
    call.registry.learn("api-key", value)
    key = api_key_with(call.registry, value)
    if key is None:
        raise wrong_login("no user has this API key")
    if not key.is_enabled:
        raise HttpRefusal(401, "User account is not active", reason="the API key is switched off")
    if key.has_expired(call.now_ms):
        raise HttpRefusal(401, "API key is expired", reason="the API key has expired: make a new one")
    user = user_by_id(call.registry, key.user_id)
    if user is None:
        raise unauthenticated("the account of this API key has been deleted")
    return user


def read_token(call: Call, token: str, *, is_refresh: bool = False) -> dict[str, Any]:
    """The claims of a token, or of one that renews it. Raises 401."""
    call.registry.learn("login-token", token)
    try:
        claims = verify(token, signing_key(call.registry), call.now_s)
    except BadJwt as bad:
        raise wrong_login(f"no token: {bad}") from None
    except StaleJwt as stale:
        raise _expired(str(stale)) from None
    if call.registry.outdated_tokens.has(claims):
        why = "its owner has logged out, or has another password since: log in again"
        raise HttpRefusal(401, "Token is outdated", reason=why) if is_refresh else _expired(why)
    return claims


def _expired(reason: str) -> HttpRefusal:
    return HttpRefusal(401, "Token has expired", reason=reason, code=ErrorCode.JWT_EXPIRED)


def scopes_of(claims: dict[str, Any]) -> list[Any]:
    scopes = claims.get("scopes")
    return scopes if isinstance(scopes, list) else []


def user_of(call: Call, claims: dict[str, Any]) -> User:
    """Who a token was made for. Raises 401 when the account has gone."""
    user = user_by_id(call.registry, str(claims.get("userId")))
    if user is None:
        raise _expired("the account of this token has been deleted")
    return user


def unauthenticated(reason: str) -> HttpRefusal:
    return HttpRefusal(401, "Authentication failed", reason=reason)


def wrong_login(reason: str) -> HttpRefusal:
    return HttpRefusal(401, "Invalid username or password", reason=reason)
