"""What is there from the start: the root account with its users and certificates, and the provisioning account."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.accounts import ROOT_NAME, account_by_name, create_account
from fleetrig.reference_server.platforms.kura.state.certificates import create_certificate, create_device_authority
from fleetrig.reference_server.platforms.kura.state.credentials import (
    PASSWORD,
    credentials_of,
    delete_credential,
    matches,
    new_credential,
    save_credential,
)
from fleetrig.reference_server.platforms.kura.state.permissions import BROKER_CONNECT, EVERYTHING, grant
from fleetrig.reference_server.platforms.kura.state.provision_jobs import load_deadlines
from fleetrig.reference_server.platforms.kura.state.records import (
    ROOT_SCOPE,
    AccountRecord,
    AccountSettings,
    CertificateUsage,
    Permission,
    User,
)
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.reference_server.platforms.kura.state.settings import (
    ADMIN_USER,
    BROKER_USER,
    WELL_KNOWN_PASSWORD,
    Account,
)
from fleetrig.reference_server.platforms.kura.state.users import create_user, user_by_name

SIGNING_NAME: Final = "dm-1"
"""The alias under which devices keep the certificate that signs control messages."""
JWT_NAME: Final = "jwt-1"
BROKER_USER_ID: Final = "Ag"
OPEN_TO_DEVICES: Final = AccountSettings(infinite_devices=True)


def open_installation(registry: Registry, now_us: int) -> None:
    """Makes what is not there yet, and finds what jobs of an earlier process wait for. Cheap to repeat."""
    if account_by_name(registry, ROOT_NAME) is None:
        _make_root(registry, now_us)
    else:
        _renew_passwords(registry, now_us)
    name = registry.settings.provision_account
    if account_by_name(registry, name) is None:
        _make_account(registry, name, AccountSettings(), now_us)
    for account in registry.settings.accounts:
        _open_account(registry, account, now_us)
    load_deadlines(registry)


def _make_root(registry: Registry, now_us: int) -> None:
    root = AccountRecord(ROOT_SCOPE, "", ROOT_NAME, "", OPEN_TO_DEVICES, created_us=now_us, modified_us=now_us)
    create_account(registry, root)
    admin = User(ROOT_SCOPE, ROOT_SCOPE, ADMIN_USER, display_name="Kapua Sysadmin")
    _make_user(registry, admin, registry.settings.admin_password, EVERYTHING, now_us)
    broker = User(BROKER_USER_ID, ROOT_SCOPE, BROKER_USER, display_name="Kapua Broker")
    _make_user(
        registry, broker, registry.settings.broker_password, Permission(*BROKER_CONNECT, forwardable=True), now_us
    )
    usages = {SIGNING_NAME: CertificateUsage.DEVICE_MANAGEMENT, JWT_NAME: CertificateUsage.JWT}
    for name, usage in usages.items():
        create_certificate(registry, ROOT_SCOPE, name, (usage,), now_us, forwardable=True)
    create_device_authority(registry, now_us)


def _renew_passwords(registry: Registry, now_us: int) -> None:
    """Of an installation that was kept: passwords of its own that this start was given count from now on."""
    settings = registry.settings
    for name, password in ((ADMIN_USER, settings.admin_password), (BROKER_USER, settings.broker_password)):
        user = user_by_name(registry, name)
        if user is not None and password != WELL_KNOWN_PASSWORD:
            _set_password(registry, user, password, now_us)


def _set_password(registry: Registry, user: User, password: str, now_us: int) -> None:
    """In place of what it was, unless it is the same: its lockout stays then, too."""
    kept = [one for one in credentials_of(registry, user.id) if one.credential_type == PASSWORD]
    if any(matches(one, password) for one in kept):
        return
    for one in kept:
        delete_credential(registry, one)
    save_credential(registry, new_credential(registry, user.scope_id, user.id, password, now_us, ROOT_SCOPE))


def _open_account(registry: Registry, account: Account, now_us: int) -> None:
    found = account_by_name(registry, account.name)
    found = found or _make_account(registry, account.name, OPEN_TO_DEVICES, now_us)
    user = user_by_name(registry, account.user)
    if user is not None:
        _set_password(registry, user, account.password, now_us)
    else:
        everything = Permission(target_scope_id=found.id, forwardable=True)
        user = User(registry.new_id(), found.id, account.user)
        _make_user(registry, user, account.password, everything, now_us)


def _make_account(registry: Registry, name: str, settings: AccountSettings, now_us: int) -> AccountRecord:
    made = AccountRecord(
        registry.new_id(), ROOT_SCOPE, name, "", settings, created_us=now_us, created_by=ROOT_SCOPE, modified_us=now_us
    )
    return create_account(registry, made)


def _make_user(registry: Registry, user: User, password: str, permission: Permission, now_us: int) -> None:
    """Its password is the installation's choice: no rule is asked."""
    made = replace(user, created_us=now_us, created_by=ROOT_SCOPE, modified_us=now_us, modified_by=ROOT_SCOPE)
    create_user(registry, made)
    save_credential(registry, new_credential(registry, user.scope_id, user.id, password, now_us, ROOT_SCOPE))
    grant(registry, made, (permission,), now_us, ROOT_SCOPE)
