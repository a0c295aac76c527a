"""Whether a user may connect with a client id (spec 5.4)."""

from __future__ import annotations

from fleetrig.reference_server.platforms.kura.state.device_records import CONNECTION, DeviceConnection
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord, CouplingMode, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry


def coupling_of(account: AccountRecord, connection: DeviceConnection | None) -> CouplingMode:
    """The connection's own mode, or that of its account."""
    if connection is None or connection.user_coupling_mode is CouplingMode.INHERITED:
        return account.settings.coupling
    return connection.user_coupling_mode


def why_not_coupled(registry: Registry, account: AccountRecord, connection: DeviceConnection | None, user: User) -> str:
    """Why the user may not connect as this client; empty: it may. `connection`: what is known of the client id."""
    mode = coupling_of(account, connection)
    own_id = "" if connection is None else connection.id
    reserved = "" if connection is None else connection.reserved_user_id
    if reserved:
        return "" if reserved == user.id else f"the connection is reserved for another user than {user.name}"
    if is_reserved_elsewhere(registry, account.id, own_id, user):
        return f"user {user.name} is reserved for another connection"
    is_strict = mode is CouplingMode.STRICT and connection is not None
    if is_strict and connection is not None and connection.user_id != user.id and not connection.allow_user_change:
        return f"the client id belongs to another user than {user.name}: allow one change of user (allowUserChange)"
    return ""


def is_reserved_elsewhere(registry: Registry, scope_id: str, own_id: str, user: User) -> bool:
    found = registry.store.find(CONNECTION, scope_id, "reserved", user.id)
    return any(one.id != own_id for one in found)
