"""May a gateway send for a device? An unknown one is provisioned, if the gateway may do that (spec 3)."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.provisioning.contact import Contact
from fleetrig.reference_server.platforms.hono.provisioning.notification import RECHECK_US, announce_if_owed
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.state.devices import create_device, device_of
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.records import Device, Tenant

DEVICE_DISABLED: Final = "device is disabled or not registered"
GATEWAY_DISABLED: Final = "gateway is disabled or not registered"
"""What adapters say of every 403 of the registry, also when the tenant has as many devices as it may have."""
FORBIDDEN: Final = 403


def device_by_gateway(contact: Contact, tenant: Tenant, device_id: str, gateway_id: str) -> Device:
    """The device, which may be new. Raises Refused: 404 about the device, 403 about the gateway."""
    registry = contact.registry
    device = device_of(registry, tenant.tenant_id, device_id)
    gateway = device_of(registry, tenant.tenant_id, gateway_id)
    if device is None and gateway is not None and _provisions(contact, gateway):
        return _provisioned(contact, tenant, device_id, gateway)
    if device is None or not device.is_enabled:
        raise _no_device(device, device_id, gateway)
    if gateway is None or not gateway.is_enabled:
        state = "not registered" if gateway is None else "disabled"
        raise Refused(403, GATEWAY_DISABLED, f"the gateway {gateway_id} is {state}")
    if not acts_for(gateway, device):
        why = f"the gateway {gateway_id} is not in via of the device {device_id}, nor in one of its viaGroups"
        raise Refused(403, GATEWAY_DISABLED, why)
    if device.is_auto_provisioned and not device.is_notification_sent and registry.traits.announces_devices:
        contact.took_us += RECHECK_US
        announce_if_owed(contact, tenant, device, gateway_id)
    return device


def acts_for(gateway: Device, device: Device) -> bool:
    return gateway.device_id in device.via or not set(gateway.member_of).isdisjoint(device.via_groups)


def _provisions(contact: Contact, gateway: Device) -> bool:
    return gateway.is_enabled and gateway.may_provision and contact.registry.traits.provisions_edge_devices


def _provisioned(contact: Contact, tenant: Tenant, device_id: str, gateway: Device) -> Device:
    document: dict[str, object] = {"enabled": True, "via": [gateway.device_id]}
    if gateway.member_of:
        document["viaGroups"] = list(gateway.member_of)
    try:
        device = create_device(contact.registry, tenant, device_id, document, contact.now_us, is_auto_provisioned=True)
    except Refused as refused:
        error = GATEWAY_DISABLED if refused.status == FORBIDDEN else error_code(refused.status)
        raise Refused(refused.status, error, refused.reason or refused.error) from None
    contact.changed = f"edge device {device_id} provisioned by {gateway.device_id}"
    contact.took(Step.EDGE_DEVICE_CREATED)
    announce_if_owed(contact, tenant, device, gateway.device_id)
    return device


def _no_device(device: Device | None, device_id: str, gateway: Device | None) -> Refused:
    if device is not None:
        return Refused(404, DEVICE_DISABLED, f"the device {device_id} is disabled")
    why = f"there is no device {device_id[:100]!r}"
    if gateway is not None:
        may = "is disabled" if gateway.may_provision else "lacks the authority auto-provisioning-enabled"
        why += f", and it is not provisioned since the gateway {gateway.device_id} {may}"
    return Refused(404, DEVICE_DISABLED, why)
