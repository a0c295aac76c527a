"""What applications hear about commands beside responses: who takes them, and which came to nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.commands.router import CommandConsumer
from fleetrig.reference_server.platforms.hono.northbound.messages import forward
from fleetrig.reference_server.platforms.hono.northbound.properties import (
    COMMAND_RESPONSE,
    EVENT,
    downstream_properties,
)
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import tenant_by_id

EMPTY_NOTIFICATION: Final = "application/vnd.eclipse-hono-empty-notification"
FAILURE_NOTIFICATION: Final = "application/vnd.eclipse-hono-delivery-failure-notification+json"
NO_CONSUMER: Final = "no consumer available"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Why a command has not reached its device; `status` and `error` are what the application is told."""

    status: int
    error: str
    reason: str


GONE: Final = Undelivered(503, NO_CONSUMER, "who has waited for it has gone meanwhile")


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


def notify_undelivered(registry: Registry, command: DeviceCommand, undelivered: Undelivered, now_us: int) -> None:
    """To an application that waits for a response."""
    tenant = tenant_by_id(registry, command.tenant_id)
    if command.is_one_way or tenant is None:
        return
    own = {
        "content-type": FAILURE_NOTIFICATION,
        "correlation-id": command.correlation_id,
        "tenant_id": command.tenant_id,
        "device_id": command.device_id,
        "status": undelivered.status,
    }
    payload = json.dumps({"error": undelivered.error}, separators=(",", ":"), ensure_ascii=False).encode()
    properties = downstream_properties(COMMAND_RESPONSE, tenant.document, {}, own, has_payload=True, now_us=now_us)
    forward(registry, COMMAND_RESPONSE, command.tenant_id, command.device_id, properties, payload, now_us)
