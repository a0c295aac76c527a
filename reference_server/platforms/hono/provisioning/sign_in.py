"""Who it is that connects: by a client certificate, a password, a signed token or a pre-shared key (spec 2.2, 4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from fleetrig.reference_server.platforms.hono.provisioning import contact as contacts
from fleetrig.reference_server.platforms.hono.provisioning.by_certificate import identified_by_certificate
from fleetrig.reference_server.platforms.hono.provisioning.by_secret import (
    identified_by_password,
    identified_by_token,
    key_and_identified,
)
from fleetrig.reference_server.platforms.hono.provisioning.contact import Contact, Identified
from fleetrig.reference_server.platforms.hono.provisioning.tokens import MalformedToken, read_token
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry

HTTP: Final = contacts.HTTP
MQTT: Final = contacts.MQTT
COAP: Final = contacts.COAP

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
    return _attempt(contact, lambda: identified_by_certificate(contact, certificates, server_name, client_id))


def with_password(
    registry: Registry, user: str, password: str, adapter: str, client_id: str, now_us: int
) -> SignedIn | Denied:
    """`user`: `auth-id@tenant`; with an empty password both may stand in it, as Base64 of `user:password`."""
    contact = Contact(registry, adapter, now_us)
    return _attempt(contact, lambda: identified_by_password(contact, user, password, client_id))


def with_token(
    registry: Registry, jwt: str, of_place: tuple[str, str] | None, adapter: str, now_us: int
) -> SignedIn | Denied:
    """`of_place`: tenant and auth-id as the URI or the client id names them, for a token that does not."""
    contact = Contact(registry, adapter, now_us)
    return _attempt(contact, lambda: identified_by_token(contact, jwt, of_place))


def psk_for(registry: Registry, identity: str, now_us: int) -> tuple[bytes, SignedIn] | Denied:
    """The key of a DTLS identity `auth-id@tenant`; whoever proves to have it is who comes with it."""
    contact = Contact(registry, COAP, now_us)
    try:
        key, identified = key_and_identified(contact, identity)
        return key, _signed_in(contact, identified)
    except Refused as refused:
        return _denied(contact, refused)


def is_token(text: str) -> bool:
    """Whether it has the form of a JWT."""
    try:
        read_token(text)
    except MalformedToken:
        return False
    return True


def _attempt(contact: Contact, identify: Callable[[], Identified]) -> SignedIn | Denied:
    try:
        return _signed_in(contact, identify())
    except Refused as refused:
        return _denied(contact, refused)


def _denied(contact: Contact, refused: Refused) -> Denied:
    reason = refused.reason or refused.error
    steps = tuple(contact.steps)
    return Denied(refused.status, refused.error, reason, steps, called=contact.called, changed=contact.changed)


def _signed_in(contact: Contact, found: Identified) -> SignedIn:
    return SignedIn(
        found.tenant, found.device_id, found.auth_id, contact.called, tuple(contact.steps), contact.changed,
        contact.took_us, found.expires_us,
    )  # fmt: skip
