"""The messages that were handed on: kept with the records of the transaction that made them, the latest of them.

A message is part of its transaction: a device that was provisioned, its credentials and its notification are there
together or not at all. While applications cannot be reached nothing is kept; the device's own flag says what is owed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from fleetrig.reference_server.northbound import NorthboundMessage
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.reference_server.stores.interface import Kind

PLACE: Final = ""
"""The partition of the store: messages of all tenants have one row of numbers, and one limit."""
MOST_KEPT: Final = 20_000
"""Of all tenants together: a fleet that sends for ever shall not fill the store."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A message in the store. `payload` is Base64."""

    number: int
    at_us: int
    tenant_id: str
    topic: str
    key: str
    payload: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def slot(self) -> int:
        """Where it stands; the message that stood there is forgotten."""
        return self.number % MOST_KEPT


FORWARDED: Final = Kind("hono.northbound", Forwarded, lambda message: message.slot)
OWED: Final = Kind("hono.northbound.owed", Forwarded, lambda message: message.slot)
"""Notifications once more, if an external system is told of them: it may be away for long while telemetry goes on. They
have numbers of their own."""


def forward(
    registry: Registry,
    endpoint: str,
    tenant_id: str,
    key: str,
    properties: Mapping[str, str],
    payload: bytes,
    now_us: int,
    *,
    is_for_webhook: bool = False,
) -> bool:
    """Hands a message on. False when applications cannot be reached: then nothing is kept of it."""
    topic = f"hono.{endpoint}.{tenant_id}"
    if not registry.outlet.takes(f"{endpoint.upper()} {topic}", now_us):
        return False
    text = base64.b64encode(payload).decode("ascii")
    message = Forwarded(_next_number(registry, FORWARDED), now_us, tenant_id, topic, key, text, properties)
    registry.store.put(FORWARDED, PLACE, message)
    if is_for_webhook and registry.settings.webhook:
        registry.store.put(OWED, PLACE, replace(message, number=_next_number(registry, OWED)))
    return True


def messages_after(
    registry: Registry, tenant_id: str, after: int, at_most: int, kind: Kind[Forwarded] = FORWARDED
) -> Sequence[NorthboundMessage]:
    """The first so many with numbers above `after`, of one tenant or, for an empty name, of all; in their order."""
    last = registry.last_forwarded.get(kind.name)
    if last is None:
        last = max((one.number for one in registry.store.scan(kind, PLACE)), default=0)
        registry.last_forwarded[kind.name] = last
    kept = (_kept(registry, kind, number) for number in range(max(after, last - MOST_KEPT) + 1, last + 1))
    found = (one for one in kept if one is not None and tenant_id in ("", one.tenant_id))
    return [_as_message(one) for one in islice(found, at_most)]


def _next_number(registry: Registry, kind: Kind[Forwarded]) -> int:
    number = registry.last_forwarded[kind.name] = registry.store.next_id(kind.name)
    return number


def _kept(registry: Registry, kind: Kind[Forwarded], number: int) -> Forwarded | None:
    """None for one that was never committed: its transaction has failed, and its number is lost."""
    found = registry.store.get(kind, PLACE, number % MOST_KEPT)
    return found if found is not None and found.number == number else None


def _as_message(one: Forwarded) -> NorthboundMessage:
    payload = base64.b64decode(one.payload)
    return NorthboundMessage(one.number, one.at_us, one.tenant_id, one.topic, one.key, one.properties, payload)
