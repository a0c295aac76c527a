"""A device that proves a secret: a password, the signature of a token, a pre-shared key (spec 4.1 to 4.3)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from fleetrig.reference_server.platforms.hono.names.java_base64 import decoded_base64
from fleetrig.reference_server.platforms.hono.provisioning.contact import COAP, Contact, Identified
from fleetrig.reference_server.platforms.hono.provisioning.credentials_lookup import (
    FoundCredentials,
    announced,
    bad_credentials,
    find_credentials,
)
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import check_tenant, tenant_named
from fleetrig.reference_server.platforms.hono.provisioning.tokens import (
    MalformedToken,
    TokenRefused,
    owner_in,
    read_token,
    verify,
)
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.passwords import is_password_right
from fleetrig.reference_server.platforms.hono.state.records import HASHED_PASSWORD, PSK, RPK, Tenant

MALFORMED: Final = "malformed credentials"
UNAUTHORIZED: Final = "Unauthorized"
"""The text where the platform finds no credentials that it can read: over HTTP it then says how to sign in."""
NOTHING_ELSE: Final[Mapping[str, str]] = {}


def identified_by_password(contact: Contact, user: str, password: str, client_id: str) -> Identified:
    """Raises Refused."""
    if not password:
        user, password = _in_user_name(user)
        contact.registry.learn("password", password)
    auth_id, at, tenant_id = user.partition("@")
    if not at:
        raise Refused(401, MALFORMED, f"the user name {user[:100]!r} is no auth-id@tenant")
    contact.called = auth_id
    tenant = _named(contact, tenant_id)
    found = _found(contact, tenant, HASHED_PASSWORD, auth_id, client_id)
    if not any(is_password_right(secret, password) for secret in found.secrets):
        raise bad_credentials(f"the password is none of those of {auth_id}")
    contact.took(Step.SECRET_VERIFIED)
    return Identified(tenant, found.credentials.device_id, auth_id)


def _in_user_name(user: str) -> tuple[str, str]:
    try:
        both = decoded_base64(user).decode("utf-8", "replace")
    except ValueError:
        both = ""
    name, colon, password = both.partition(":")
    if not colon:
        raise Refused(401, MALFORMED, "there is no password, and the user name is no Base64 of user:password either")
    return name, password


def identified_by_token(contact: Contact, jwt: str, of_place: tuple[str, str] | None) -> Identified:
    """Raises Refused."""
    try:
        token = read_token(jwt)
        owner = owner_in(token, of_place)
    except MalformedToken as malformed:
        raise Refused(401, UNAUTHORIZED, f"the token cannot be used: {malformed}") from None
    contact.called = owner.auth_id
    tenant = _named(contact, owner.tenant_id)
    found = _found(contact, tenant, RPK, owner.auth_id, "", {"iss": owner.issuer})
    try:
        expires_us = verify(token, found.secrets, contact.now_us)
    except TokenRefused as refused:
        raise Refused(401, error_code(401), f"the token of {owner.auth_id}: {refused}") from None
    contact.took(Step.SECRET_VERIFIED)
    return Identified(tenant, found.credentials.device_id, owner.auth_id, expires_us)


def key_and_identified(contact: Contact, identity: str) -> tuple[bytes, Identified]:
    """Raises Refused."""
    auth_id, at, tenant_id = identity.partition("@")
    if not at:
        raise Refused(401, MALFORMED, f"the identity {identity[:100]!r} is no auth-id@tenant")
    contact.called = auth_id
    known = tenant_named(contact.registry, COAP, tenant_id, contact.now_us)
    if known is None:
        raise bad_credentials(f"there is no tenant {tenant_id[:100]!r}")
    contact.took(Step.TENANT_FOUND)
    found = _found(contact, known.tenant, PSK, auth_id, "")
    key = base64.b64decode(found.secrets[0]["key"])
    return key, Identified(known.tenant, found.credentials.device_id, auth_id)


def _named(contact: Contact, tenant_id: str) -> Tenant:
    """The tenant of a user name, which may use the adapter. Raises Refused."""
    known = tenant_named(contact.registry, contact.adapter, tenant_id, contact.now_us)
    if known is None:
        raise bad_credentials(f"there is no tenant {tenant_id[:100]!r}")
    contact.took(Step.TENANT_FOUND)
    check_tenant(known.tenant, contact.adapter)
    return known.tenant


def _found(
    contact: Contact, tenant: Tenant, kind: str, auth_id: str, client_id: str, context: Mapping[str, str] = NOTHING_ELSE
) -> FoundCredentials:
    """Credentials with at least one secret that counts. Raises Refused with 401."""
    asked = {**context, **({"client-id": client_id} if client_id else {})}
    found = find_credentials(contact.registry, tenant, kind, auth_id, asked, contact.now_us)
    if found is None:
        raise bad_credentials(f"nobody of the tenant {tenant.tenant_id} has {kind} credentials of {auth_id[:100]!r}")
    if found.why_not:
        raise bad_credentials(found.why_not)
    contact.took(Step.CREDENTIALS_FOUND)
    announced(contact, tenant, found.credentials)
    return found
