"""What applications hear about who takes commands."""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.platforms.hono.commands.router import CommandConsumer
from fleetrig.reference_server.platforms.hono.northbound.messages import forward
from fleetrig.reference_server.platforms.hono.northbound.properties import (
    EVENT,
    downstream_properties,
)
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import tenant_by_id

EMPTY_NOTIFICATION: Final = "application/vnd.eclipse-hono-empty-notification"


def notify_taking(registry: Registry, consumer: CommandConsumer, ttd_s: int, now_us: int) -> str:
    """An empty notification: the device takes commands until further notice (-1), or no longer (0).

    Why it cannot be told; empty when it is.
    """
    tenant = tenant_by_id(registry, consumer.tenant_id)
    if tenant is None:
        return f"the tenant {consumer.tenant_id} has been deleted"
    own = {
        "content-type": EMPTY_NOTIFICATION,
        "tenant_id": consumer.tenant_id,
        "device_id": consumer.device_id,
        "orig_adapter": consumer.adapter,
        "qos": 1,
        "ttd": ttd_s,
    }
    properties = downstream_properties(EVENT, tenant.document, {}, own, has_payload=False, now_us=now_us)
    is_told = forward(registry, EVENT, consumer.tenant_id, consumer.device_id, properties, b"", now_us)
    return "" if is_told else "applications cannot be told that the device takes commands"
