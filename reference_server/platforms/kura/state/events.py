"""What happened to devices, and what was refused: events and the audit (spec 1.5 "Audit", 5.1, S-37)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from fleetrig.reference_server.platforms.kura.state.device_records import (
    AUDIT,
    DEVICE,
    EVENT,
    AuditRecord,
    Device,
    DeviceEvent,
)
from fleetrig.reference_server.platforms.kura.state.records import INSTALLATION
from fleetrig.reference_server.platforms.kura.state.registry import Registry

EVENTS: Final = "kura.events"
AUDITS: Final = "kura.audits"
"""Names of sequences."""
MOST_AUDITS: Final = 100_000
"""The eldest goes for the newest: strangers who try passwords fill no disk."""
MOST_TEXT: Final = 256
"""Of what a stranger has said of himself; an audit record keeps no more of it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who has done something, as far as it is known."""

    client_id: str = ""
    username: str = ""
    remote_address: str = ""
    scope_id: str = ""


def record_event(registry: Registry, device: Device, event: DeviceEvent) -> Device:
    """Keeps an event with a number of its own; its device knows it as the last one."""
    number = registry.store.next_id(EVENTS)
    kept = replace(event, number=number, scope_id=device.scope_id, device_id=device.id)
    registry.store.put(EVENT, device.scope_id, kept)
    changed = replace(device, last_event_id=number)
    registry.store.put(DEVICE, device.scope_id, changed)
    return changed


def events_of(registry: Registry, scope_id: str, device_id: str) -> list[DeviceEvent]:
    """In the order in which they came."""
    return registry.store.find(EVENT, scope_id, "device", device_id)


def audit(registry: Registry, peer: Peer, stage: str, reason: str, now_us: int, request_id: str = "") -> None:
    """`reason` never holds a password, a key or an activation key."""
    record = AuditRecord(
        registry.store.next_id(AUDITS),
        now_us,
        stage,
        reason,
        peer.scope_id,
        peer.client_id[:MOST_TEXT],
        peer.username[:MOST_TEXT],
        peer.remote_address,
        request_id,
    )
    registry.store.put(AUDIT, INSTALLATION, record)
    registry.store.delete(AUDIT, INSTALLATION, record.number - MOST_AUDITS)


def audit_of(registry: Registry, client_id: str = "") -> list[AuditRecord]:
    """What is on record, in order: of one client id, or all."""
    if client_id:
        return registry.store.find(AUDIT, INSTALLATION, "client", client_id)
    return list(registry.store.scan(AUDIT, INSTALLATION))
