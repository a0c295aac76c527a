"""Accounts: a tree below the root account, with the provisioning account in it (spec 1.1)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.device_records import DEVICE
from fleetrig.reference_server.platforms.kura.state.errors import Refused, duplicate, illegal, missing, stale
from fleetrig.reference_server.platforms.kura.state.records import (
    ACCOUNT,
    INSTALLATION,
    ROOT_SCOPE,
    AccountRecord,
    AccountSettings,
)
from fleetrig.reference_server.platforms.kura.state.registry import Registry

ROOT_NAME: Final = "kapua-sys"
NAME: Final = re.compile(r"[a-zA-Z0-9_-]{3,255}", re.ASCII)
"""Kapua's pattern of names of accounts and users."""


def account_by_id(registry: Registry, account_id: str) -> AccountRecord | None:
    return registry.store.get(ACCOUNT, INSTALLATION, account_id)


def account_by_name(registry: Registry, name: str) -> AccountRecord | None:
    """Names are unique over the installation, and mind case."""
    found = registry.store.find(ACCOUNT, INSTALLATION, "name", name)
    return found[0] if found else None


def needed_account(registry: Registry, account_id: str) -> AccountRecord:
    """Raises Refused."""
    found = account_by_id(registry, account_id)
    if found is None:
        raise missing("account", account_id)
    return found


def provision_account(registry: Registry) -> AccountRecord:
    """The account that all devices sign in to for provisioning; it is there from the start."""
    found = account_by_name(registry, registry.settings.provision_account)
    assert found is not None, "the installation is open"
    return found


def children_of(registry: Registry, scope_id: str) -> list[AccountRecord]:
    """The accounts right below one, in order of their names."""
    found = registry.store.find(ACCOUNT, INSTALLATION, "scope", scope_id)
    return sorted(found, key=lambda account: account.name)


def is_within(registry: Registry, account_id: str, above_id: str) -> bool:
    """The account is the other one or below it."""
    found = account_by_id(registry, account_id)
    return found is not None and above_id in found.path.split("/")


def create_account(registry: Registry, account: AccountRecord) -> AccountRecord:
    """`account` without its path. Raises Refused."""
    if NAME.fullmatch(account.name) is None:
        raise illegal("account.name", account.name, "3 to 255 letters, digits, _ and -")
    if account_by_name(registry, account.name) is not None:
        raise duplicate("account", account.name)
    above = "" if account.id == ROOT_SCOPE else needed_account(registry, account.scope_id).path
    made = replace(account, path=f"{above}/{account.id}")
    registry.store.put(ACCOUNT, INSTALLATION, made)
    return made


def update_account(registry: Registry, account: AccountRecord, optlock: int, now_us: int, by: str) -> AccountRecord:
    """Raises Refused when somebody was faster."""
    if optlock != account.optlock:
        raise stale("account")
    changed = replace(account, optlock=account.optlock + 1, modified_us=now_us, modified_by=by)
    registry.store.put(ACCOUNT, INSTALLATION, changed)
    return changed


def set_account_settings(registry: Registry, account: AccountRecord, settings: AccountSettings) -> AccountRecord:
    """What an account decides for itself is changed without an optimistic lock, as service configurations are."""
    changed = replace(account, settings=settings, optlock=account.optlock + 1)
    registry.store.put(ACCOUNT, INSTALLATION, changed)
    return changed


def check_removable(registry: Registry, account: AccountRecord) -> None:
    """Raises Refused for one that others need: the root, the provisioning account, one with accounts below it."""
    name = account.name
    if name in (ROOT_NAME, registry.settings.provision_account):
        why = f"Operation not allowed: the account {name} cannot be deleted."
        raise Refused(500, "OPERATION_NOT_ALLOWED", why, why)
    if children_of(registry, account.id):
        error = "Operation not allowed: This account cannot be deleted. Delete its child first.."
        raise Refused(500, "OPERATION_NOT_ALLOWED", error, f"delete the accounts below {name} first")


def delete_account(registry: Registry, account: AccountRecord) -> None:
    """The account alone: `account_removal` takes what belongs to it."""
    registry.store.delete(ACCOUNT, INSTALLATION, account.id)


def check_room(registry: Registry, account: AccountRecord) -> None:
    """One more device. Raises Refused at the registration limit (5.1)."""
    settings = account.settings
    if settings.infinite_devices or registry.store.count(DEVICE, account.id) < settings.max_devices:
        return
    why = f"account {account.name} may have {settings.max_devices} devices: allow more in its settings"
    error = "Max number of Devices reached. Please increase the number or set InfiniteChildDevices parameter to True."
    kind = "maxNumberOfItemsReachedExceptionInfo"
    raise Refused(403, "MAX_NUMBER_OF_ITEMS_REACHED", error, why, {"entityType": "Devices"}, kind)
