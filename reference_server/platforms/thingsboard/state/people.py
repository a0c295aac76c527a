"""Tenants, their customers and who logs in. The demo tenant is there from the start (spec 4)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

from fleetrig.reference_server.platforms.thingsboard.state.profiles import DEFAULT_DATA, create_profile
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CUSTOMER,
    INSTALLATION,
    TENANT,
    USER,
    Authority,
    Customer,
    DeviceProfile,
    Tenant,
    User,
    joined,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account


def open_installation(registry: Registry, now_us: int) -> None:
    """Makes the tenants and accounts that the settings name, where they are not there yet. Cheap to repeat."""
    for account in registry.settings.accounts:
        if user_by_email(registry, account.email) is None:
            _open_account(registry, account, now_us)


def _open_account(registry: Registry, account: Account, now_us: int) -> None:
    found = registry.store.find(TENANT, INSTALLATION, "title", account.tenant)
    tenant = found[0] if found else _open_tenant(registry, account.tenant, now_us)
    user = User(registry.new_id(now_us), tenant.id, ms(now_us), account.email, Authority.TENANT_ADMIN)
    set_password(registry, user, account.password)


def _open_tenant(registry: Registry, title: str, now_us: int) -> Tenant:
    tenant = Tenant(registry.new_id(now_us), ms(now_us), title)
    registry.store.put(TENANT, INSTALLATION, tenant)
    profile = DeviceProfile(
        registry.new_id(now_us),
        tenant.id,
        ms(now_us),
        "default",
        profile_data=DEFAULT_DATA,
        is_default=True,
        description="Default device profile",
    )
    create_profile(registry, profile)
    return tenant


def user_by_id(registry: Registry, user_id: str) -> User | None:
    return registry.store.get(USER, INSTALLATION, user_id)


def user_by_email(registry: Registry, email: str) -> User | None:
    """Addresses are unique over the installation, in lower case."""
    found = registry.store.find(USER, INSTALLATION, "email", email.lower())
    return found[0] if found else None


def user_to_activate(registry: Registry, activation_token: str) -> User | None:
    found = registry.store.find(USER, INSTALLATION, "activation", activation_token)
    return found[0] if found else None


def save_user(registry: Registry, user: User) -> None:
    registry.store.put(USER, INSTALLATION, replace(user, email=user.email.lower()))
    registry.learn("activation-token", user.activation_token)


def set_password(registry: Registry, user: User, password: str) -> User:
    """Activates, too."""
    registry.learn("password", password)
    active = replace(user, password_hash=_hashed(user, password), activation_token=None)
    save_user(registry, active)
    return active


def has_password(user: User, password: str) -> bool:
    """False for who is not active."""
    return user.password_hash is not None and hmac.compare_digest(user.password_hash, _hashed(user, password))


def _hashed(user: User, password: str) -> str:
    """Of id and password. The real server's hash is a slow one, which would only slow down tests."""
    return hashlib.sha256(f"{user.id}\n{password}".encode("utf-8", "surrogatepass")).hexdigest()


def customer_by_id(registry: Registry, customer_id: str) -> Customer | None:
    return registry.store.get(CUSTOMER, INSTALLATION, customer_id)


def customer_titled(registry: Registry, tenant_id: str, title: str) -> Customer | None:
    found = registry.store.find(CUSTOMER, INSTALLATION, "title", joined(tenant_id, title))
    return found[0] if found else None


def save_customer(registry: Registry, customer: Customer) -> None:
    registry.store.put(CUSTOMER, INSTALLATION, customer)
