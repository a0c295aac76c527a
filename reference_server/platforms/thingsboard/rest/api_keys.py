"""API keys of users: made, listed, switched and deleted (ApiKeyController)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.http.call import Call
from fleetrig.reference_server.platforms.thingsboard.http.errors import denied, invalid, missing
from fleetrig.reference_server.platforms.thingsboard.http.replies import Reply
from fleetrig.reference_server.platforms.thingsboard.rest.forms import entity_id
from fleetrig.reference_server.platforms.thingsboard.rest.lookups import as_uuid, member_id, user_at
from fleetrig.reference_server.platforms.thingsboard.rest.members import flag, text, whole_number
from fleetrig.reference_server.platforms.thingsboard.rest.pages import page_of
from fleetrig.reference_server.platforms.thingsboard.state.api_keys import (
    ApiKey,
    api_key_by_id,
    api_keys_of,
    delete_api_key,
    new_value,
    save_api_key,
)
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_text


def save(call: Call) -> Reply:
    """POST /api/apiKey: a new one, whose value is told this once, or with an `id` the changed one."""
    body = call.object
    user_id = member_id(body, "userId")
    if user_id is None:
        raise invalid("Invalid entity id")
    user = user_at(call, user_id, writes=True)
    description = text(body, "description") or ""
    if not description.strip():
        raise invalid("Validation error: description must not be blank")
    check_text("description", description)
    key_id, expires_at_ms = member_id(body, "id"), whole_number(body, "expirationTime") or 0
    if key_id is not None:
        return _change(call, body, _key_at(call, key_id), user.id)
    made = ApiKey(
        call.registry.new_id(call.now_us),
        user.tenant_id,
        user.id,
        call.now_ms,
        new_value(call.registry),
        description,
        expires_at_ms,
        flag(body, "enabled"),
    )
    save_api_key(call.registry, made)
    return Reply(document={**_form(call, made), "value": made.value}, changed="API key created")


def read_of_user(call: Call, user_id: str) -> Reply:
    """GET /api/apiKeys/{userId}."""
    keys = api_keys_of(call.registry, user_at(call, user_id).id)
    return Reply(document=page_of(call, (_form(call, key) for key in keys), "description"))


def describe(call: Call, key_id: str) -> Reply:
    """PUT /api/apiKey/{id}/description: the body is the text, as it stands."""
    changed = replace(_key_at(call, key_id), description=call.optional_text)
    save_api_key(call.registry, changed)
    return Reply(document=_form(call, changed), changed="API key described")


def switch(call: Call, key_id: str, enabled: str) -> Reply:
    """PUT /api/apiKey/{id}/enabled/{true or false}."""
    if enabled not in ("true", "false"):
        raise invalid(
            f"Failed to convert value of type 'java.lang.String' to required type 'java.lang.Boolean'; {enabled}"
        )
    changed = replace(_key_at(call, key_id), is_enabled=enabled == "true")
    save_api_key(call.registry, changed)
    return Reply(document=_form(call, changed), changed="API key switched")


def delete(call: Call, key_id: str) -> Reply:
    """DELETE /api/apiKey/{id}."""
    delete_api_key(call.registry, _key_at(call, key_id))
    return Reply(changed="API key deleted")


def _change(call: Call, body: dict[str, Any], stored: ApiKey, user_id: str) -> Reply:
    if user_id != stored.user_id:
        raise invalid("Cannot update API key user id!")
    if (whole_number(body, "expirationTime") or 0) != stored.expires_at_ms:
        raise invalid("Cannot update API key expiration time!")
    changed = replace(stored, description=text(body, "description") or "", is_enabled=flag(body, "enabled"))
    save_api_key(call.registry, changed)
    return Reply(document={**_form(call, changed), "value": None}, changed="API key changed")


def _key_at(call: Call, key_id: str) -> ApiKey:
    key = api_key_by_id(call.registry, as_uuid(key_id))
    if key is None:
        raise missing(f"Api key with id [{key_id.lower()}] is not found", reason="there is no such API key")
    if call.operator.tenant_id != key.tenant_id:
        raise denied("the API key belongs to another tenant")
    user_at(call, key.user_id, writes=True)
    return key


def _form(call: Call, key: ApiKey) -> dict[str, Any]:
    return {
        "id": entity_id("API_KEY", key.id),
        "createdTime": key.created_at_ms,
        "tenantId": entity_id("TENANT", key.tenant_id),
        "userId": entity_id("USER", key.user_id),
        "expirationTime": key.expires_at_ms,
        "description": key.description,
        "enabled": key.is_enabled,
        "expired": key.has_expired(call.now_ms),
    }
