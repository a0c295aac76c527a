"""Tenants, their customers and who logs in. The demo tenant is there from the start (spec 4)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.state.api_keys import api_keys_of, delete_api_key
from fleetrig.reference_server.platforms.thingsboard.state.entity_limits import check_room
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken, old_version
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_name
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CUSTOMER,
    DEVICE,
    INSTALLATION,
    NULL_UUID,
    TENANT,
    USER,
    Authority,
    Customer,
    Tenant,
    User,
    joined,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.reference_server.platforms.thingsboard.state.settings import Account
from fleetrig.reference_server.platforms.thingsboard.state.tenants import (
    create_tenant,
    default_tenant_profile,
    limit_by_settings,
)

PUBLIC: Final = "Public"
"""A title that the real server has for itself."""


def open_installation(registry: Registry, now_us: int) -> None:
    """Makes the tenants and accounts that the settings name, where they are not there yet. Cheap to repeat."""
    limit_by_settings(registry, now_us)
    for account in registry.settings.accounts:
        if user_by_email(registry, account.email) is None:
            _open_account(registry, account, now_us)
    administrator = registry.settings.administrator
    if user_by_email(registry, administrator.email) is None:
        _open_user(registry, NULL_UUID, administrator, Authority.SYS_ADMIN, now_us)


def _open_account(registry: Registry, account: Account, now_us: int) -> None:
    found = registry.store.find(TENANT, INSTALLATION, "title", account.tenant)
    tenant = found[0] if found else _open_tenant(registry, account.tenant, now_us)
    _open_user(registry, tenant.id, account, Authority.TENANT_ADMIN, now_us)


def _open_tenant(registry: Registry, title: str, now_us: int) -> Tenant:
    profile = default_tenant_profile(registry, now_us)
    return create_tenant(registry, Tenant(registry.new_id(now_us), ms(now_us), title, profile.id), now_us)


def _open_user(registry: Registry, tenant_id: str, account: Account, authority: Authority, now_us: int) -> None:
    user = User(registry.new_id(now_us), tenant_id, ms(now_us), account.email, authority)
    set_password(registry, user, account.password)


def user_by_id(registry: Registry, user_id: str) -> User | None:
    return registry.store.get(USER, INSTALLATION, user_id)


def user_by_email(registry: Registry, email: str) -> User | None:
    """Addresses are unique over the installation, and mind case."""
    found = registry.store.find(USER, INSTALLATION, "email", email)
    return found[0] if found else None


def user_to_activate(registry: Registry, activation_token: str) -> User | None:
    found = registry.store.find(USER, INSTALLATION, "activation", activation_token)
    return found[0] if found else None


def save_user(registry: Registry, user: User) -> None:
    registry.store.put(USER, INSTALLATION, user)
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


def users_of(registry: Registry, tenant_id: str) -> list[User]:
    """Of a tenant, those of its customers too, in the order in which they were made."""
    found = registry.store.find(USER, INSTALLATION, "tenant", tenant_id)
    return sorted(found, key=lambda user: (user.created_at_ms, user.id))


def create_user(registry: Registry, user: User) -> None:
    """Raises RuleBroken."""
    if user.tenant_id != NULL_UUID:
        check_room(registry, user.tenant_id, USER, "User")
    save_user(registry, user)


def delete_user(registry: Registry, user: User) -> None:
    for key in api_keys_of(registry, user.id):
        delete_api_key(registry, key)
    registry.store.delete(USER, INSTALLATION, user.id)


def customers_of(registry: Registry, tenant_id: str) -> list[Customer]:
    """In the order in which they were made."""
    found = registry.store.find(CUSTOMER, INSTALLATION, "tenant", tenant_id)
    return sorted(found, key=lambda customer: (customer.created_at_ms, customer.id))


def create_customer(registry: Registry, customer: Customer) -> Customer:
    """Raises RuleBroken."""
    _check_customer(registry, customer)
    check_room(registry, customer.tenant_id, CUSTOMER, "Customer")
    registry.store.put(CUSTOMER, INSTALLATION, customer)
    return customer


def save_customer(registry: Registry, changed: Customer, version: int | None = None) -> Customer:
    """`version`: what the caller has seen; None: whatever it is. Raises RuleBroken."""
    _check_customer(registry, changed)
    stored = customer_by_id(registry, changed.id)
    if stored is None:
        raise RuleBroken("Can't update non existing customer!")
    if version is not None and version != stored.version:
        raise old_version("Customer")
    saved = replace(changed, version=stored.version + 1)
    registry.store.put(CUSTOMER, INSTALLATION, saved)
    return saved


def delete_customer(registry: Registry, customer: Customer) -> None:
    """With its users; its devices are nobody's again."""
    for device in registry.store.find(DEVICE, INSTALLATION, "customer", customer.id):
        registry.store.put(DEVICE, INSTALLATION, replace(device, customer_id=None, version=device.version + 1))
    for user in registry.store.find(USER, INSTALLATION, "customer", customer.id):
        delete_user(registry, user)
    registry.store.delete(CUSTOMER, INSTALLATION, customer.id)


def _check_customer(registry: Registry, customer: Customer) -> None:
    check_name("Customer title", customer.title, "title")
    if customer.title == PUBLIC:
        raise RuleBroken("'Public' title for customer is system reserved!")
    namesake = customer_titled(registry, customer.tenant_id, customer.title)
    if namesake is not None and namesake.id != customer.id:
        raise RuleBroken("Customer with such title already exists!")
