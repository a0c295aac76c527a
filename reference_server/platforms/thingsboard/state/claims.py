"""Claiming: a device offers itself with a secret, a customer takes it (spec 3.5)."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from fleetrig.reference_server.platforms.thingsboard.state.attributes import attribute
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CLAIM_OFFER,
    DEVICE,
    INSTALLATION,
    ClaimOffer,
    Device,
    Scope,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms


class ClaimResult(StrEnum):
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CLAIMED = "CLAIMED"


def offer(registry: Registry, device: Device, secret_key: str, duration_ms: int | None, now_us: int) -> bool:
    """The device may be claimed from now on; False where claiming is off. No or no positive duration: the default."""
    allowed = attribute(registry, device.id, Scope.SERVER, "claimingAllowed")
    if not registry.settings.claiming_by_default and (allowed is None or allowed.value is not True):
        return False
    lasts_ms = duration_ms if duration_ms and duration_ms > 0 else registry.settings.claim_duration_ms
    registry.learn("claim-secret", secret_key)
    registry.store.put(CLAIM_OFFER, INSTALLATION, ClaimOffer(device.id, secret_key, ms(now_us) + lasts_ms))
    return True


def claim(registry: Registry, device: Device, customer_id: str, secret_key: str, now_us: int) -> ClaimResult:
    """One wrong secret ends the offer (S101)."""
    found = registry.store.get(CLAIM_OFFER, INSTALLATION, device.id)
    if found is None:
        return ClaimResult.CLAIMED if device.customer_id is not None else ClaimResult.FAILURE
    registry.store.delete(CLAIM_OFFER, INSTALLATION, device.id)
    if found.secret_key != secret_key or ms(now_us) > found.until_ms:
        return ClaimResult.FAILURE
    if device.customer_id is not None:
        return ClaimResult.CLAIMED
    _assign(registry, device, customer_id)
    return ClaimResult.SUCCESS


def reclaim(registry: Registry, device: Device) -> None:
    """Nobody's again; harmless when it was nobody's."""
    if device.customer_id is not None:
        _assign(registry, device, None)


def _assign(registry: Registry, device: Device, customer_id: str | None) -> None:
    registry.store.put(DEVICE, INSTALLATION, replace(device, customer_id=customer_id, version=device.version + 1))
