"""Devices and their credentials: names unique in the tenant, credentials unique over the installation (spec 1.1, 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.state import events, profiles
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import (
    BASIC_MEMBERS,
    FormedCredentials,
    read_basic,
)
from fleetrig.reference_server.platforms.thingsboard.state.entity_limits import check_room
from fleetrig.reference_server.platforms.thingsboard.state.errors import (
    RuleBroken,
    bad_credentials,
    old_version,
)
from fleetrig.reference_server.platforms.thingsboard.state.field_rules import check_name, check_text
from fleetrig.reference_server.platforms.thingsboard.state.ota_packages import PackageType, check_assigned, follow
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    ATTRIBUTE,
    CLAIM_OFFER,
    CREDENTIALS,
    DEVICE,
    INSTALLATION,
    LATEST,
    Credentials,
    CredentialsType,
    Device,
    DeviceProfile,
    Scope,
    joined,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind, Registry, ms


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What somebody wants created. Without credentials it gets an access token of 20 letters and digits."""

    name: str
    credentials: FormedCredentials | None = None
    label: str | None = None
    additional_info: Mapping[str, Any] | None = None
    device_data: Mapping[str, Any] | None = None
    customer_id: str | None = None
    firmware_id: str | None = None
    software_id: str | None = None


def device_by_id(registry: Registry, device_id: str) -> Device | None:
    return registry.store.get(DEVICE, INSTALLATION, device_id)


def device_named(registry: Registry, tenant_id: str, name: str) -> Device | None:
    """Names are case-sensitive and hold for the whole tenant, whatever the profile."""
    found = registry.store.find(DEVICE, INSTALLATION, "name", joined(tenant_id, name))
    return found[0] if found else None


def devices_of(registry: Registry, tenant_id: str) -> list[Device]:
    """In the order in which they were made."""
    found = registry.store.find(DEVICE, INSTALLATION, "tenant", tenant_id)
    return sorted(found, key=lambda device: (device.created_at_ms, device.id))


def credentials_of(registry: Registry, device_id: str) -> Credentials | None:
    return registry.store.get(CREDENTIALS, INSTALLATION, device_id)


def credentials_by_id(registry: Registry, credentials_id: str) -> Credentials | None:
    """What a login presents, over all tenants."""
    found = registry.store.find(CREDENTIALS, INSTALLATION, "credentials_id", credentials_id)
    return found[0] if found else None


def create_device(registry: Registry, profile: DeviceProfile, new: NewDevice, now_us: int) -> Device:
    """The device and its credentials, or neither. Raises RuleBroken before anything is written."""
    check_name("Device name", new.name)
    check_text("label", new.label)
    check_room(registry, profile.tenant_id, DEVICE, "Device")
    if device_named(registry, profile.tenant_id, new.name) is not None:
        raise RuleBroken("Device with such name already exists!")
    formed = new.credentials or FormedCredentials(CredentialsType.ACCESS_TOKEN, registry.new_word())
    check_free(registry, formed.credentials_id)
    device = Device(
        id=registry.new_id(now_us),
        tenant_id=profile.tenant_id,
        created_at_ms=ms(now_us),
        name=new.name,
        type=profile.name,
        profile_id=profile.id,
        label=new.label,
        customer_id=new.customer_id,
        additional_info=new.additional_info,
        device_data=new.device_data or _device_data(profile.transport_type),
        firmware_id=new.firmware_id,
        software_id=new.software_id,
    )
    _check_packages(registry, device)
    registry.store.put(DEVICE, INSTALLATION, device)
    _put_first_credentials(registry, device.id, formed, now_us)
    follow(registry, None, device, now_us)
    return device


