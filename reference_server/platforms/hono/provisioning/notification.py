"""The event by which applications hear of a device that was provisioned (spec 2.4): sent, and noted as sent.

Device, credentials and event are parts of one transaction. While applications cannot be reached the device stays,
without the flag, and whoever looks it up next tries again first: until it works the device is locked out.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.northbound.messages import forward
from fleetrig.reference_server.platforms.hono.northbound.properties import EVENT, downstream_properties
from fleetrig.reference_server.platforms.hono.provisioning.contact import Contact
from fleetrig.reference_server.platforms.hono.provisioning.steps import Step
from fleetrig.reference_server.platforms.hono.state.devices import mark_notification_sent
from fleetrig.reference_server.platforms.hono.state.errors import Refused, error_code
from fleetrig.reference_server.platforms.hono.state.records import Device, Tenant

PROVISIONING_NOTIFICATION: Final = "application/vnd.eclipse-hono-device-provisioning-notification"
UNAVAILABLE: Final = 503
RECHECK_US: Final = 50_000
"""How long the registry waits before it announces an edge device again, since somebody else may be about to."""


def announce_if_owed(contact: Contact, tenant: Tenant, device: Device, gateway_id: str | None = None) -> None:
    """Announces a device that was provisioned automatically, unless that is done. Raises Refused with 503."""
    if device.is_auto_provisioned and not device.is_notification_sent and contact.registry.traits.announces_devices:
        announce(contact, tenant, device, gateway_id)


def announce(contact: Contact, tenant: Tenant, device: Device, gateway_id: str | None = None) -> None:
    registry, now_us = contact.registry, contact.now_us
    own = {
        "content-type": PROVISIONING_NOTIFICATION,
        "device_id": device.device_id,
        "gateway_id": gateway_id,
        "hono_registration_status": "NEW",
        "orig_adapter": "hono-device-registry",
        "orig_address": "event",
        "qos": 1,
        "tenant_id": tenant.tenant_id,
    }
    properties = downstream_properties(EVENT, tenant.document, {}, own, has_payload=False, now_us=now_us)
    if not forward(registry, EVENT, tenant.tenant_id, device.device_id, properties, b"", now_us, is_for_webhook=True):
        why = f"applications cannot be told of the device {device.device_id}: it is locked out until they are"
        raise Refused(UNAVAILABLE, error_code(UNAVAILABLE), why)
    mark_notification_sent(registry, device, now_us)
    contact.took(Step.NOTIFICATION_SENT)
