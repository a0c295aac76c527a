"""The registration assertion: may this device send, by itself or by this gateway? Asked before each upload."""

from __future__ import annotations

from dataclasses import dataclass

from fleetrig.reference_server.platforms.hono.provisioning.contact import Contact
from fleetrig.reference_server.platforms.hono.provisioning.gateways import DEVICE_DISABLED, device_by_gateway
from fleetrig.reference_server.platforms.hono.provisioning.sign_in import Denied
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.state.devices import device_of
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.records import Device, Tenant
from fleetrig.reference_server.platforms.hono.state.registry import Registry


@dataclass(frozen=True, slots=True)
class Asserted:
    """A device that may send. `gateway_id`: who sends for it; empty when it does so itself."""

    tenant: Tenant
    device: Device
    gateway_id: str = ""
    steps: tuple[str, ...] = ()
    changed: str = ""
    took_us: int = 0
    """How much later the adapter answers: the registry looks once more before it announces an edge device again."""

    @property
    def device_id(self) -> str:
        return self.device.device_id


def assert_registration(
    registry: Registry, tenant: Tenant, device_id: str, gateway_id: str | None, now_us: int
) -> Asserted | Denied:
    """A gateway that sends for itself is no gateway here: `gateway_id` None, or the device's own."""
    contact = Contact(registry, "", now_us)
    by_gateway = "" if gateway_id in (None, device_id) else str(gateway_id)
    try:
        if by_gateway:
            device = device_by_gateway(contact, tenant, device_id, by_gateway)
        else:
            device = _registered(registry, tenant, device_id)
    except Refused as refused:
        reason = refused.reason or refused.error
        steps = tuple(contact.steps)
        return Denied(refused.status, refused.error, reason, steps, during="connecting", changed=contact.changed)
    contact.took(Step.REGISTRATION_ASSERTED)
    return Asserted(tenant, device, by_gateway, tuple(contact.steps), contact.changed, contact.took_us)


def _registered(registry: Registry, tenant: Tenant, device_id: str) -> Device:
    """Raises Refused with 404."""
    device = device_of(registry, tenant.tenant_id, device_id)
    if device is None or not device.is_enabled:
        state = "is not registered" if device is None else "is disabled"
        raise Refused(404, DEVICE_DISABLED, f"the device {device_id[:100]!r} of {tenant.tenant_id} {state}")
    return device
