"""Credentials by type and auth-id, as the registry hands them to adapters: which of them count, and which secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.provisioning.contact import Contact
from fleetrig.reference_server.platforms.hono.provisioning.notification import announce_if_owed
from fleetrig.reference_server.platforms.hono.state.credentials import credentials_by_auth_id
from fleetrig.reference_server.platforms.hono.state.devices import device_of
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import X509, DeviceCredentials, Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.times import read_time

BAD_CREDENTIALS: Final = "bad credentials"


@dataclass(frozen=True, slots=True)
class FoundCredentials:
    """`secrets`: those that are enabled and count now. `why_not`: why an adapter gets nothing all the same."""

    credentials: DeviceCredentials
    secrets: Sequence[Mapping[str, Any]]
    why_not: str = ""


def find_credentials(
    registry: Registry, tenant: Tenant, kind: str, auth_id: str, context: Mapping[str, str], now_us: int
) -> FoundCredentials | None:
    """None when nobody has them. `context`: what the adapter says of the client, such as its `client-id`."""
    found = credentials_by_auth_id(registry, tenant.tenant_id, kind, auth_id)
    if found is None:
        return None
    secrets = [one for one in found.secrets if _counts(one, now_us)]
    return FoundCredentials(found, secrets, _why_not(registry, found, context, has_secret=bool(secrets)))


def _why_not(registry: Registry, found: DeviceCredentials, context: Mapping[str, str], *, has_secret: bool) -> str:
    called, bound = f"the {found.type} credentials of {found.auth_id}", found.ext
    if not found.is_enabled:
        return f"{called} are disabled"
    for name, value in context.items():
        if name in bound and bound[name] != value:
            return f"{called} are bound to the {name} {bound[name]!r}, got {value!r}"
    if not has_secret and (found.type != X509 or registry.traits.looks_at_secrets_of_certificates):
        return f"no secret of {called} is enabled and counts now"
    return ""


def _counts(secret: Mapping[str, Any], now_us: int) -> bool:
    if secret.get("enabled", True) is False:
        return False
    begins, ends = secret.get("not-before"), secret.get("not-after")
    return (begins is None or read_time(begins) < now_us) and (ends is None or now_us < read_time(ends))


def announced(contact: Contact, tenant: Tenant, found: DeviceCredentials) -> str:
    """The device. Each look-up of one that applications do not know of tells them first; raises Refused with 503."""
    device = device_of(contact.registry, tenant.tenant_id, found.device_id)
    if device is not None:
        announce_if_owed(contact, tenant, device)
    return found.device_id


def bad_credentials(reason: str) -> Refused:
    return Refused(401, BAD_CREDENTIALS, reason)
