"""A raw MQTT client of one connection: its packets become events in the order in which they arrive.

Nothing waits in real time for what does not come: a PINGREQ is answered after all that the server had to say.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import Any

from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    PublishAckKind,
    Subscription,
)
from tests.golden.payloads import payload_bytes, payload_value
from tests.reference_server.mqtt_codec.client_wire import ServerBytes, to_server

VERSIONS = {"3.1": MqttVersion.V31, "3.1.1": MqttVersion.V311, "5": MqttVersion.V5}
LIMIT_S = 20.0
CHUNK_BYTES = 65_536

Event = dict[str, Any]


class MqttClient:
    """Raises OSError when TCP or TLS come to nothing."""

    def __init__(
        self,
        port: int,
        version: str = "3.1.1",
        tls: ssl.SSLContext | None = None,
        server_name: str | None = "localhost",
    ) -> None:
        plain = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        try:
            self._socket = plain if tls is None else tls.wrap_socket(plain, server_hostname=server_name)
        except OSError:
            plain.close()
            raise
        self.version = VERSIONS[version]
        self.is_closed = False
        self._wire = ServerBytes(b"", self.version)
        self._events: deque[Event] = deque()
        self._packet_id = 0
        self._disconnect: int | None = None
        """The code of the DISCONNECT that has come."""

    # What it says

    def connect(self, arguments: dict[str, Any]) -> None:
        password = arguments.get("password")
        self._say(
            MqttConnect(
                arguments.get("client_id", ""),
                arguments.get("username"),
                None if password is None else password.encode(),
                arguments.get("clean", True),
                arguments.get("keepalive", 60),
                self.version,
            )
        )

    def subscribe(self, filters: list[tuple[str, int]]) -> None:
        wanted = tuple(Subscription(topic_filter, qos) for topic_filter, qos in filters)
        self._say(MqttSubscribe(wanted, self._next_id()))

    def unsubscribe(self, topic_filter: str) -> None:
        self._say(MqttUnsubscribe((topic_filter,), self._next_id()))

    def publish(self, arguments: dict[str, Any]) -> None:
        qos = arguments.get("qos", 0)
        payload = payload_bytes(arguments["payload"])
        retain = arguments.get("retain", False)
        packet_id = self._next_id() if qos else 0
        self._say(MqttPublish(arguments["topic"], payload, qos, retain, packet_id=packet_id))

    def ping(self) -> None:
        self._say(MqttPingreq())

    def disconnect(self) -> None:
        self._say(MqttDisconnect())
        self.close()

    def close(self) -> None:
        self._socket.close()

    # What it hears

    def hear_all(self) -> None:
        """Everything that the server has said so far, or that it has closed."""
        if self.is_closed:
            return
        self.ping()
        while not self.is_closed:
            if {"pingresp": True} in self._events:
                self._events.remove({"pingresp": True})
                return
            self._read()

    def hear_one(self) -> Event:
        """Waits for what must come at once."""
        while not self._events:
            self._read()
        return self._events.popleft()

    def next_event(self) -> Event | None:
        """The next of what was heard."""
        return self._events.popleft() if self._events else None

    # The wire

    def _next_id(self) -> int:
        self._packet_id += 1
        return self._packet_id

    def _say(self, packet: MqttPacket) -> None:
        with suppress(ConnectionError, ssl.SSLError):  # the end is heard when what came before it has been read
            self._socket.sendall(to_server(packet, self.version))

    def _read(self) -> None:
        try:
            data = self._socket.recv(CHUNK_BYTES)
        except (ConnectionError, ssl.SSLEOFError):
            data = b""
        if not data:
            self.is_closed = True
            self._events.append({"closed": True, "disconnect": self._disconnect})
            return
        self._wire.data += data
        for packet in self._wire.packets():
            self._heard(packet)

    def _heard(self, packet: MqttPacket) -> None:
        is_v5 = self.version is MqttVersion.V5
        match packet:
            case MqttConnack(code, present):
                self._events.append({"connack": code, "session_present": present})
            case MqttSuback(_, codes):
                self._events.append({"suback": list(codes)})
            case MqttUnsuback(_, codes):
                self._events.append({"unsuback": list(codes)})
            case MqttPublishAck(PublishAckKind.PUBACK, _, code):
                self._events.append({"puback": code if is_v5 else True})
            case MqttPublish(topic, payload, qos, retain, packet_id=packet_id):
                said = {"topic": topic, "qos": qos, "retain": retain, "payload": payload_value(payload)}
                self._events.append({"publish": said})
                if qos:
                    self._say(MqttPublishAck(PublishAckKind.PUBACK, packet_id))
            case MqttPingresp():
                self._events.append({"pingresp": True})
            case MqttDisconnect(code):
                self._disconnect = code
            case _:
                raise AssertionError(f"no client awaits {packet.line}")
