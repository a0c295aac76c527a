"""What users may do: permissions in their access infos (spec 5.3, 5.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.accounts import is_within
from fleetrig.reference_server.platforms.kura.state.errors import Refused, decimal_id, missing
from fleetrig.reference_server.platforms.kura.state.records import (
    ACCESS_INFO,
    INSTALLATION,
    ROOT_SCOPE,
    AccessInfo,
    AccessPermission,
    Permission,
    User,
)
from fleetrig.reference_server.platforms.kura.state.registry import Registry

EVERYTHING: Final = Permission(forwardable=True)
BROKER_CONNECT: Final = ("broker", "connect")


def access_infos_of(registry: Registry, user_id: str) -> list[AccessInfo]:
    return registry.store.find(ACCESS_INFO, INSTALLATION, "user", user_id)


def access_infos_within(registry: Registry, scope_id: str) -> list[AccessInfo]:
    """Of one account, in the order in which they were made."""
    found = registry.store.find(ACCESS_INFO, INSTALLATION, "scope", scope_id)
    return sorted(found, key=lambda one: (one.created_us, one.id))


def needed_access_info(registry: Registry, scope_id: str, access_info_id: str) -> AccessInfo:
    """Raises Refused."""
    found = registry.store.get(ACCESS_INFO, INSTALLATION, access_info_id)
    if found is None or found.scope_id != scope_id:
        raise missing("accessInfo", access_info_id)
    return found


def permissions_of(registry: Registry, user: User) -> list[Permission]:
    return [one.permission for access in access_infos_of(registry, user.id) for one in access.permissions]


def is_permitted(registry: Registry, user: User, domain: str, action: str, scope_id: str) -> bool:
    """`scope_id`: the account in which it is to be done."""
    return any(_covers(registry, one, domain, action, scope_id) for one in permissions_of(registry, user))


def check_permitted(registry: Registry, user: User, domain: str, action: str, scope_id: str) -> None:
    """Raises Refused."""
    if not is_permitted(registry, user, domain, action, scope_id):
        raise unauthorized(user, domain, action, scope_id)


def unauthorized(user: User, domain: str, action: str, scope_id: str) -> Refused:
    """403."""
    missed = f"{domain}:{action}:{decimal_id(scope_id)}:*"
    error = f"User does not have permission to perform this action. Required permission: {missed}."
    why = f"user {user.name} needs the permission {domain}:{action} in account {scope_id}"
    needed = {"domain": domain, "action": action, "targetScopeId": scope_id, "forwardable": False}
    told = {"permission": needed}
    return Refused(403, "SUBJECT_UNAUTHORIZED", error, why, told, "subjectUnauthorizedExceptionInfo")


def check_may_grant(registry: Registry, user: User, permission: Permission) -> None:
    """Nobody gives away what he may not do himself. Raises Refused."""
    if not any(_includes(registry, own, permission) for own in permissions_of(registry, user)):
        domain, action = permission.domain or "*", permission.action or "*"
        raise unauthorized(user, domain, action, permission.target_scope_id or ROOT_SCOPE)


def grant(
    registry: Registry,
    user: User,
    permissions: tuple[Permission, ...],
    now_us: int,
    by: str,
    role_ids: tuple[str, ...] = (),
) -> AccessInfo:
    """A new access info of a user."""
    entries = tuple(AccessPermission(registry.new_id(), one, now_us, by) for one in permissions)
    access = AccessInfo(registry.new_id(), user.scope_id, user.id, entries, role_ids, now_us, by, now_us, by)
    save_access_info(registry, access)
    return access


def add_permission(
    registry: Registry, access: AccessInfo, permission: Permission, now_us: int, by: str
) -> AccessPermission:
    entry = AccessPermission(registry.new_id(), permission, now_us, by)
    changed = replace(access, permissions=(*access.permissions, entry), modified_us=now_us, modified_by=by)
    save_access_info(registry, replace(changed, optlock=access.optlock + 1))
    return entry


def save_access_info(registry: Registry, access: AccessInfo) -> None:
    registry.store.put(ACCESS_INFO, INSTALLATION, access)


def delete_access_info(registry: Registry, access: AccessInfo) -> None:
    registry.store.delete(ACCESS_INFO, INSTALLATION, access.id)


def _covers(registry: Registry, permission: Permission, domain: str, action: str, scope_id: str) -> bool:
    if permission.domain not in (None, domain) or permission.action not in (None, action):
        return False
    if permission.group_id is not None:
        return False  # groups of devices are not kept: what is for one group is for none
    target = permission.target_scope_id
    if target is None or target == scope_id:
        return True
    return permission.forwardable and is_within(registry, scope_id, target)


def _includes(registry: Registry, own: Permission, other: Permission) -> bool:
    if own.domain not in (None, other.domain) or own.action not in (None, other.action):
        return False
    if own.group_id not in (None, other.group_id):
        return False
    if own.target_scope_id is None:
        return True
    if other.target_scope_id is None or (other.forwardable and not own.forwardable):
        return False
    is_same = own.target_scope_id == other.target_scope_id
    return is_same or (own.forwardable and is_within(registry, other.target_scope_id, own.target_scope_id))
