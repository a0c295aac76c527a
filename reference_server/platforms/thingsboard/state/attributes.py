"""Attributes by scope, and the latest telemetry of a device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fleetrig.reference_server.platforms.thingsboard.state.records import (
    ATTRIBUTE,
    INSTALLATION,
    LATEST,
    Attribute,
    LatestTelemetry,
    Scope,
    joined,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind, Registry, ms

PROVISION_STATE = "provisionState"
PROVISIONED = "provisioned"


def attribute(registry: Registry, device_id: str, scope: Scope, key: str) -> Attribute | None:
    return registry.store.get(ATTRIBUTE, INSTALLATION, joined(device_id, scope, key))


def attributes_of(
    registry: Registry, device_id: str, scope: Scope, keys: Iterable[str] | None = None
) -> list[Attribute]:
    """In order of their keys; `keys` None: all."""
    if keys is None:
        return registry.store.find(ATTRIBUTE, INSTALLATION, "scope", joined(device_id, scope))
    found = (attribute(registry, device_id, scope, key) for key in keys)
    return [each for each in found if each is not None]


def put_attributes(registry: Registry, device_id: str, scope: Scope, values: Mapping[str, Any], now_us: int) -> None:
    """Adds or replaces. Whoever listens for shared attributes hears of it."""
    for key, value in values.items():
        stored = attribute(registry, device_id, scope, key)
        version = 1 if stored is None else stored.version + 1
        registry.store.put(ATTRIBUTE, INSTALLATION, Attribute(device_id, scope, key, value, ms(now_us), version))
    if scope is Scope.SHARED and values:
        registry.notify(Notice(NoticeKind.ATTRIBUTES_UPDATED, device_id, values))


def delete_attributes(registry: Registry, device_id: str, scope: Scope, keys: Iterable[str]) -> list[str]:
    """The keys that there were."""
    gone = [key for key in keys if registry.store.delete(ATTRIBUTE, INSTALLATION, joined(device_id, scope, key))]
    if scope is Scope.SHARED and gone:
        registry.notify(Notice(NoticeKind.ATTRIBUTES_DELETED, device_id, {"deleted": gone}))
    return gone


def put_telemetry(registry: Registry, device_id: str, values: Mapping[str, Any], at_ms: int) -> None:
    """Keeps what is newest of each key."""
    for key, value in values.items():
        stored = registry.store.get(LATEST, INSTALLATION, joined(device_id, key))
        if stored is None or stored.at_ms <= at_ms:
            registry.store.put(LATEST, INSTALLATION, LatestTelemetry(device_id, key, value, at_ms))


def latest_of(registry: Registry, device_id: str) -> list[LatestTelemetry]:
    return registry.store.find(LATEST, INSTALLATION, "device", device_id)


def delete_latest(registry: Registry, device_id: str, keys: Iterable[str], between_ms: tuple[int, int]) -> list[str]:
    """The keys whose newest value was of that time (from, to), which has gone."""
    gone = []
    for key in keys:
        stored = registry.store.get(LATEST, INSTALLATION, joined(device_id, key))
        if stored is not None and between_ms[0] <= stored.at_ms <= between_ms[1]:
            registry.store.delete(LATEST, INSTALLATION, joined(device_id, key))
            gone.append(key)
    return gone
