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
        self._by_tenant: dict[str, dict[int, LiveConnection]] = {}

    def __len__(self) -> int:
        return len(self._by_session)

    def __iter__(self) -> Iterator[LiveConnection]:
        return iter(self._by_session.values())

    def begin(self, live: LiveConnection) -> None:
        self._by_session[live.session] = live
        self._by_tenant.setdefault(live.tenant_id, {})[live.session] = live

    def get(self, session: int | None) -> LiveConnection | None:
        return None if session is None else self._by_session.get(session)

    def end(self, session: int) -> LiveConnection | None:
        """None for one that is no device's (any more)."""
        live = self._by_session.pop(session, None)
        if live is not None:
            of_tenant = self._by_tenant[live.tenant_id]
            del of_tenant[session]
            if not of_tenant:
                del self._by_tenant[live.tenant_id]
        return live

    def count(self, tenant_id: str) -> int:
        return len(self._by_tenant.get(tenant_id, ()))

    def of(self, tenant_id: str, device_id: str = "") -> list[LiveConnection]:
        """Those of a device, or of all devices of the tenant."""
        found = self._by_tenant.get(tenant_id, {}).values()
        return [live for live in found if device_id in ("", live.device_id)]
