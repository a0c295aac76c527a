"""BIRTH, APPS, DC and LWT: what they do to devices, their connections and their events (spec 2.2, 5.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fleetrig.reference_server.platforms.kura.broker.birth_document import birth_document, event_position, event_time_us
from fleetrig.reference_server.platforms.kura.broker.live_clients import LiveClient
from fleetrig.reference_server.platforms.kura.broker.topics import Lifecycle
from fleetrig.reference_server.platforms.kura.payload.codec import decode
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload
from fleetrig.reference_server.platforms.kura.state.connections import disconnected
from fleetrig.reference_server.platforms.kura.state.device_records import ConnectionStatus, Device, DeviceEvent
from fleetrig.reference_server.platforms.kura.state.devices import apps_changed, born, device_by_client
from fleetrig.reference_server.platforms.kura.state.errors import Refused
from fleetrig.reference_server.platforms.kura.state.events import audit, record_event
from fleetrig.reference_server.platforms.kura.state.registry import Registry

RESOURCES: Final = {
    Lifecycle.BIRTH: "BIRTH",
    Lifecycle.APPS: "APPLICATION",
    Lifecycle.DC: "DEATH",
    Lifecycle.LWT: "MISSING",
}
"""The resource of the event that each of them leaves (5.1)."""
BIRTH_RECEIVED: Final = "birth_received"
DEVICE_REGISTERED: Final = "device_registered"
"""Steps of the trace."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a lifecycle message has come to."""

    reason: str = ""
    changed: str = ""
    steps: tuple[str, ...] = ()
    device: Device | None = None


class LifecycleMessages:
    """`is_expected` says whether a provision job waits for that client: then it may register in any account."""

    def __init__(self, registry: Registry, is_expected: Callable[[LiveClient], bool]) -> None:
        self._registry = registry
        self._is_expected = is_expected

    def heard(self, live: LiveClient, lifecycle: Lifecycle, data: bytes, now_us: int) -> Heard:
        """Of the client's own topic. Nothing is changed by bytes that are no payload."""
        payload = decode(data)
        if payload.undecodable:
            return self._refused(
                live, lifecycle, f"a {lifecycle} that is no KuraPayload: {payload.undecodable}", now_us
            )
        match lifecycle:
            case Lifecycle.BIRTH | Lifecycle.APPS:
                return self._told(live, lifecycle, payload, now_us)
            case Lifecycle.DC:
                return self._noted(live, lifecycle, payload, now_us)
            case Lifecycle.LWT:
                return self.missing(live, now_us)

    def missing(self, live: LiveClient, now_us: int) -> Heard:
        """Its LWT has come, from the broker or from itself; one of a replaced connection says nothing (S-31)."""
        if live.was_replaced:
            return Heard(changed="the will of a connection that another one has replaced: the client is there")
        live.was_lost = True
        self.gone(live, ConnectionStatus.MISSING, now_us)
        return self._noted(live, Lifecycle.LWT, KuraPayload(), now_us)

    def gone(self, live: LiveClient, status: ConnectionStatus, now_us: int) -> bool:
        """False for bootstrap connections, and when a later connection has begun."""
        return live.connection is not None and disconnected(self._registry, live.connection, status, now_us)

    def _told(self, live: LiveClient, lifecycle: Lifecycle, payload: KuraPayload, now_us: int) -> Heard:
        document, sent_ms = birth_document(payload), payload.timestamp_ms
        before = device_by_client(self._registry, live.scope_id, live.client_id)
        try:
            if lifecycle is Lifecycle.BIRTH:
                connection_id = "" if live.connection is None else live.connection.id
                device = born(
                    self._registry,
                    live.scope_id,
                    live.client_id,
                    document,
                    sent_ms,
                    now_us,
                    connection_id,
                    is_provisioned=before is None and self._is_expected(live),
                )
            else:
                device = apps_changed(self._registry, live.scope_id, live.client_id, document, sent_ms, now_us)
        except Refused as refused:
            return self._refused(live, lifecycle, refused.reason or refused.error, now_us)
        return self._registered(live, lifecycle, payload, device, now_us, is_new=before is None)

    def _registered(
        self,
        live: LiveClient,
        lifecycle: Lifecycle,
        payload: KuraPayload,
        device: Device,
        now_us: int,
        *,
        is_new: bool,
    ) -> Heard:
        kept = record_event(self._registry, device, _event(lifecycle, payload, now_us))
        if lifecycle is not Lifecycle.BIRTH:
            return Heard(changed="applications changed", device=kept)
        live.born_us = now_us
        steps = (BIRTH_RECEIVED, DEVICE_REGISTERED) if is_new else (BIRTH_RECEIVED,)
        return Heard(changed="device registered" if is_new else "device born again", steps=steps, device=kept)

    def _noted(self, live: LiveClient, lifecycle: Lifecycle, payload: KuraPayload, now_us: int) -> Heard:
        device = device_by_client(self._registry, live.scope_id, live.client_id)
        if device is not None:
            device = record_event(self._registry, device, _event(lifecycle, payload, now_us))
        return Heard(changed=RESOURCES[lifecycle].lower(), device=device)

    def _refused(self, live: LiveClient, lifecycle: Lifecycle, why: str, now_us: int) -> Heard:
        """The session stays up: of the real server, too, only its log says it (5.1)."""
        audit(self._registry, live.peer, lifecycle.lower(), why, now_us)
        return Heard(reason=why)


def _event(lifecycle: Lifecycle, payload: KuraPayload, now_us: int) -> DeviceEvent:
    return DeviceEvent(
        0,
        "",
        "",
        now_us,
        RESOURCES[lifecycle],
        sent_us=event_time_us(payload.timestamp_ms),
        position=event_position(payload.position),
    )
