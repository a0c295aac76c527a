"""Devices: found, made, replaced, deleted; gateways and their groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.ids import check_column, check_device_id
from fleetrig.reference_server.platforms.hono.state.records import CREDENTIALS, DEVICE, Device, Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Notice, NoticeKind, Registry
from fleetrig.reference_server.platforms.hono.state.tenants import DUPLICATE
from fleetrig.reference_server.platforms.hono.state.versions import check_version

LIMITS: Final = "registration-limits"
UNLIMITED: Final = -1


def device_of(registry: Registry, tenant_id: str, device_id: str) -> Device | None:
    return registry.store.get(DEVICE, tenant_id, device_id)


def count_devices(registry: Registry, tenant_id: str) -> int:
    return registry.store.count(DEVICE, tenant_id)


def members_of(registry: Registry, tenant_id: str, group: str) -> list[Device]:
    """The gateways of a group, by their ids."""
    return registry.store.find(DEVICE, tenant_id, "member_of", group)


def create_device(
    registry: Registry,
    tenant: Tenant,
    device_id: str | None,
    document: Mapping[str, Any],
    now_us: int,
    *,
    is_auto_provisioned: bool = False,
) -> Device:
    """With an empty set of credentials; without an id it gets one. Raises Refused before anything is written."""
    device_id = registry.new_uuid() if device_id is None else device_id
    check_device_id(registry, device_id)
    check_device_limit(registry, tenant)
    check_column(registry, "DEVICE_ID", device_id)
    if device_of(registry, tenant.tenant_id, device_id) is not None:
        error = DUPLICATE if registry.traits.names_duplicate else "device already exists"
        raise Refused(409, error, f"the tenant has a device {device_id!r} already")
    check_column(registry, "GROUP_ID", *document.get("memberOf", ()))
    version = registry.new_uuid()
    device = Device(
        tenant_id=tenant.tenant_id,
        device_id=device_id,
        document=document,
        version=version,
        credentials_version=version if registry.traits.has_common_version else registry.new_uuid(),
        created_us=now_us,
        is_auto_provisioned=is_auto_provisioned,
    )
    registry.store.put(DEVICE, tenant.tenant_id, device)
    return device


def check_device_limit(registry: Registry, tenant: Tenant) -> None:
    """The tenant's own limit counts before that of the installation. Raises Refused."""
    most = tenant.document.get(LIMITS, {}).get("max-devices", UNLIMITED)
    if most <= UNLIMITED:
        if registry.settings.devices_per_tenant <= 0:
            return
        most = registry.settings.devices_per_tenant
    if count_devices(registry, tenant.tenant_id) >= most:
        error = f"configured device limit reached [tenant-id: {tenant.tenant_id}, max devices: {most}]"
        raise Refused(403, error, f"the tenant has as many devices as it may have ({most})")


def replace_device(
    registry: Registry, stored: Device, document: Mapping[str, Any], version: str | None, now_us: int
) -> Device:
    """What an operator puts in its place. Raises Refused."""
    check_version(version, stored.version)
    check_column(registry, "GROUP_ID", *document.get("memberOf", ()))
    traits = registry.traits
    new = registry.new_uuid()
    device = replace(
        stored,
        document=document,
        version=new,
        credentials_version=new if traits.has_common_version else stored.credentials_version,
        updated_us=now_us,
        is_auto_provisioned=stored.is_auto_provisioned and traits.keeps_auto_provisioned,
        is_notification_sent=stored.is_notification_sent and traits.keeps_notification_sent,
    )
    registry.store.put(DEVICE, device.tenant_id, device)
    kind = NoticeKind.DEVICE_CHANGED if device.is_enabled else NoticeKind.DEVICE_DISABLED
    registry.notify(Notice(kind, device.tenant_id, device.device_id))
    return device


def mark_notification_sent(registry: Registry, device: Device, now_us: int) -> Device:
    """Applications know of it: an update with a version of its own, which closes no connection."""
    new = registry.new_uuid()
    marked = replace(
        device,
        version=new,
        credentials_version=new if registry.traits.has_common_version else device.credentials_version,
        updated_us=now_us,
        is_notification_sent=True,
    )
    registry.store.put(DEVICE, device.tenant_id, marked)
    return marked


def delete_device(registry: Registry, stored: Device, version: str | None = None) -> None:
    """With its credentials; its connections are closed. Raises Refused."""
    check_version(version, stored.version)
    _remove(registry, stored)
    registry.notify(Notice(NoticeKind.DEVICE_DELETED, stored.tenant_id, stored.device_id))


def delete_devices(registry: Registry, tenant_id: str) -> int:
    """All of a tenant; how many there were."""
    devices = list(registry.store.scan(DEVICE, tenant_id))
    for device in devices:
        _remove(registry, device)
    registry.notify(Notice(NoticeKind.DEVICE_DELETED, tenant_id))
    return len(devices)


def _remove(registry: Registry, device: Device) -> None:
    for entry in registry.store.find(CREDENTIALS, device.tenant_id, "device", device.device_id):
        registry.store.delete(CREDENTIALS, device.tenant_id, CREDENTIALS.key(entry))
    registry.store.delete(DEVICE, device.tenant_id, device.device_id)
