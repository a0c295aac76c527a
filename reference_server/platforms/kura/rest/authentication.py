"""Logins: `/v1/authentication` (spec 5.5)."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.kura.rest.access_infos import permission_document
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import needed_text
from fleetrig.reference_server.platforms.kura.rest.replies import NO_CONTENT, Reply, date
from fleetrig.reference_server.platforms.kura.state.access_tokens import (
    AccessToken,
    create_access_token,
    invalidate,
    refreshable_token,
)
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused
from fleetrig.reference_server.platforms.kura.state.permissions import access_infos_of
from fleetrig.reference_server.platforms.kura.state.records import User
from fleetrig.reference_server.platforms.kura.state.sign_in import sign_in
from fleetrig.reference_server.platforms.kura.state.users import user_by_id


def log_in(call: Call) -> Reply:
    """POST /v1/authentication/user. Further members (a second factor, trust keys) are ignored: no user has any."""
    name, password = needed_text(call.document, "username"), needed_text(call.document, "password")
    call.claimed_user = name
    user, _ = sign_in(call.registry, name, password, call.now_us)
    return _new_token(call, user)


def refresh(call: Call) -> Reply:
    """POST /v1/authentication/refresh: another token in place of the old one."""
    text, refresh_token = needed_text(call.document, "tokenId"), needed_text(call.document, "refreshToken")
    token = refreshable_token(call.registry, text, refresh_token, call.now_us)
    user = user_by_id(call.registry, token.user_id)
    if user is None:
        raise LoginRefused(LoginFailure.BAD_CREDENTIALS, "the user of this token has been deleted")
    invalidate(call.registry, token, call.now_us)
    return _new_token(call, user)


def log_out(call: Call) -> Reply:
    """POST /v1/authentication/logout: the token is good no longer."""
    if call.token is not None:
        invalidate(call.registry, call.token, call.now_us)
    return Reply(status=NO_CONTENT, changed="logged out")


def login_info(call: Call) -> Reply:
    """GET /v1/authentication/info."""
    shown = [
        permission_document(access, one)
        for access in access_infos_of(call.registry, call.operator.id)
        for one in access.permissions
    ]
    token = None if call.token is None else _document(call.token, "")
    return Reply({"type": "loginInfo", "accessToken": token, "accessPermissions": shown, "rolePermissions": []})


def _new_token(call: Call, user: User) -> Reply:
    token, text = create_access_token(call.registry, user, call.now_us)
    return Reply(_document(token, text))


def _document(token: AccessToken, text: str) -> dict[str, Any]:
    created = date(token.created_us)
    shown = {
        "type": "accessToken",
        "id": token.id,
        "scopeId": token.scope_id,
        "createdOn": created,
        "createdBy": token.user_id,
        "modifiedOn": created,
        "modifiedBy": token.user_id,
        "optlock": 1,
        "tokenId": text or None,
        "userId": token.user_id,
        "expiresOn": date(token.expires_us),
        "refreshToken": token.refresh_token if text else None,
        "refreshExpiresOn": date(token.refresh_expires_us),
    }
    return {name: value for name, value in shown.items() if value is not None}
