"""Packages of firmware and software: what they are, to whom they are assigned, and what devices hear of it (3.6)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.attributes import (
    delete_attributes,
    put_attributes,
    put_telemetry,
)
from fleetrig.reference_server.platforms.thingsboard.state.errors import RuleBroken
from fleetrig.reference_server.platforms.thingsboard.state.murmur3 import murmur3_32, murmur3_128
from fleetrig.reference_server.platforms.thingsboard.state.profiles import profile_by_id
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    DEVICE,
    DEVICE_PROFILE,
    INSTALLATION,
    Device,
    DeviceProfile,
    Scope,
    joined,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.reference_server.stores.interface import Kind
from fleetrig.simulator.contract.http import Body

MOST_CHARS: Final = 255


class PackageType(StrEnum):
    FIRMWARE = "FIRMWARE"
    SOFTWARE = "SOFTWARE"

    @property
    def key(self) -> str:
        """How its attributes begin, and its topics and paths."""
        return "fw" if self is PackageType.FIRMWARE else "sw"


class ChecksumAlgorithm(StrEnum):
    MD5 = "MD5"
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"
    CRC32 = "CRC32"
    MURMUR3_32 = "MURMUR3_32"
    MURMUR3_128 = "MURMUR3_128"


CHECKSUMS: Final[Mapping[ChecksumAlgorithm, Callable[[bytes], str]]] = {
    ChecksumAlgorithm.MD5: lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    ChecksumAlgorithm.SHA256: lambda data: hashlib.sha256(data).hexdigest(),
    ChecksumAlgorithm.SHA384: lambda data: hashlib.sha384(data).hexdigest(),
    ChecksumAlgorithm.SHA512: lambda data: hashlib.sha512(data).hexdigest(),
    ChecksumAlgorithm.CRC32: lambda data: zlib.crc32(data).to_bytes(4, "little").hex(),
    ChecksumAlgorithm.MURMUR3_32: murmur3_32,
    ChecksumAlgorithm.MURMUR3_128: murmur3_128,
}
"""In hex as Guava writes it: of a number the lowest byte first."""


@dataclass(frozen=True, slots=True)
class OtaPackage:
    """`blob` is its file in the store of artifacts; without one it has no data yet, or a `url` in its place."""

    id: str
    tenant_id: str
    created_at_ms: int
    type: PackageType
    title: str
    version: str
    profile_id: str | None = None
    tag: str | None = None
    url: str | None = None
    file_name: str | None = None
    content_type: str | None = None
    checksum_algorithm: ChecksumAlgorithm | None = None
    checksum: str | None = None
    size_bytes: int | None = None
    blob: str | None = None
    additional_info: Mapping[str, Any] | None = None


OTA_PACKAGE: Final = Kind(
    "thingsboard.ota_package",
    OtaPackage,
    lambda package: package.id,
    {
        "tenant": lambda package: (package.tenant_id,),
        "version": lambda package: (joined(package.tenant_id, package.title, package.version),),
    },
)


def package_by_id(registry: Registry, package_id: str) -> OtaPackage | None:
    return registry.store.get(OTA_PACKAGE, INSTALLATION, package_id)


def packages_of(registry: Registry, tenant_id: str) -> list[OtaPackage]:
    """In the order in which they were made."""
    found = registry.store.find(OTA_PACKAGE, INSTALLATION, "tenant", tenant_id)
    return sorted(found, key=lambda package: (package.created_at_ms, package.id))


def create_package(registry: Registry, package: OtaPackage) -> None:
    """Raises RuleBroken."""
    for called, text in (("title", package.title), ("version", package.version)):
        if not text.strip():
            raise RuleBroken(f"OtaPackage {called} should be specified!")
        if len(text) > MOST_CHARS:
            raise RuleBroken(f"The length of {called} should be equal or shorter than {MOST_CHARS}")
    if package.profile_id is not None and profile_by_id(registry, package.profile_id) is None:
        raise RuleBroken("OtaPackage is referencing to non-existent device profile!")
    same = joined(package.tenant_id, package.title, package.version)
    if registry.store.count(OTA_PACKAGE, INSTALLATION, "version", same):
        raise RuleBroken("OtaPackage with such title and version already exists!")
    registry.store.put(OTA_PACKAGE, INSTALLATION, package)


def add_data(
    registry: Registry, package: OtaPackage, data: bytes, algorithm: ChecksumAlgorithm, checksum: str
) -> OtaPackage:
    """`checksum` empty: it is worked out. Raises RuleBroken."""
    if package.url is not None:
        raise RuleBroken("File can't be saved if URL present!")
    if not data:
        raise RuleBroken("OtaPackage data should be specified!")
    found = CHECKSUMS[algorithm](data)
    if checksum and checksum != found:
        raise RuleBroken("Wrong otaPackage file!")
    stored = package_by_id(registry, package.id)
    if stored is not None and stored.blob is not None:
        _check_same(stored, replace(package, checksum_algorithm=algorithm, checksum=found, size_bytes=len(data)))
        return stored
    blob = registry.kept_files.keep([data], at_most_bytes=len(data))
    saved = replace(package, checksum_algorithm=algorithm, checksum=found, size_bytes=len(data), blob=blob.name)
    registry.store.put(OTA_PACKAGE, INSTALLATION, saved)
    return saved


def _check_same(stored: OtaPackage, given: OtaPackage) -> None:
    """Nothing of a package changes once it has data; in the words of the real server. Raises RuleBroken."""
    for called, member in (
        ("file name", "file_name"),
        ("content type", "content_type"),
        ("content type", "checksum_algorithm"),
        ("content type", "checksum"),
        ("data size", "size_bytes"),
    ):
        if getattr(stored, member) != getattr(given, member):
            raise RuleBroken(f"Updating otaPackage {called} is prohibited!")


def delete_package(registry: Registry, package: OtaPackage) -> None:
    """Raises RuleBroken while anything is assigned to it."""
    if any(package.id in (one.firmware_id, one.software_id) for one in _devices(registry, package.tenant_id)):
        raise RuleBroken("The otaPackage referenced by the devices cannot be deleted!")
    profiles = registry.store.find(DEVICE_PROFILE, INSTALLATION, "tenant", package.tenant_id)
    if any(package.id in (one.firmware_id, one.software_id) for one in profiles):
        raise RuleBroken("The otaPackage referenced by the device profile cannot be deleted!")
    registry.store.delete(OTA_PACKAGE, INSTALLATION, package.id)
    if package.blob is not None:
        registry.kept_files.delete(package.blob)


def chunk_of(registry: Registry, package: OtaPackage, size_bytes: int, number: int) -> Body:
    """A piece of it; without a size all of it, beyond its end nothing."""
    assert package.blob is not None, "it has data"
    all_bytes = package.size_bytes or 0
    if size_bytes < 1:
        return registry.kept_files.body(package.blob, 0, all_bytes)
    begin = size_bytes * number
    length = min(all_bytes - begin, size_bytes)
    return registry.kept_files.body(package.blob, begin, length) if begin >= 0 and length > 0 else b""


# Who gets which


def assigned_id(device: Device, profile: DeviceProfile | None, kind: PackageType) -> str | None:
    """The device's own, else that of its profile."""
    own = device.firmware_id if kind is PackageType.FIRMWARE else device.software_id
    if own is not None or profile is None:
        return own
    return profile.firmware_id if kind is PackageType.FIRMWARE else profile.software_id


