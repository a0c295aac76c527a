"""Device profiles: the strategy, key and secret that provisioning asks for (spec 2)."""

from __future__ import annotations

from dataclasses import replace

from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken, old_version
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_name
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    DEVICE,
    DEVICE_PROFILE,
    INSTALLATION,
    DeviceProfile,
    ProvisionType,
    joined,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms

DEFAULT_DATA = {
    "configuration": {"type": "DEFAULT"},
    "transportConfiguration": {"type": "DEFAULT"},
    "provisionConfiguration": {"type": "DISABLED", "provisionDeviceSecret": None},
    "alarms": None,
}


def profile_by_id(registry: Registry, profile_id: str) -> DeviceProfile | None:
    return registry.store.get(DEVICE_PROFILE, INSTALLATION, profile_id)


def profile_by_key(registry: Registry, key: str) -> DeviceProfile | None:
    """The profile whose provision key it is, over all tenants."""
    found = registry.store.find(DEVICE_PROFILE, INSTALLATION, "provision_key", key)
    return found[0] if found else None


def profile_named(registry: Registry, tenant_id: str, name: str) -> DeviceProfile | None:
    found = registry.store.find(DEVICE_PROFILE, INSTALLATION, "name", joined(tenant_id, name))
    return found[0] if found else None


def profiles_of(registry: Registry, tenant_id: str) -> list[DeviceProfile]:
    """In the order in which they were made."""
    found = registry.store.find(DEVICE_PROFILE, INSTALLATION, "tenant", tenant_id)
    return sorted(found, key=lambda profile: (profile.created_at_ms, profile.id))


def default_profile(registry: Registry, tenant_id: str) -> DeviceProfile:
    """Every tenant has one from the start."""
    return next(profile for profile in profiles_of(registry, tenant_id) if profile.is_default)


def find_or_create(registry: Registry, tenant_id: str, name: str, now_us: int) -> DeviceProfile:
    """A type that a device names becomes a profile, provisioning disabled (spec 4)."""
    found = profile_named(registry, tenant_id, name)
    if found is not None:
        return found
    made = DeviceProfile(registry.new_id(now_us), tenant_id, ms(now_us), name, profile_data=DEFAULT_DATA)
    return create_profile(registry, made)


def create_profile(registry: Registry, profile: DeviceProfile) -> DeviceProfile:
    """Raises RuleBroken."""
    check_profile(registry, profile)
    registry.store.put(DEVICE_PROFILE, INSTALLATION, profile)
    learn_secret(registry, profile)
    return profile


def save_profile(registry: Registry, changed: DeviceProfile, version: int | None = None) -> DeviceProfile:
    """`version`: what the caller has seen; None: whatever it is. A new name is the type of its devices from now on."""
    stored = profile_by_id(registry, changed.id)
    if stored is None:
        raise RuleBroken("Can't update non existing device profile!")
    if version is not None and version != stored.version:
        raise old_version("Device profile")
    check_profile(registry, changed)
    saved = replace(changed, version=stored.version + 1)
    registry.store.put(DEVICE_PROFILE, INSTALLATION, saved)
    learn_secret(registry, saved)
    if saved.name != stored.name:
        for device in registry.store.find(DEVICE, INSTALLATION, "profile", saved.id):
            registry.store.put(DEVICE, INSTALLATION, replace(device, type=saved.name))
    return saved


def make_default(registry: Registry, profile: DeviceProfile) -> DeviceProfile:
    """What devices without a type have from now on, in the place of the one that was it."""
    if profile.is_default:
        return profile
    former = default_profile(registry, profile.tenant_id)
    made = replace(profile, is_default=True, version=profile.version + 1)
    registry.store.put(DEVICE_PROFILE, INSTALLATION, replace(former, is_default=False, version=former.version + 1))
    registry.store.put(DEVICE_PROFILE, INSTALLATION, made)
    return made


def delete_profile(registry: Registry, profile: DeviceProfile) -> None:
    """Raises RuleBroken while devices have it, and for the default one."""
    if profile.is_default:
        raise RuleBroken("Deletion of Default Device Profile is prohibited!")
    if registry.store.count(DEVICE, INSTALLATION, "profile", profile.id):
        raise RuleBroken("The device profile referenced by the devices cannot be deleted!")
    registry.store.delete(DEVICE_PROFILE, INSTALLATION, profile.id)


def check_profile(registry: Registry, profile: DeviceProfile) -> None:
    """Name and key are nobody else's. Raises RuleBroken."""
    check_name("Device profile name", profile.name)
    namesake = profile_named(registry, profile.tenant_id, profile.name)
    if namesake is not None and namesake.id != profile.id:
        raise RuleBroken("Device profile with such name already exists!")
    holder = profile_by_key(registry, profile.provision_device_key) if profile.provision_device_key else None
    if holder is not None and holder.id != profile.id:
        is_chain = profile.provision_type is ProvisionType.CERTIFICATE_CHAIN
        what = "certificate" if is_chain else "provision device key"
        raise RuleBroken(f"Device profile with such {what} already exists!")


def learn_secret(registry: Registry, profile: DeviceProfile) -> None:
    if profile.provision_type is not ProvisionType.CERTIFICATE_CHAIN:
        registry.learn("provision-secret", profile.provision_secret)
