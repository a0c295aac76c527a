"""What the rule engine and the audit log hear of provisioning (spec 1.3): the latest of each device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.records import INSTALLATION
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.reference_server.stores.interface import Kind

SEQUENCE: Final = "thingsboard.event"
MOST_KEPT: Final = 20
"""Of one device: one that asks for ever shall not fill the store."""


class EventType(StrEnum):
    ENTITY_CREATED = "ENTITY_CREATED"
    PROVISION_SUCCESS = "PROVISION_SUCCESS"
    PROVISION_FAILURE = "PROVISION_FAILURE"


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    device_id: str
    type: EventType
    at_ms: int
    body: Mapping[str, Any]
    """Of provisioning: the request, key and secret included."""


EVENT: Final = Kind("thingsboard.event", Event, lambda event: event.id, {"device": lambda event: (event.device_id,)})


def note(registry: Registry, device_id: str, event_type: EventType, body: Mapping[str, Any], now_us: int) -> None:
    number = registry.store.next_id(SEQUENCE)
    registry.store.put(EVENT, INSTALLATION, Event(number, device_id, event_type, ms(now_us), body))
    for event in events_of(registry, device_id)[:-MOST_KEPT]:
        registry.store.delete(EVENT, INSTALLATION, event.id)


def events_of(registry: Registry, device_id: str) -> list[Event]:
    """In the order in which they happened."""
    return registry.store.find(EVENT, INSTALLATION, "device", device_id)


def forget(registry: Registry, device_id: str) -> None:
    """Of a device that is deleted."""
    for event in events_of(registry, device_id):
        registry.store.delete(EVENT, INSTALLATION, event.id)
