"""A command as an application sends it: to whoever takes the commands of its device at the moment."""

from __future__ import annotations

from fleetrig.reference_server.northbound import CommandRefused, NorthboundCommand
from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.commands.router import CommandRouter
from fleetrig.reference_server.platforms.hono.state.devices import device_of
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import tenant_of

ID_BYTES = 8


def send_command(registry: Registry, router: CommandRouter, command: NorthboundCommand) -> str:
    """The correlation id of its response; empty for a command without one. Raises CommandRefused."""
    tenant = tenant_of(registry, command.tenant)
    if tenant is None:
        raise CommandRefused(f"there is no tenant {command.tenant[:100]!r}")
    if device_of(registry, tenant.tenant_id, command.device) is None:
        raise CommandRefused(f"the tenant {tenant.tenant_id} has no device {command.device[:100]!r}")
    correlation_id = "" if command.is_one_way else registry.entropy.token_hex(ID_BYTES)
    sent = DeviceCommand(
        tenant.tenant_id, command.device, command.name, command.payload, command.content_type, correlation_id
    )
    if not router.send(sent):
        raise CommandRefused(
            f"nobody takes commands of {command.device}: it has to subscribe to them, or to wait (hono-ttd)"
        )
    return correlation_id
