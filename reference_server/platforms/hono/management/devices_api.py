"""Devices over the management API (spec 1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.management.call import Call
from fleetrig.reference_server.platforms.hono.management.device_form import found_device, read_device, shown_device
from fleetrig.reference_server.platforms.hono.management.members import Unreadable
from fleetrig.reference_server.platforms.hono.management.older_members import older_device
from fleetrig.reference_server.platforms.hono.management.parameters import device_id, optional_id, tenant_id
from fleetrig.reference_server.platforms.hono.management.replies import NO_CONTENT, Reply
from fleetrig.reference_server.platforms.hono.management.routing import DEVICE_ID
from fleetrig.reference_server.platforms.hono.management.search import Search, found_page, wants_gateways
from fleetrig.reference_server.platforms.hono.state.devices import (
    create_device,
    delete_device,
    delete_devices,
    device_of,
    replace_device,
)
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import DEVICE, Device, Tenant
from fleetrig.reference_server.platforms.hono.state.tenants import existing_tenant, tenant_by_id

NO_MATCH: Final = "no devices matching searching criteria"


def create(call: Call) -> Reply:
    """POST /v1/devices/{tenantId}, /v1/devices/{tenantId}/{deviceId}."""
    document = call.optional_object()
    tenant_name, wanted = tenant_id(call), optional_id(call, DEVICE_ID)
    read_document = _read(call, document)
    device = create_device(call.registry, tenant_for(call, tenant_name), wanted, read_document, call.now_us)
    if call.registry.traits.has_columns and document.get("memberOf", ()) is None:
        raise Refused(500, "null is no collection", "memberOf of a new device is null: leave it out")
    named = device.device_id
    return Reply(
        201,
        {"id": named},
        device.version,
        location=f"/v1/devices/{tenant_name}/{named}",
        device=named,
        changed=f"device {named} created",
    )


def read(call: Call) -> Reply:
    """GET /v1/devices/{tenantId}/{deviceId}."""
    device = existing_device(call, "no such device")
    return Reply(200, shown_device(device, call.registry.traits), device.version, device=device.device_id)


def replace(call: Call) -> Reply:
    """PUT /v1/devices/{tenantId}/{deviceId}."""
    document = call.object()
    _ = tenant_id(call), device_id(call)
    read_document = _read(call, document)
    device = existing_device(call, "no such object")
    changed = replace_device(call.registry, device, read_document, call.version, call.now_us)
    named = device.device_id
    return Reply(NO_CONTENT, version=changed.version, device=named, changed=f"device {named} changed")


def delete(call: Call) -> Reply:
    """DELETE /v1/devices/{tenantId}/{deviceId}: also after its tenant is gone."""
    tenant_name, wanted = tenant_id(call), device_id(call)
    device = device_of(call.registry, tenant_name, wanted)
    if device is None:
        raise _no_device(tenant_name, wanted, "no such device")
    delete_device(call.registry, device, call.version)
    return Reply(NO_CONTENT, device=wanted, changed=f"device {wanted} deleted")


def delete_all(call: Call) -> Reply:
    """DELETE /v1/devices/{tenantId}."""
    tenant_name = tenant_id(call)
    number = delete_devices(call.registry, tenant_name)
    return Reply(NO_CONTENT, changed=f"all devices of {tenant_name} deleted ({number})" if number else "")


def search(call: Call) -> Reply:
    """GET /v1/devices/{tenantId}: the tenant's id is not checked here."""
    tenant_name = call.parameter("tenant_id") or ""
    traits = call.registry.traits
    seen = Search(
        partial(_searched, call, tenant_name),
        lambda device: {**device.document, "id": device.device_id},
        lambda device: found_device(device, traits),
        NO_MATCH,
        partial(call.registry.store.count, DEVICE, tenant_name),
        partial(call.registry.store.page, DEVICE, tenant_name),
    )
    return Reply(200, found_page(call, seen))


def tenant_for(call: Call, tenant_name: str, error: str = "tenant does not exist") -> Tenant:
    """The tenant, or where the generation does not ask for one, an empty one. Raises Refused."""
    if call.registry.traits.needs_tenant:
        return existing_tenant(call.registry, tenant_name, error)
    return tenant_by_id(call.registry, tenant_name) or Tenant(tenant_name, {}, "", call.now_us)


def existing_device(call: Call, error: str) -> Device:
    """What the path names. Raises Refused."""
    tenant_name, wanted = tenant_id(call), device_id(call)
    tenant_for(call, tenant_name)
    device = device_of(call.registry, tenant_name, wanted)
    if device is None:
        raise _no_device(tenant_name, wanted, error)
    return device


def _searched(call: Call, tenant_name: str) -> Iterable[Device]:
    """All devices of the tenant, or those that are gateways, or are not."""
    tenant_for(call, tenant_name)
    gateways = wants_gateways(call)
    devices = call.registry.store.scan(DEVICE, tenant_name)
    return devices if gateways is None else [one for one in devices if _is_gateway(call, one) is gateways]


def _is_gateway(call: Call, device: Device) -> bool:
    """Another device names it in `via`, or it is in a group."""
    if device.member_of and call.registry.traits.groups_have_gateways:
        return True
    return call.registry.store.count(DEVICE, device.tenant_id, "via", device.device_id) > 0


def _read(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    if not call.registry.traits.has_newer_members:
        document = older_device(document)
    try:
        return read_device(document, call.registry.traits)
    except Unreadable as unreadable:
        raise Refused(400, "request does not contain a valid Device object", str(unreadable)) from None


def _no_device(tenant_name: str, wanted: str, error: str) -> Refused:
    return Refused(404, error, f"the tenant {tenant_name!r} has no device {wanted!r}")