def save_device(registry: Registry, changed: Device, version: int | None = None) -> Device:
    """A device with other fields: renamed, relabelled, moved to a profile. `version`: what the caller has seen.

    Who may have given it another package calls `ota_packages.follow` then.
    """
    check_name("Device name", changed.name)
    check_text("label", changed.label)
    stored = device_by_id(registry, changed.id)
    if stored is None:
        raise RuleBroken("Can't update non existing device!")
    if version is not None and version != stored.version:
        raise old_version("Device")
    namesake = device_named(registry, stored.tenant_id, changed.name)
    if namesake is not None and namesake.id != stored.id:
        raise RuleBroken("Device with such name already exists!")
    profile = profiles.profile_by_id(registry, changed.profile_id)
    if profile is None:
        raise RuleBroken("Device is referencing non existing device profile!")
    _check_packages(registry, changed)
    saved = replace(changed, type=profile.name, version=stored.version + 1)
    registry.store.put(DEVICE, INSTALLATION, saved)
    return saved


def _check_packages(registry: Registry, device: Device) -> None:
    check_assigned(registry, device.firmware_id, PackageType.FIRMWARE, device.profile_id)
    check_assigned(registry, device.software_id, PackageType.SOFTWARE, device.profile_id)


def delete_device(registry: Registry, device: Device) -> None:
    """With all it owns; its sessions are closed (S85)."""
    store = registry.store
    for scope in Scope:
        for attribute in store.find(ATTRIBUTE, INSTALLATION, "scope", joined(device.id, scope)):
            store.delete(ATTRIBUTE, INSTALLATION, ATTRIBUTE.key(attribute))
    for latest in store.find(LATEST, INSTALLATION, "device", device.id):
        store.delete(LATEST, INSTALLATION, LATEST.key(latest))
    events.forget(registry, device.id)
    for kind in (CREDENTIALS, CLAIM_OFFER, DEVICE):
        store.delete(kind, INSTALLATION, device.id)
    registry.notify(Notice(NoticeKind.DEVICE_DELETED, device.id))


def save_credentials(
    registry: Registry, stored: Credentials, formed: FormedCredentials, version: int | None = None
) -> Credentials:
    """Other credentials for a device. Its sessions are closed, unless nothing changes (S104). Raises RuleBroken."""
    if version is not None and version != stored.version:
        raise old_version("Entity")
    check_free(registry, formed.credentials_id, but_for=stored.device_id)
    learn_credentials(registry, formed)
    if (stored.type, stored.credentials_id, stored.value) == (formed.type, formed.credentials_id, formed.value):
        return stored
    saved = replace(
        stored,
        type=formed.type,
        credentials_id=formed.credentials_id,
        value=formed.value,
        version=stored.version + 1,
    )
    registry.store.put(CREDENTIALS, INSTALLATION, saved)
    registry.notify(Notice(NoticeKind.CREDENTIALS_CHANGED, stored.device_id))
    return saved


def check_free(registry: Registry, credentials_id: str, but_for: str = "") -> None:
    """Raises RuleBroken when a device of any tenant has such credentials (S18)."""
    holder = credentials_by_id(registry, credentials_id)
    if holder is not None and holder.device_id != but_for:
        raise bad_credentials("Device credentials are already assigned to another device!")


def learn_credentials(registry: Registry, credentials: FormedCredentials | Credentials) -> None:
    """What of them is a secret is masked."""
    if credentials.type is CredentialsType.ACCESS_TOKEN:
        registry.learn("access-token", credentials.credentials_id)
    elif credentials.type is CredentialsType.MQTT_BASIC:
        registry.learn("mqtt-password", read_basic(credentials.value)[BASIC_MEMBERS[2]])


def _put_first_credentials(registry: Registry, device_id: str, formed: FormedCredentials, now_us: int) -> None:
    credentials = Credentials(
        id=registry.new_id(now_us),
        device_id=device_id,
        created_at_ms=ms(now_us),
        type=formed.type,
        credentials_id=formed.credentials_id,
        value=formed.value,
    )
    registry.store.put(CREDENTIALS, INSTALLATION, credentials)
    learn_credentials(registry, formed)


@lru_cache(maxsize=16)
def _device_data(transport_type: str) -> Mapping[str, Any]:
    """One for all devices of a transport: records are not changed."""
    return {"configuration": {"type": "DEFAULT"}, "transportConfiguration": {"type": transport_type}}
