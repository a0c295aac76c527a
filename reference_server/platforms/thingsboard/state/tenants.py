"""Tenants and the profiles that limit them: what a system administrator keeps (`/api/tenant`, `/api/tenantProfile`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.devices import delete_device, devices_of
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken, old_version
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_name, check_text
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import check_limit
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import delete_package, packages_of
from fleetrig.reference_server.platforms.thingsboard.state.profiles import DEFAULT_DATA, create_profile, profiles_of
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CUSTOMER,
    DEVICE_PROFILE,
    INSTALLATION,
    TENANT,
    TENANT_PROFILE,
    USER,
    DeviceProfile,
    Tenant,
    TenantProfile,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.reference_server.platforms.thingsboard.state.tenant_configuration import (
    ABOVE_0,
    LIMIT_TITLES,
    completed,
    default_configuration,
)

DEFAULT_NAME: Final = "Default"


def tenant_by_id(registry: Registry, tenant_id: str) -> Tenant | None:
    return registry.store.get(TENANT, INSTALLATION, tenant_id)


def tenants(registry: Registry) -> list[Tenant]:
    """In the order in which they were made."""
    return sorted(registry.store.scan(TENANT, INSTALLATION), key=lambda tenant: (tenant.created_at_ms, tenant.id))


def create_tenant(registry: Registry, tenant: Tenant, now_us: int) -> Tenant:
    """With the device profile that every tenant has from the start. Raises RuleBroken."""
    _check_tenant(registry, tenant)
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


def save_tenant(registry: Registry, changed: Tenant, version: int | None = None) -> Tenant:
    """`version`: what the caller has seen; None: whatever it is. Raises RuleBroken."""
    _check_tenant(registry, changed)
    stored = tenant_by_id(registry, changed.id)
    if stored is None:
        raise RuleBroken("Can't update non existing tenant!")
    if version is not None and version != stored.version:
        raise old_version("Tenant")
    saved = replace(changed, version=stored.version + 1)
    registry.store.put(TENANT, INSTALLATION, saved)
    registry.forget_limits()
    return saved


def delete_tenant(registry: Registry, tenant: Tenant) -> None:
    """With all it owns: its users cannot log in any more, the sessions of its devices are closed."""
    store = registry.store
    for device in devices_of(registry, tenant.id):
        delete_device(registry, device)
    for profile in profiles_of(registry, tenant.id):
        store.delete(DEVICE_PROFILE, INSTALLATION, profile.id)
    for package in packages_of(registry, tenant.id):
        delete_package(registry, package)
    for user in store.find(USER, INSTALLATION, "tenant", tenant.id):
        store.delete(USER, INSTALLATION, user.id)
    for customer in store.find(CUSTOMER, INSTALLATION, "tenant", tenant.id):
        store.delete(CUSTOMER, INSTALLATION, customer.id)
    store.delete(TENANT, INSTALLATION, tenant.id)
    registry.forget_limits()


def tenant_profile_by_id(registry: Registry, profile_id: str) -> TenantProfile | None:
    return registry.store.get(TENANT_PROFILE, INSTALLATION, profile_id)


def tenant_profiles(registry: Registry) -> list[TenantProfile]:
    """In the order in which they were made."""
    found = registry.store.scan(TENANT_PROFILE, INSTALLATION)
    return sorted(found, key=lambda profile: (profile.created_at_ms, profile.id))


def default_tenant_profile(registry: Registry, now_us: int) -> TenantProfile:
    """Made by whoever asks for it first (`findOrCreateDefaultTenantProfile`)."""
    found = registry.store.find(TENANT_PROFILE, INSTALLATION, "default", "yes")
    if found:
        return found[0]
    own = {"maxDebugModeDurationMinutes": 15, **registry.settings.tenant_configuration}
    configuration = {**default_configuration(), **own}
    made = TenantProfile(
        registry.new_id(now_us),
        ms(now_us),
        DEFAULT_NAME,
        profile_data_of({"configuration": configuration}),
        description="Default tenant profile",
        is_default=True,
    )
    return save_tenant_profile(registry, made)


def limit_by_settings(registry: Registry, now_us: int) -> None:
    """The default tenant profile says what the server was started with, whatever it said before."""
    profile = default_tenant_profile(registry, now_us)
    wanted = {**profile.configuration, **registry.settings.tenant_configuration}
    if wanted != profile.configuration:
        save_tenant_profile(registry, replace(profile, profile_data={**profile.profile_data, "configuration": wanted}))


def save_tenant_profile(registry: Registry, profile: TenantProfile) -> TenantProfile:
    """A new or a changed one; its limits hold from now on. Raises RuleBroken."""
    check_name("Tenant profile name", profile.name)
    check_text("description", profile.description, most_chars=None)
    _check_configuration(profile.configuration)
    namesakes = registry.store.find(TENANT_PROFILE, INSTALLATION, "name", profile.name)
    if any(namesake.id != profile.id for namesake in namesakes):
        raise RuleBroken("Tenant profile with such name already exists!")
    others = registry.store.find(TENANT_PROFILE, INSTALLATION, "default", "yes")
    if profile.is_default and any(other.id != profile.id for other in others):
        raise RuleBroken("Another default tenant profile is present!")
    registry.store.put(TENANT_PROFILE, INSTALLATION, profile)
    registry.forget_limits()
    return profile


def make_default(registry: Registry, profile: TenantProfile) -> TenantProfile:
    """In the place of the one that was it."""
    for former in registry.store.find(TENANT_PROFILE, INSTALLATION, "default", "yes"):
        registry.store.put(TENANT_PROFILE, INSTALLATION, replace(former, is_default=False))
    made = replace(profile, is_default=True)
    registry.store.put(TENANT_PROFILE, INSTALLATION, made)
    return made


def delete_tenant_profile(registry: Registry, profile: TenantProfile) -> None:
    """Raises RuleBroken while tenants have it, and for the default one."""
    if profile.is_default:
        raise RuleBroken("Deletion of Default Tenant Profile is prohibited!")
    if registry.store.count(TENANT, INSTALLATION, "profile", profile.id):
        raise RuleBroken("The tenant profile referenced by the tenants cannot be deleted!")
    registry.store.delete(TENANT_PROFILE, INSTALLATION, profile.id)


def profile_data_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """`profileData` with all the members that the server always writes."""
    configuration = given.get("configuration")
    return {
        "configuration": completed(configuration) if isinstance(configuration, Mapping) else None,
        "queueConfiguration": given.get("queueConfiguration"),
    }


def _check_configuration(configuration: Mapping[str, Any]) -> None:
    for member, title in LIMIT_TITLES.items():
        check_limit(title, configuration.get(member))
    faults = [f"{member} must be greater than 0" for member in ABOVE_0 if configuration.get(member, 0) <= 0]
    if faults:
        raise RuleBroken(f"Validation error: {', '.join(faults)}")


def _check_tenant(registry: Registry, tenant: Tenant) -> None:
    check_name("Tenant title", tenant.title, "title")
    if tenant_profile_by_id(registry, tenant.profile_id) is None:
        raise RuleBroken("Constraint violation: fk_tenant_profile")
