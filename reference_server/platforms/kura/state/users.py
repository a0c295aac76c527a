"""Users: people and devices that sign in."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.platforms.kura.state.accounts import NAME
from fleetrig.reference_server.platforms.kura.state.credentials import credentials_of, delete_credential
from fleetrig.reference_server.platforms.kura.state.errors import duplicate, illegal, missing, stale
from fleetrig.reference_server.platforms.kura.state.permissions import access_infos_of, delete_access_info
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION, USER, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry


def user_by_id(registry: Registry, user_id: str) -> User | None:
    return registry.store.get(USER, INSTALLATION, user_id)


def user_by_name(registry: Registry, name: str) -> User | None:
    """Names are unique over the installation, and mind case and blanks (S-05)."""
    found = registry.store.find(USER, INSTALLATION, "name", name)
    return found[0] if found else None


def needed_user(registry: Registry, scope_id: str, user_id: str) -> User:
    """Raises Refused."""
    found = user_by_id(registry, user_id)
    if found is None or found.scope_id != scope_id:
        raise missing("user", user_id)
    return found


def users_of(registry: Registry, scope_id: str) -> list[User]:
    """Of one account, in order of their names."""
    return sorted(registry.store.find(USER, INSTALLATION, "scope", scope_id), key=lambda user: user.name)


def create_user(registry: Registry, user: User) -> User:
    """Raises Refused."""
    if NAME.fullmatch(user.name) is None:
        raise illegal("user.name", user.name, "3 to 255 letters, digits, _ and -")
    if user_by_name(registry, user.name) is not None:
        raise duplicate("user", user.name)
    registry.store.put(USER, INSTALLATION, user)
    return user


def update_user(registry: Registry, user: User, optlock: int, now_us: int, by: str) -> User:
    """`user` as it is to be. Raises Refused when somebody was faster."""
    if optlock != user.optlock:
        raise stale("user")
    changed = replace(user, optlock=user.optlock + 1, modified_us=now_us, modified_by=by)
    registry.store.put(USER, INSTALLATION, changed)
    return changed


def delete_user(registry: Registry, user: User) -> None:
    """With its credentials and what it may do."""
    for credential in credentials_of(registry, user.id):
        delete_credential(registry, credential)
    for access in access_infos_of(registry, user.id):
        delete_access_info(registry, access)
    registry.store.delete(USER, INSTALLATION, user.id)
