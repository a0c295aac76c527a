"""Device connections: what CONNECT makes and every end of a session changes (spec 5.1, 5.4)."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.platforms.kura.state.coupling import why_not_coupled
from fleetrig.reference_server.platforms.kura.state.device_records import (
    CONNECTION,
    ConnectionStatus,
    DeviceConnection,
    DeviceStatus,
)
from fleetrig.reference_server.platforms.kura.state.devices import device_by_client
from fleetrig.reference_server.platforms.kura.state.errors import LoginFailure, LoginRefused, missing, stale
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry


def connection_by_client(registry: Registry, scope_id: str, client_id: str) -> DeviceConnection | None:
    found = registry.store.find(CONNECTION, scope_id, "client", client_id)
    return found[0] if found else None


def needed_connection(registry: Registry, scope_id: str, connection_id: str) -> DeviceConnection:
    """Raises Refused."""
    found = registry.store.get(CONNECTION, scope_id, connection_id)
    if found is None:
        raise missing("deviceConnection", connection_id)
    return found


def connections_of(registry: Registry, scope_id: str) -> list[DeviceConnection]:
    """In the order in which they were made."""
    return sorted(registry.store.scan(CONNECTION, scope_id), key=lambda one: (one.created_us, one.id))


def connected(
    registry: Registry, account: AccountRecord, client_id: str, user: User, client_ip: str, protocol: str, now_us: int
) -> DeviceConnection:
    """A CONNECT whose user has signed in. Raises LoginRefused: the coupling, or a device that is DISABLED."""
    found = connection_by_client(registry, account.id, client_id)
    why = why_not_coupled(registry, account, found, user)
    if why:
        raise LoginRefused(LoginFailure.NOT_AUTHORIZED, why)
    device = device_by_client(registry, account.id, client_id)
    if device is not None and device.status is DeviceStatus.DISABLED and registry.settings.enforces_disabled:
        raise LoginRefused(LoginFailure.NOT_AUTHORIZED, f"device {client_id} is DISABLED: enable it")
    if found is None:
        found = DeviceConnection(
            registry.new_id(), account.id, client_id, user.id, created_us=now_us, created_by=user.id
        )
    online = replace(
        found,
        user_id=user.id,
        status=ConnectionStatus.CONNECTED,
        client_ip=client_ip,
        protocol=protocol,
        connected_us=now_us,
        allow_user_change=False,
        modified_us=now_us,
        modified_by=user.id,
        optlock=found.optlock + 1,
    )
    registry.store.put(CONNECTION, account.id, online)
    return online


def disconnected(registry: Registry, connection: DeviceConnection, status: ConnectionStatus, now_us: int) -> bool:
    """A session has ended: DISCONNECTED or MISSING. False when a later one of the same client has begun (S-31).

    `connection` is what `connected` gave for the session that has ended.
    """
    found = registry.store.get(CONNECTION, connection.scope_id, connection.id)
    if found is None or found.connected_us != connection.connected_us or found.status is status:
        return False
    registry.store.put(
        CONNECTION, found.scope_id, replace(found, status=status, modified_us=now_us, optlock=found.optlock + 1)
    )
    return True


def set_options(registry: Registry, changed: DeviceConnection, optlock: int, now_us: int, by: str) -> DeviceConnection:
    """Coupling, reserved user, one change of user. Raises Refused when somebody was faster."""
    if optlock != changed.optlock:
        raise stale("deviceConnection")
    saved = replace(changed, optlock=changed.optlock + 1, modified_us=now_us, modified_by=by)
    registry.store.put(CONNECTION, changed.scope_id, saved)
    return saved


def delete_connection(registry: Registry, connection: DeviceConnection) -> None:
    registry.store.delete(CONNECTION, connection.scope_id, connection.id)