def package_for(registry: Registry, device: Device, kind: PackageType) -> OtaPackage | None:
    package_id = assigned_id(device, profile_by_id(registry, device.profile_id), kind)
    return None if package_id is None else package_by_id(registry, package_id)


def check_assigned(registry: Registry, package_id: str | None, kind: PackageType, profile_id: str) -> None:
    """Whether a device of that profile, or the profile itself, may be given it. Raises RuleBroken."""
    if package_id is None:
        return
    package, called = package_by_id(registry, package_id), kind.lower()
    if package is None:
        raise RuleBroken(f"Can't assign non-existent {called}!")
    if package.type is not kind:
        raise RuleBroken(f"Can't assign {called} with type: {package.type}")
    if package.blob is None and package.url is None:
        raise RuleBroken(f"Can't assign {called} with empty data!")
    if package.profile_id != profile_id:
        raise RuleBroken(f"Can't assign {called} with different deviceProfile!")


def tell_device(registry: Registry, device: Device, kind: PackageType, package_id: str | None, now_us: int) -> None:
    """Shared attributes say what it should have, telemetry what is to happen; or neither does any more."""
    package = None if package_id is None else package_by_id(registry, package_id)
    if package is None:
        delete_attributes(registry, device.id, Scope.SHARED, [f"{kind.key}_{name}" for name in ATTRIBUTES])
        return
    target = {"title": package.title, "version": package.version, "ts": ms(now_us)}
    if package.tag:
        target["tag"] = package.tag
    said = {f"target_{kind.key}_{name}": value for name, value in target.items()}
    put_telemetry(registry, device.id, {**said, f"{kind.key}_state": "INITIATED"}, ms(now_us))
    wanted = {f"{kind.key}_{name}": value for name, value in _attributes(package).items()}
    gone = [f"{kind.key}_{name}" for name in ATTRIBUTES if f"{kind.key}_{name}" not in wanted]
    put_attributes(registry, device.id, Scope.SHARED, wanted, now_us)
    delete_attributes(registry, device.id, Scope.SHARED, gone)


def follow(registry: Registry, before: Device | None, after: Device, now_us: int) -> None:
    """A device is new, or was changed: what it is assigned may be another package."""
    profile = profile_by_id(registry, after.profile_id)
    former = None if before is None else profile_by_id(registry, before.profile_id)
    for kind in PackageType:
        now = assigned_id(after, profile, kind)
        if now != (None if before is None else assigned_id(before, former, kind)):
            tell_device(registry, after, kind, now, now_us)


def follow_profile(registry: Registry, before: DeviceProfile, after: DeviceProfile, now_us: int) -> None:
    """A profile was changed: its devices without a package of their own hear of it."""
    changed = [
        (PackageType.FIRMWARE, before.firmware_id, after.firmware_id),
        (PackageType.SOFTWARE, before.software_id, after.software_id),
    ]
    for kind, was, now in changed:
        for device in registry.store.find(DEVICE, INSTALLATION, "profile", after.id) if was != now else []:
            if assigned_id(device, None, kind) is None:
                tell_device(registry, device, kind, now, now_us)


ATTRIBUTES: Final = ("title", "version", "tag", "size", "checksum", "checksum_algorithm", "url")


def _attributes(package: OtaPackage) -> dict[str, Any]:
    said = {
        "title": package.title,
        "version": package.version,
        "tag": package.tag or None,
        "size": package.size_bytes,
        "checksum": package.checksum,
        "checksum_algorithm": package.checksum_algorithm,
        "url": package.url,
    }
    return {name: str(value) if isinstance(value, StrEnum) else value for name, value in said.items() if value}


def _devices(registry: Registry, tenant_id: str) -> list[Device]:
    return registry.store.find(DEVICE, INSTALLATION, "tenant", tenant_id)
