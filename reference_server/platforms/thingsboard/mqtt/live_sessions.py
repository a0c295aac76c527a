"""Which device is connected by which sessions, and what those have to hear of unasked (spec 2, 3.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.deadlines import Deadlines
from fleetrig.reference_server.platforms.thingsboard.mqtt.package_chunks import Downloads
from fleetrig.reference_server.platforms.thingsboard.mqtt.topics import RPC_TOPICS, UPDATE_TOPICS, qos_of
from fleetrig.reference_server.platforms.thingsboard.state.records import Device
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttPublish
from fleetrig.simulator.contract.session import Session


@dataclass(slots=True)
class LiveSession:
    """Of a device that is logged in. `is_gateway` is looked up at the login only, as on the real server."""

    session: int
    device_id: str
    is_gateway: bool
    name: str = ""
    """Of the device, as it was at the login."""
    peer: str = ""
    heard_us: int = 0
    """When it said something last."""
    downloads: Downloads = field(default_factory=Downloads)
    client: ClientState | None = None
    """Known from its first subscription on."""


TAKEN_OVER_AFTER_US: Final = 100_000
"""How long an older session goes on beside a new one of its device. The real server's queue takes it to the device's
actor: that took 19 to 39 ms, and longer when there was much to do."""


class LiveSessions:
    """A device has one, by default: an older one ends a little after a new login, whatever its client id is (L08)."""

    def __init__(self, silence_us: int, most: int = 1) -> None:
        """`silence_us`: after how much of it a session is over; `most`: how many sessions a device may have."""
        self._most = most
        self._surplus = Deadlines[int]()
        self._silence_us = silence_us
        self._silences = Deadlines[int]()
        self.deadlines: Final = (self._silences, self._surplus)
        self._by_session: dict[int, LiveSession] = {}
        self._by_device: dict[str, dict[int, LiveSession]] = {}
        self._rpc_numbers: dict[str, int] = {}
        """How many RPCs a device was sent since the start: their ids count from 0 (T07)."""

    def begin(self, session: Session, device: Device, now_us: int) -> None:
        """In place of whoever was logged in on that connection."""
        self.end(session.id)
        live = LiveSession(session.id, device.id, device.is_gateway, device.name, session.peer, now_us)
        self._by_session[session.id] = live
        self._by_device.setdefault(device.id, {})[session.id] = live
        self._silences.put(session.id, now_us + self._silence_us)
        for surplus in list(self._by_device[device.id])[: -self._most]:
            if surplus not in self._surplus:
                self._surplus.put(surplus, now_us + TAKEN_OVER_AFTER_US)

    def end(self, session: int) -> None:
        """Harmless for a session that was none of a device."""
        live = self._by_session.pop(session, None)
        if live is not None:
            self._silences.cancel(session)
            self._surplus.cancel(session)
            of_device = self._by_device[live.device_id]
            del of_device[session]
            if not of_device:
                del self._by_device[live.device_id]

    def get(self, session: int | None) -> LiveSession | None:
        return None if session is None else self._by_session.get(session)

    def surplus(self, now_us: int) -> Iterator[int]:
        """The sessions that a later login has replaced."""
        while (session := self._surplus.pop_due(now_us)) is not None:
            yield session

    def silent(self, now_us: int) -> Iterator[int]:
        """The sessions that have been silent for too long."""
        while (session := self._silences.pop_due(now_us)) is not None:
            ends_us = self._by_session[session].heard_us + self._silence_us
            if ends_us > now_us:
                self._silences.put(session, ends_us)  # it has been heard meanwhile
            else:
                yield session

    def of_device(self, device_id: str) -> list[LiveSession]:
        return list(self._by_device.get(device_id, {}).values())

    def pushes(self, notice: Notice) -> Iterator[tuple[ClientState, MqttPublish]]:
        """What a notice says to those who have subscribed to it."""
        number = self._next_rpc_number(notice.device_id) if notice.kind is NoticeKind.RPC_REQUESTED else 0
        for live in self.of_device(notice.device_id):
            if live.client is not None and (topic := _topic(notice, live.client, number)):
                payload = json_bytes(dict(notice.body))
                yield live.client, MqttPublish(topic, payload, qos_of(live.client, topic))

    def _next_rpc_number(self, device_id: str) -> int:
        number = self._rpc_numbers.get(device_id, 0)
        self._rpc_numbers[device_id] = number + 1
        return number


def _topic(notice: Notice, client: ClientState, rpc_number: int) -> str:
    """Empty when the client has not subscribed; of several forms the latest counts."""
    match notice.kind:
        case NoticeKind.RPC_REQUESTED:
            wanted = [RPC_TOPICS[one] for one in client.subscriptions if one in RPC_TOPICS]
            return f"{wanted[-1]}{rpc_number}" if wanted else ""
        case NoticeKind.ATTRIBUTES_UPDATED | NoticeKind.ATTRIBUTES_DELETED:
            return next((one for one in reversed(client.subscriptions) if one in UPDATE_TOPICS), "")
        case _:
            return ""


def json_bytes(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
