"""Credentials of devices: found, and replaced as a whole set (spec 1.3).

An entry is the JSON of the wire as `credentials_form` reads it: types and forms are right, what belongs together may
not be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.state.devices import LIMITS, UNLIMITED
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.ids import check_column
from fleetrig.reference_server.platforms.hono.state.records import (
    CREDENTIALS,
    DEVICE,
    Device,
    DeviceCredentials,
    Tenant,
    joined,
)
from fleetrig.reference_server.platforms.hono.state.registry import Notice, NoticeKind, Registry
from fleetrig.reference_server.platforms.hono.state.secrets import learn_secrets, merged_entry, prepared_entry
from fleetrig.reference_server.platforms.hono.state.versions import check_version

Entry = Mapping[str, Any]
TYPE_LETTERS: Final = 64
NULL_SECRET: Final = 'Cannot invoke "checkValidity()" because "secret" is null'
TAKEN: Final = "credentials (type, auth-id) must be unique for device"


def credentials_by_auth_id(
    registry: Registry, tenant_id: str, credentials_type: str, auth_id: str
) -> DeviceCredentials | None:
    """What a device that signs in is looked up by; it may be disabled."""
    return registry.store.get(CREDENTIALS, tenant_id, joined(credentials_type, auth_id))


def credentials_of_device(registry: Registry, tenant_id: str, device_id: str) -> list[DeviceCredentials]:
    """In the order in which they were put."""
    found = registry.store.find(CREDENTIALS, tenant_id, "device", device_id)
    return sorted(found, key=lambda entry: entry.position) if len(found) > 1 else found


def check_entries(
    registry: Registry, tenant_id: str, limits: Mapping[str, Any], entries: Sequence[Entry]
) -> list[Entry]:
    """What is wrong with a set whoever it is for; passwords become hashes. Raises Refused."""
    most = limits.get("max-credentials-per-device", UNLIMITED)
    if UNLIMITED < most < len(entries):
        error = f"configured credentials limit exceeded [tenant-id: {tenant_id}, max credentials: {most}]"
        raise Refused(403, error, f"{len(entries)} credentials, and a device may have {most}")
    twice = [key for key, times in Counter((one["type"], one["auth-id"]) for one in entries).items() if times > 1]
    if twice:
        why = f"two entries of type {twice[0][0]!r} have the auth-id {twice[0][1]!r}: put both secrets into one"
        raise Refused(400, "credentials must have unique (type, auth-id)", why)
    if any(secret is None for entry in entries for secret in entry["secrets"]):
        raise Refused(500, NULL_SECRET, "a secret is null: leave it out")
    has_plain = any(secret.get("pwd-plain") for entry in entries for secret in entry["secrets"])
    status = 500 if has_plain and registry.traits.crashes else 400
    return [prepared_entry(registry, entry, status) for entry in entries]


def replace_credentials(
    registry: Registry,
    tenant: Tenant,
    device: Device,
    entries: Sequence[Entry],
    now_us: int,
    version: str | None = None,
) -> Device:
    """The device with its new version. Raises Refused before anything is written."""
    prepared = check_entries(registry, tenant.tenant_id, tenant.document.get(LIMITS, {}), entries)
    return put_entries(registry, device, prepared, version)


def put_entries(registry: Registry, device: Device, entries: Sequence[Entry], version: str | None = None) -> Device:
    """The second half: of entries that `check_entries` has made. Raises Refused before anything is written."""
    traits = registry.traits
    if traits.tells_reason_of_mismatch:
        check_version(version, device.credentials_version)
    else:
        check_version(version, device.credentials_version, error_code(412))
    before = credentials_of_device(registry, device.tenant_id, device.device_id)
    whole = _merged(before, entries)
    _check_free(registry, device, whole)
    for entry in before:
        registry.store.delete(CREDENTIALS, device.tenant_id, CREDENTIALS.key(entry))
    for position, document in enumerate(whole):
        registry.store.put(CREDENTIALS, device.tenant_id, _record(registry, device, position, document))
    new = registry.new_uuid()
    changed = replace(device, credentials_version=new, version=new if traits.has_common_version else device.version)
    registry.store.put(DEVICE, device.tenant_id, changed)
    registry.notify(Notice(NoticeKind.CREDENTIALS_CHANGED, device.tenant_id, device.device_id))
    return changed


def put_first_entry(registry: Registry, device: Device, entry: Entry) -> None:
    """Of a device that was made in this transaction: nobody has seen its version, so it keeps it, and nobody waits to
    hear of its credentials. Raises Refused before anything is written."""
    _check_free(registry, device, [entry])
    registry.store.put(CREDENTIALS, device.tenant_id, _record(registry, device, 0, entry))


def _merged(before: Sequence[DeviceCredentials], entries: Sequence[Entry]) -> list[Entry]:
    """Secrets with an id take what they leave out from the one on record. Raises Refused."""
    has_ids = any("id" in secret for entry in entries for secret in entry["secrets"])
    if not has_ids:
        return list(entries)
    for entry in entries:
        ids = [secret["id"] for secret in entry["secrets"] if "id" in secret]
        if len(set(ids)) < len(ids):
            text = "secret IDs must be unique within each credentials object"
            raise Refused(400, text, f"two secrets of {entry['auth-id']!r} have the same id")
    if not before:
        why = "a secret has an id, and the device has no credentials yet: leave ids of new secrets out"
        raise Refused(400, "no credentials on record for device", why)
    stored = {(one.type, one.auth_id): one for one in before}
    return [merged_entry(entry, stored.get((entry["type"], entry["auth-id"]))) for entry in entries]


def _check_free(registry: Registry, device: Device, entries: Sequence[Entry]) -> None:
    """Raises Refused when another device of the tenant has one of them."""
    for entry in entries:
        check_column(registry, "TYPE", entry["type"], most=TYPE_LETTERS)
        check_column(registry, "AUTH_ID", entry["auth-id"])
        holder = credentials_by_auth_id(registry, device.tenant_id, entry["type"], entry["auth-id"])
        if holder is not None and holder.device_id != device.device_id:
            why = f"the device {holder.device_id!r} has the auth-id {entry['auth-id']!r} of type {entry['type']!r}"
            raise Refused(registry.traits.status_of_taken_auth_id, TAKEN, why)


def _record(registry: Registry, device: Device, position: int, entry: Entry) -> DeviceCredentials:
    secrets = [secret if "id" in secret else {**secret, "id": registry.new_uuid()} for secret in entry["secrets"]]
    learn_secrets(registry, secrets)
    return DeviceCredentials(
        tenant_id=device.tenant_id,
        type=entry["type"],
        auth_id=entry["auth-id"],
        device_id=device.device_id,
        document={**entry, "secrets": secrets},
        position=position,
    )
