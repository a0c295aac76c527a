"""What the rule engine and the audit log hear of provisioning (spec 1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.records import EVENT, INSTALLATION, Event, EventType
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms

SEQUENCE: Final = "thingsboard.event"


def note(registry: Registry, device_id: str, event_type: EventType, body: Mapping[str, Any], now_us: int) -> None:
    number = registry.store.next_id(SEQUENCE)
    registry.store.put(EVENT, INSTALLATION, Event(number, device_id, event_type, ms(now_us), body))


def events_of(registry: Registry, device_id: str) -> list[Event]:
    """In the order in which they happened; those of a deleted device too."""
    return registry.store.find(EVENT, INSTALLATION, "device", device_id)
