"""The smallest platform with sessions: MQTT's packets, an echo, and a reminder that comes unasked.

CONNECT id, password         CONNACK 0; 5 and an end for a wrong password
SUBSCRIBE filters            SUBACK; a filter is a topic, or its beginning and `#`
PUBLISH topic                counted in the store; PUBACK with QoS 1; then PUBLISH echo/topic, if subscribed to
PUBLISH remind, b"1500"      PUBLISH reminder, 1500 ms later, from `advance`
PUBLISH to/id                PUBLISH from/sender to the session of that id
PINGREQ · DISCONNECT         PINGRESP · an end
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.reference_server.stores.interface import Blobs, Entropy, Kind, Store
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.envelope import Close, Envelope, Send
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    PublishAckKind,
)
from fleetrig.simulator.contract.session import Session

PASSWORD = "open sesame"
TENANT = "T"
BAD_PASSWORD = 5


@dataclass(frozen=True)
class Published:
    """How often a device has published what has been taken for good."""

    device: str
    count: int


PUBLISHED = Kind("echo.published", Published, key=lambda published: published.device)


@dataclass
class Client:
    """A session that is open. `device` is empty until its CONNECT was accepted."""

    device: str = ""
    filters: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reminder:
    due_us: int
    session: int
    payload: bytes


class EchoPlatform:
    """A `SessionPlatform`. Its constructor is a `PlatformBuilder`."""

    name = "echo"

    def __init__(self, store: Store, blobs: Blobs | None = None, entropy: Entropy | None = None) -> None:
        self._store = store
        self._clients: dict[int, Client] = {}
        self._reminders: list[Reminder] = []

    def published(self, device: str) -> int:
        found = self._store.get(PUBLISHED, TENANT, device)
        return 0 if found is None else found.count

    def opened(self, session: Session, now_us: int) -> Reaction:
        self._clients[session.id] = Client()
        return NOTHING

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        client = self._clients[session.id]
        match envelope:
            case MqttConnect():
                return self._connect(session.id, client, envelope)
            case _ if not client.device:
                return Reaction((Close(session.id),), reason=f"{envelope.line} came before a CONNECT")
            case MqttSubscribe(wanted, packet_id):
                client.filters += [one.topic_filter for one in wanted]
                suback = MqttSuback(packet_id, tuple(one.qos for one in wanted))
                return Reaction((Send(session.id, suback),), device=client.device)
            case MqttPublish():
                return self._publish(session.id, client, envelope, now_us)
            case MqttPingreq():
                return Reaction((Send(session.id, MqttPingresp()),), device=client.device)
            case MqttDisconnect():
                return Reaction((Close(session.id),), device=client.device)
            case _:
                return Reaction((Close(session.id),), f"nothing is known of {envelope.line}", client.device)

    def closed(self, session: Session, now_us: int) -> Reaction:
        del self._clients[session.id]
        self._reminders = [one for one in self._reminders if one.session != session.id]
        return NOTHING

    def next_due_us(self) -> int | None:
        return min((one.due_us for one in self._reminders), default=None)

    def advance(self, now_us: int) -> Sequence[Reaction]:
        due = sorted((one for one in self._reminders if one.due_us <= now_us), key=lambda one: one.due_us)
        self._reminders = [one for one in self._reminders if one.due_us > now_us]
        return [self._remind(one) for one in due]

    def secrets(self) -> list[tuple[str, str]]:
        return [("password", PASSWORD)]

    def _remind(self, reminder: Reminder) -> Reaction:
        push = Send(reminder.session, MqttPublish("reminder", reminder.payload))
        return Reaction((push,), device=self._clients[reminder.session].device)

    def _connect(self, session: int, client: Client, connect: MqttConnect) -> Reaction:
        if connect.password != PASSWORD.encode():
            refusal = Send(session, MqttConnack(BAD_PASSWORD))
            return Reaction((refusal, Close(session)), reason="the password differs", device=connect.client_id)
        client.device = connect.client_id
        return Reaction((Send(session, MqttConnack()),), device=client.device, changed="connected")

    def _publish(self, session: int, client: Client, publish: MqttPublish, now_us: int) -> Reaction:
        count = self.published(client.device) + 1
        self._store.put(PUBLISHED, TENANT, Published(client.device, count))
        if publish.topic == "remind":
            self._reminders.append(Reminder(now_us + int(publish.payload) * US_PER_MS, session, publish.payload))
        outputs = (*self._acknowledgement(session, publish), *self._echoes(session, client, publish))
        return Reaction(outputs, device=client.device, changed=f"published {count}")

    def _acknowledgement(self, session: int, publish: MqttPublish) -> Iterator[Send]:
        if publish.qos:
            yield Send(session, MqttPublishAck(PublishAckKind.PUBACK, publish.packet_id))

    def _echoes(self, session: int, client: Client, publish: MqttPublish) -> Iterator[Send]:
        echo = f"echo/{publish.topic}"
        if any(_fits(one, echo) for one in client.filters):
            yield Send(session, MqttPublish(echo, publish.payload))
        if publish.topic.startswith("to/"):
            for other, known in self._clients.items():
                if known.device == publish.topic.removeprefix("to/"):
                    yield Send(other, MqttPublish(f"from/{client.device}", publish.payload))


def _fits(topic_filter: str, topic: str) -> bool:
    beginning, is_open, _ = topic_filter.partition("#")
    return topic.startswith(beginning) if is_open else topic == topic_filter
