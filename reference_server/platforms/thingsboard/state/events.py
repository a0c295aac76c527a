"""What the rule engine and the audit log hear of provisioning (spec 1.3): the latest of each device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from fleetrig.reference_server.platforms.thingsboard.state.records import INSTALLATION
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry, ms
from fleetrig.reference_server.stores.interface import Kind

MOST_KEPT: Final = 20
"""Of one device: one that asks for ever shall not fill the store."""


class EventType(StrEnum):
    ENTITY_CREATED = "ENTITY_CREATED"
    PROVISION_SUCCESS = "PROVISION_SUCCESS"
    PROVISION_FAILURE = "PROVISION_FAILURE"


@dataclass(frozen=True, slots=True)
class Event:
    type: EventType
    at_ms: int
    body: Mapping[str, Any]
    """Of provisioning: the request, key and secret included."""


@dataclass(frozen=True, slots=True)
class EventLog:
    """All that is kept of one device, in the order in which it happened."""

    device_id: str
    events: tuple[Event, ...]


EVENT_LOG: Final = Kind("thingsboard.event_log", EventLog, lambda log: log.device_id)


def note(registry: Registry, device_id: str, event_type: EventType, body: Mapping[str, Any], now_us: int) -> None:
    add(registry, device_id, Event(event_type, ms(now_us), body))


def add(registry: Registry, device_id: str, *happened: Event) -> None:
    events = (*events_of(registry, device_id), *happened)[-MOST_KEPT:]
    registry.store.put(EVENT_LOG, INSTALLATION, EventLog(device_id, events))


def events_of(registry: Registry, device_id: str) -> tuple[Event, ...]:
    """In the order in which they happened."""
    log = registry.store.get(EVENT_LOG, INSTALLATION, device_id)
    return () if log is None else log.events


def forget(registry: Registry, device_id: str) -> None:
    """Of a device that is deleted."""
    registry.store.delete(EVENT_LOG, INSTALLATION, device_id)
