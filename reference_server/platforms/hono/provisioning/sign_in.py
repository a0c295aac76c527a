"""Who it is that connects: by a client certificate, a password, a signed token or a pre-shared key (spec 2.2, 4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from fleetrig.reference_server.platforms.hono.provisioning.auto_provisioning import provision
from fleetrig.reference_server.platforms.hono.provisioning.client_certificate import (
    DeviceCertificate,
    Unreadable,
    read,
    refused_by_authority,
)
from fleetrig.reference_server.platforms.hono.provisioning.contact import Contact
from fleetrig.reference_server.platforms.hono.provisioning.credentials_lookup import FoundCredentials, find_credentials
from fleetrig.reference_server.platforms.hono.provisioning.identity_template import TemplateFailed, expanded
from fleetrig.reference_server.platforms.hono.provisioning.notification import announce_if_owed
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.provisioning.tenant_lookup import (
    authorities_of,
    check_tenant,
    tenant_named,
    tenant_of_certificate,
)
from fleetrig.reference_server.platforms.hono.provisioning.tokens import (
    MalformedToken,
    TokenRefused,
    owner_in,
    read_token,
    verify,
)
from fleetrig.reference_server.platforms.hono.state.adapter_memory import KnownTenant
from fleetrig.reference_server.platforms.hono.state.devices import device_of
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.passwords import is_password_right
from fleetrig.reference_server.platforms.hono.state.records import (
    HASHED_PASSWORD,
    PSK,
    RPK,
    X509,
    DeviceCredentials,
    Tenant,
)
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import tenant_by_id

HTTP: Final = "hono-http"
MQTT: Final = "hono-mqtt"
COAP: Final = "hono-coap"

BAD_CREDENTIALS: Final = "bad credentials"
MALFORMED: Final = "malformed credentials"
UNAUTHORIZED: Final = "Unauthorized"
"""The text where the platform finds no credentials that it can read: over HTTP it then says how to sign in."""
NOT_VALIDATED: Final = "validation of device certificate failed"

Phase = Literal["authentication", "connecting"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An authenticated device. Whether it is registered and may send is asked later (`assertion`)."""

    tenant: Tenant
    device_id: str
    auth_id: str
    called: str
    """What the trace calls it: the common name of its certificate, else its auth-id. Device ids may be chance."""
    steps: tuple[str, ...] = ()
    changed: str = ""
    took_us: int = 0
    """How much later the adapter answers, since the registry takes so long: in profiles that imitate races."""
    expires_us: int | None = None
    """When what it has signed in with is of no use any more (a token)."""


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not; each adapter says it in its own way.

    `status` and `error` are those of HTTP. `during`: what 401 and 404 of an authentication are told as, they are not
    when they come later (CONNACK 4 and 5). `rollback`: nothing of what was done stays.
    """

    status: int
    error: str
    reason: str
    steps: tuple[str, ...] = ()
    during: Phase = "authentication"
    called: str = ""
    changed: str = ""
    rollback: bool = False


def with_certificate(
    registry: Registry, certificates: tuple[bytes, ...], server_name: str, adapter: str, client_id: str, now_us: int
) -> SignedIn | Denied:
    """`certificates` as the peer has shown them, its own first; `server_name`: the host that it has asked for."""
    contact = Contact(registry, adapter, now_us)
    return _attempt(contact, lambda: _by_certificate(contact, certificates[0], server_name, client_id))


def with_password(
    registry: Registry, user: str, password: str, adapter: str, client_id: str, now_us: int
) -> SignedIn | Denied:
    """`user`: `auth-id@tenant`. With an empty password both may stand in the user name, as Base64 of `user:password`."""
    contact = Contact(registry, adapter, now_us)
    registry.learn("password", password)
    return _attempt(contact, lambda: _by_password(contact, user, password, client_id))


def with_token(
    registry: Registry, jwt: str, of_place: tuple[str, str] | None, adapter: str, now_us: int
) -> SignedIn | Denied:
    """`of_place`: tenant and auth-id as the URI or the client id names them, for a token that does not."""
    contact = Contact(registry, adapter, now_us)
    registry.learn("token", jwt)
    return _attempt(contact, lambda: _by_token(contact, jwt, of_place))


def psk_for(registry: Registry, identity: str, now_us: int) -> tuple[bytes, SignedIn] | Denied:
    """The key of a DTLS identity `auth-id@tenant`; whoever proves to have it is who comes with it."""
    contact = Contact(registry, COAP, now_us)
    try:
        return _by_key(contact, identity)
    except Refused as refused:
        return _denied(contact, refused)


def is_token(text: str) -> bool:
    """Whether it has the form of a JWT."""
    try:
        read_token(text)
    except MalformedToken:
        return False
    return True


def _attempt(contact: Contact, sign_in: Callable[[], SignedIn]) -> SignedIn | Denied:
    try:
        return sign_in()
    except Refused as refused:
        return _denied(contact, refused)


def _denied(contact: Contact, refused: Refused) -> Denied:
    reason = refused.reason or refused.error
    steps = tuple(contact.steps)
    return Denied(refused.status, refused.error, reason, steps, called=contact.called, changed=contact.changed)


def _signed_in(contact: Contact, tenant: Tenant, device_id: str, auth_id: str) -> SignedIn:
    return SignedIn(
        tenant, device_id, auth_id, contact.called, tuple(contact.steps), contact.changed, contact.took_us
    )  # fmt: skip


# Certificates


def _by_certificate(contact: Contact, der: bytes, server_name: str, client_id: str) -> SignedIn:
    try:
        shown = read(der)
    except Unreadable as unreadable:
        raise Refused(401, error_code(401), str(unreadable)) from None
    contact.called = shown.common_name or shown.subject_dn
    known = tenant_of_certificate(contact.registry, contact.adapter, shown, server_name, contact.now_us)
    contact.took(Step.TENANT_FOUND)
    provisions, template = _validate(contact, known, shown)
    contact.took(Step.CERTIFICATE_VALIDATED)
    auth_id = _auth_id(contact.registry, shown, template)
    return _by_auth_id(contact, known.tenant, shown if provisions else None, auth_id, client_id)


def _validate(contact: Contact, known: KnownTenant, shown: DeviceCertificate) -> tuple[bool, str | None]:
    """Whether an unknown device is provisioned, and the template of auth-ids. Raises Refused with 401.

    Both are those of the first authority that is called as the issuer, also where it is another that has signed.
    """
    anchors = authorities_of(contact.registry, known, contact.now_us)
    flaws = []
    for anchor in anchors:
        flaw = refused_by_authority(shown, anchor.subject_dn, anchor.public_key_der, contact.now_us)
        if not flaw:
            break
        flaws.append(flaw)
    else:
        shown_flaws = "; ".join(flaws[:3])
        why = f"no authority of the tenant {known.tenant.tenant_id} has issued the certificate: {shown_flaws}"
        raise Refused(401, NOT_VALIDATED, why)
    named = [anchor for anchor in anchors if anchor.subject_dn == shown.issuer_dn]
    template = next((one.auth_id_template for one in named if one.auth_id_template is not None), None)
    return bool(named) and named[0].is_auto_provisioning, template


def _auth_id(registry: Registry, shown: DeviceCertificate, template: str | None) -> str:
    if template is None:
        return shown.subject_dn
    try:
        return expanded(template, shown.certificate.subject, as_java=registry.traits.fills_templates_as_java)
    except TemplateFailed as failed:
        if failed.is_crash:
            raise Refused(500, str(failed), f"no auth-id can be made: {failed}") from None
        raise Refused(401, MALFORMED, f"no auth-id can be made: {failed}") from None


def _by_auth_id(
    contact: Contact, tenant: Tenant, provisioned_by: DeviceCertificate | None, auth_id: str, client_id: str
) -> SignedIn:
    """`provisioned_by`: the certificate, where an unknown device is provisioned."""
    may_provision = _check_adapter(contact, tenant)
    found = _usable(contact, tenant, X509, auth_id, client_id)
    if found is not None:
        contact.took(Step.CREDENTIALS_FOUND)
        device_id = _announced(contact, tenant, found.credentials)
    elif provisioned_by is None:
        raise _bad("nobody has the credentials, and the authority has auto-provisioning-enabled false")
    elif may_provision:
        device_id = _provisioned(contact, tenant, provisioned_by, auth_id)
    else:
        device_id = ""
    if not contact.registry.traits.checks_tenant_first and contact.adapter != COAP:
        check_tenant(tenant, contact.adapter)
    return _signed_in(contact, tenant, device_id, auth_id)


def _check_adapter(contact: Contact, tenant: Tenant) -> bool:
    """Whether a device may be provisioned. Raises Refused with 403.

    A handshake of CoAP asks nothing: the requests of the device will be refused. Ours provisions nothing either then.
    """
    traits = contact.registry.traits
    if contact.adapter == COAP:
        is_usable = tenant.is_enabled and tenant.has_adapter(COAP)
        return is_usable or traits.provisions_for_disabled_tenants
    if traits.checks_tenant_first:
        check_tenant(tenant, contact.adapter)
    return True


def _provisioned(contact: Contact, tenant: Tenant, shown: DeviceCertificate, auth_id: str) -> str:
    current = tenant_by_id(contact.registry, tenant.tenant_id)
    if current is None:
        raise _bad(f"the tenant {tenant.tenant_id} has been deleted")
    try:
        return provision(contact, current, shown, auth_id).device_id
    except Refused as refused:
        if refused.status == 404:
            raise _bad(refused.reason) from None
        raise Refused(refused.status, error_code(refused.status), refused.reason or refused.error) from None


# Passwords, tokens, keys


def _by_password(contact: Contact, user: str, password: str, client_id: str) -> SignedIn:
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
        raise _bad(f"the password is none of those of {auth_id}")
    contact.took(Step.SECRET_VERIFIED)
    return _signed_in(contact, tenant, found.credentials.device_id, auth_id)


def _in_user_name(user: str) -> tuple[str, str]:
    try:
        both = base64.b64decode(user, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        both = ""
    name, colon, password = both.partition(":")
    if not colon:
        raise Refused(401, MALFORMED, "there is no password, and the user name is no Base64 of user:password either")
    return name, password


def _by_token(contact: Contact, jwt: str, of_place: tuple[str, str] | None) -> SignedIn:
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
    signed_in = _signed_in(contact, tenant, found.credentials.device_id, owner.auth_id)
    return SignedIn(
        tenant, signed_in.device_id, owner.auth_id, contact.called, signed_in.steps, contact.changed,
        contact.took_us, expires_us,
    )  # fmt: skip


def _by_key(contact: Contact, identity: str) -> tuple[bytes, SignedIn]:
    auth_id, at, tenant_id = identity.partition("@")
    if not at:
        raise Refused(401, MALFORMED, f"the identity {identity[:100]!r} is no auth-id@tenant")
    contact.called = auth_id
    known = tenant_named(contact.registry, COAP, tenant_id, contact.now_us)
    if known is None:
        raise _bad(f"there is no tenant {tenant_id[:100]!r}")
    contact.took(Step.TENANT_FOUND)
    found = _found(contact, known.tenant, PSK, auth_id, "")
    key = base64.b64decode(found.secrets[0]["key"])
    return key, _signed_in(contact, known.tenant, found.credentials.device_id, auth_id)


def _named(contact: Contact, tenant_id: str) -> Tenant:
    """The tenant of a user name, which may use the adapter. Raises Refused."""
    known = tenant_named(contact.registry, contact.adapter, tenant_id, contact.now_us)
    if known is None:
        raise _bad(f"there is no tenant {tenant_id[:100]!r}")
    contact.took(Step.TENANT_FOUND)
    check_tenant(known.tenant, contact.adapter)
    return known.tenant


def _found(
    contact: Contact, tenant: Tenant, kind: str, auth_id: str, client_id: str, context: dict[str, str] | None = None
) -> FoundCredentials:
    """Credentials with at least one secret that counts. Raises Refused with 401."""
    asked = {**(context or {}), **({"client-id": client_id} if client_id else {})}
    found = find_credentials(contact.registry, tenant, kind, auth_id, asked, contact.now_us)
    if found is None:
        raise _bad(f"nobody of the tenant {tenant.tenant_id} has {kind} credentials of {auth_id[:100]!r}")
    if found.why_not:
        raise _bad(found.why_not)
    contact.took(Step.CREDENTIALS_FOUND)
    _announced(contact, tenant, found.credentials)
    return found


def _usable(contact: Contact, tenant: Tenant, kind: str, auth_id: str, client_id: str) -> FoundCredentials | None:
    """None: for the registry they are not there. Raises Refused with 401 for those that are there and of no use."""
    registry, context = contact.registry, {"client-id": client_id} if client_id else {}
    if registry.adapters.is_under_way(tenant.tenant_id, auth_id, contact.now_us):
        return None
    found = find_credentials(registry, tenant, kind, auth_id, context, contact.now_us)
    if found is None or not found.why_not:
        return found
    if registry.traits.refuses_useless_credentials:
        raise _bad(found.why_not)
    return None


def _announced(contact: Contact, tenant: Tenant, found: DeviceCredentials) -> str:
    """Each look-up of a device that applications do not know of yet tells them first. Raises Refused with 503."""
    device = device_of(contact.registry, tenant.tenant_id, found.device_id)
    if device is not None:
        announce_if_owed(contact, tenant, device)
    return found.device_id


def _bad(reason: str) -> Refused:
    return Refused(401, BAD_CREDENTIALS, reason)
