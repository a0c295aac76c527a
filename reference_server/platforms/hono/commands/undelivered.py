"""Commands that came to nothing, until the applications that wait for their responses have been told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.hono.commands.device_command import DeviceCommand
from fleetrig.reference_server.platforms.hono.northbound.messages import forward
from fleetrig.reference_server.platforms.hono.northbound.properties import COMMAND_RESPONSE, downstream_properties
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.platforms.hono.state.tenants import tenant_by_id

FAILURE_NOTIFICATION: Final = "application/vnd.eclipse-hono-delivery-failure-notification+json"
NO_CONSUMER: Final = "no consumer available"
MOST_OWED: Final = 1_000
"""They wait for a store that fails; the oldest is forgotten."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Why a command has not reached its device; `status` and `error` are what the application is told."""

    status: int
    error: str
    reason: str


GONE: Final = Undelivered(503, NO_CONSUMER, "who has waited for it has gone meanwhile")


class UndeliveredCommands:
    """In memory: adapters find out while no transaction is open."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._owed: list[tuple[DeviceCommand, Undelivered]] = []

    def __bool__(self) -> bool:
        return bool(self._owed)

    def add(self, command: DeviceCommand, undelivered: Undelivered) -> None:
        """Not if a transaction is open that fails: then the command is delivered once more."""
        if command.is_one_way:
            return
        owed = command, undelivered
        self._owed.append(owed)
        del self._owed[:-MOST_OWED]
        self._registry.store.when_settled(lambda committed: None if committed else self._owed.remove(owed))

    def tell(self, now_us: int) -> None:
        """In a transaction; if that fails, they are told in the next."""
        telling = list(self._owed)
        for command, undelivered in telling:
            _notify(self._registry, command, undelivered, now_us)
        self._registry.store.when_settled(lambda committed: self._forget(len(telling)) if committed else None)

    def _forget(self, told: int) -> None:
        del self._owed[:told]


def _notify(registry: Registry, command: DeviceCommand, undelivered: Undelivered, now_us: int) -> None:
    """To an application that waits for a response."""
    tenant = tenant_by_id(registry, command.tenant_id)
    if tenant is None:
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
