"""Credentials over the management API (spec 1.3)."""

from __future__ import annotations

from typing import Any

from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.credentials_form import read_entries
from fleetrig.reference_server.platforms.hono.management.devices_api import existing_device, tenant_for
from fleetrig.reference_server.platforms.hono.management.members import Unreadable
from fleetrig.reference_server.platforms.hono.management.older_members import older_entries
from fleetrig.reference_server.platforms.hono.management.parameters import device_id, tenant_id
from fleetrig.reference_server.platforms.hono.management.replies import NO_CONTENT, Reply
from fleetrig.reference_server.platforms.hono.state.credentials import check_entries, credentials_of_device, put_entries
from fleetrig.reference_server.platforms.hono.state.devices import LIMITS
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.secrets import shown_entry


def read(call: Call) -> Reply:
    """GET /v1/credentials/{tenantId}/{deviceId}."""
    device = existing_device(call, error_code(404))
    entries = credentials_of_device(call.registry, device.tenant_id, device.device_id)
    traits = call.registry.traits
    shown = [shown_entry(entry) if traits.hides_secrets else dict(entry.document) for entry in entries]
    if not traits.has_newer_members:
        shown = older_entries(shown)
    return Reply(200, shown, device.credentials_version, device=device.device_id)


def replace(call: Call) -> Reply:
    """PUT /v1/credentials/{tenantId}/{deviceId}: the whole set, which is looked at before the device is."""
    document = call.array()
    tenant_name, _ = tenant_id(call), device_id(call)
    given = _read(call, document)
    tenant = tenant_for(call, tenant_name, "no such tenant")
    entries = check_entries(call.registry, tenant_name, tenant.document.get(LIMITS, {}), given)
    device = existing_device(call, error_code(404))
    changed = put_entries(call.registry, device, entries, call.version)
    named = device.device_id
    return Reply(
        NO_CONTENT, version=changed.credentials_version, device=named, changed=f"credentials of {named} changed"
    )


def _read(call: Call, document: list[Any]) -> list[dict[str, Any]]:
    if not call.registry.traits.has_newer_members:
        document = older_entries(document)
    try:
        return read_entries(document, call.registry.traits)
    except Unreadable as unreadable:
        raise Refused(400, "request body does not contain valid Credentials objects", str(unreadable)) from None
