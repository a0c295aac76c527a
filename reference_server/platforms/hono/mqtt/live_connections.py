"""Which device is connected by which sessions, and what each of them has asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.platforms.hono.commands.router import CommandConsumer
from fleetrig.reference_server.platforms.hono.mqtt.subscriptions import (
    AdapterSubscription,
    SubscriptionKey,
    SubscriptionKind,
)

ConnectionOwner = tuple[str, str]
"""Tenant and device; without a device it is the tenant."""


@dataclass(slots=True)
class LiveConnection:
    """Of a device that is signed in; all the adapter knows of it is gone with its connection."""

    session: int
    tenant_id: str
    device_id: str
    called: str
    """What the trace calls the device."""
    begun_us: int
    expires_us: int | None = None
    """When what it has signed in with is of no use any more (a token)."""
    client: ClientState | None = None
    """From its CONNACK on."""
    subscriptions: dict[SubscriptionKey, AdapterSubscription] = field(default_factory=dict)
    consumers: dict[str, CommandConsumer] = field(default_factory=dict)
    """Of its subscriptions to commands, by the device that they are for."""

    def has_expired(self, now_us: int) -> bool:
        return self.expires_us is not None and self.expires_us <= now_us

    def error_subscription(self, device_id: str) -> AdapterSubscription | None:
        """That of the device that a message was for, else that of the connected one."""
        own = self.subscriptions.get((SubscriptionKind.ERRORS, self.device_id))
        return self.subscriptions.get((SubscriptionKind.ERRORS, device_id), own)


class LiveConnections:
    """Sessions live side by side, whatever their client ids are and however many a device has."""

    def __init__(self) -> None:
        self._by_session: dict[int, LiveConnection] = {}
        self._by_owner: dict[ConnectionOwner, dict[int, LiveConnection]] = {}

    def __len__(self) -> int:
        return len(self._by_session)

    def begin(self, live: LiveConnection) -> None:
        self._by_session[live.session] = live
        for owner in _owners(live):
            self._by_owner.setdefault(owner, {})[live.session] = live

    def get(self, session: int | None) -> LiveConnection | None:
        return None if session is None else self._by_session.get(session)

    def end(self, session: int) -> LiveConnection | None:
        """None for one that is no device's (any more)."""
        live = self._by_session.pop(session, None)
        if live is None:
            return None
        for owner in _owners(live):
            of_owner = self._by_owner[owner]
            del of_owner[session]
            if not of_owner:
                del self._by_owner[owner]
        return live

    def count(self, tenant_id: str) -> int:
        return len(self._by_owner.get((tenant_id, ""), ()))

    def begun_us(self, tenant_id: str) -> Iterator[int]:
        """When the connections of a tenant have begun, if anybody wants to know."""
        for live in self._by_owner.get((tenant_id, ""), {}).values():
            yield live.begun_us

    def of(self, tenant_id: str, device_id: str = "") -> list[LiveConnection]:
        """Those of a device, or of all devices of the tenant."""
        return list(self._by_owner.get((tenant_id, device_id), {}).values())


def _owners(live: LiveConnection) -> tuple[ConnectionOwner, ConnectionOwner]:
    return (live.tenant_id, ""), (live.tenant_id, live.device_id)
