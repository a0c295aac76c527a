"""Login, refresh and the activation of an account: each gives a token and a refresh token (section 4, "Login")."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import invalid
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.authentication import (
    read_token,
    scopes_of,
    unauthenticated,
    user_of,
    wrong_login,
)
from fleetrig.reference_server.platforms.thingsboard.rest.jwt import ISSUER, REFRESH_SCOPE, sign
from fleetrig.reference_server.platforms.thingsboard.rest.members import text
from fleetrig.reference_server.platforms.thingsboard.state.people import (
    has_password,
    save_user,
    set_password,
    user_by_email,
    user_to_activate,
)
from fleetrig.reference_server.platforms.thingsboard.state.records import NULL_UUID, User
from fleetrig.reference_server.platforms.thingsboard.state.signing_key import signing_key
from fleetrig.simulator.contract.credential_places import shown_user

LEAST_CHARS: Final = 6
MOST_CHARS: Final = 72
"""Of a password, as a fresh installation has it."""


def log_in(call: Call) -> Reply:
    """POST /api/auth/login."""
    name, password = _texts(call, "username", "password")
    if call.document_or_none.keys() - {"username", "password"}:
        raise unauthenticated("the login has a member that nobody knows")
    if not name.strip() or not password:
        raise unauthenticated("the login has no username or no password")
    user = user_by_email(call.registry, name)
    if user is None:
        raise wrong_login(f"user {shown_user(name, password)} is unknown")
    if not has_password(user, password):
        what = "is not active yet" if user.password_hash is None else "has another password"
        raise wrong_login(f"user {user.email} {what}")
    call.registry.learn("password", password)
    save_user(call.registry, replace(user, last_login_ms=call.now_ms))
    return Reply(document=token_pair(call, user))


def refresh(call: Call) -> Reply:
    """POST /api/auth/token."""
    (token,) = _texts(call, "refreshToken")
    if not token.strip():
        raise unauthenticated("no refresh token")
    claims = read_token(call, token, is_refresh=True)
    if REFRESH_SCOPE not in scopes_of(claims):
        raise unauthenticated("a token in place of the refresh token")
    return Reply(document=token_pair(call, user_of(call, claims)))


def activate(call: Call) -> Reply:
    """POST /api/noauth/activate: the account gets its password, and its owner is logged in."""
    token, password = _texts(call, "activateToken", "password")
    user = user_to_activate(call.registry, token) if token else None
    if user is None:
        raise invalid("Unable to find user credentials by activateToken [" + token + "]", reason="no such account")
    _check_password(password)
    user = set_password(call.registry, user, password)
    return Reply(document=token_pair(call, user), changed="user activated")


def log_out(call: Call) -> Reply:
    """POST /api/auth/logout: 200 without a body; the tokens of that login are good no longer."""
    call.registry.outdated_tokens.end_all_before(str(call.claims.get("sessionId")), call.now_s)
    return Reply(changed="logged out")


def change_password(call: Call) -> Reply:
    """POST /api/auth/changePassword: its owner is logged in anew, and nowhere else any more."""
    current, new = (text(call.object, name) or "" for name in ("currentPassword", "newPassword"))
    call.registry.learn("password", current)
    call.registry.learn("password", new)
    if not has_password(call.operator, current):
        raise invalid("Current password doesn't match!")
    _check_password(new)
    if new == current:
        raise invalid("New password should be different from existing!")
    user = set_password(call.registry, call.operator, new)
    call.registry.outdated_tokens.end_all_before(user.id, call.now_s)
    return Reply(document=token_pair(call, user), changed="password changed")


def read_password_policy(call: Call) -> Reply:
    """GET /api/noauth/userPasswordPolicy: that of a fresh installation."""
    return Reply(
        document={
            "minimumLength": LEAST_CHARS,
            "maximumLength": MOST_CHARS,
            "minimumUppercaseLetters": None,
            "minimumLowercaseLetters": None,
            "minimumDigits": None,
            "minimumSpecialCharacters": None,
            "allowWhitespaces": True,
            "forceUserToResetPasswordIfNotValid": False,
            "passwordExpirationPeriodDays": None,
            "passwordReuseFrequencyDays": None,
        }
    )


def _check_password(password: str) -> None:
    """Raises 400."""
    if len(password) < LEAST_CHARS:
        raise invalid(f"Password must be {LEAST_CHARS} or more characters in length.")
    if len(password) > MOST_CHARS:
        raise invalid(f"Password must be no more than {MOST_CHARS} characters in length.")


def token_pair(call: Call, user: User) -> dict[str, Any]:
    """A session's token and refresh token."""
    settings = call.registry.settings
    session = _session_id(call)
    access = _claims(call, user, [str(user.authority)], session, settings.token_s)
    access |= {"firstName": user.first_name, "lastName": user.last_name, "enabled": True, "isPublic": False}
    access |= {"tenantId": user.tenant_id, "customerId": user.customer_id or NULL_UUID}
    renewing = _claims(call, user, [REFRESH_SCOPE], session, settings.refresh_token_s)
    renewing |= {"isPublic": False, "jti": _session_id(call)}
    key = signing_key(call.registry)
    pair = {"token": sign(access, key), "refreshToken": sign(renewing, key)}
    for token in pair.values():
        call.registry.learn("login-token", token)
    return pair


def _claims(call: Call, user: User, scopes: list[str], session: str, lasts_s: int) -> dict[str, Any]:
    return {
        "sub": user.email,
        "userId": user.id,
        "scopes": scopes,
        "sessionId": session,
        "exp": call.now_s + lasts_s,
        "iss": ISSUER,
        "iat": call.now_s,
    }


def _session_id(call: Call) -> str:
    return str(uuid.UUID(hex=call.registry.entropy.token_hex(16), version=4))


def _texts(call: Call, *names: str) -> list[str]:
    """Members that have to be texts. Raises 401 as the login's filter does for whatever else it gets."""
    body = call.document_or_none
    if not isinstance(body, dict):
        raise unauthenticated("the body is no JSON object")
    values = [body.get(name) for name in names]
    return [value if isinstance(value, str) else "" for value in values]
