"""One MQTT session of a gateway, said and heard packet by packet (docs/contracts/kura.md §2.1, §2.2)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fleetrig.harness.conformance import mqtt_bytes
from fleetrig.harness.conformance.exact_mqtt import ExactMqtt
from fleetrig.harness.conformance.expect import Mismatch, expect, expect_that
from fleetrig.harness.conformance.mqtt_bytes import CLOSED, Heard
from fleetrig.harness.platforms.kura.conformance.payload_bytes import HeardPayload, Value, payload, read_payload
from fleetrig.harness.verdict import Finding

REFUSALS: Final = ("CONNACK 4", "CONNACK 5")
"""Which of the two a broker says is its own matter (§5.4)."""
ANSWERS_WITHIN_S: Final = 5.0
BIRTH: Final[Mapping[str, Value]] = {
    "uptime": "12345",
    "display_name": "Conformance gateway",
    "model_name": "Row",
    "model_id": "ROW-1",
    "part_number": "P-1",
    "serial_number": "SN-ROW-1",
    "firmware_version": "1.0",
    "bios_version": "2.0",
    "os": "Linux",
    "os_version": "6.1",
    "jvm_name": "OpenJDK",
    "jvm_version": "17",
    "kura_version": "KURA_5.6.0",
    "application_framework": "Kura",
    "application_framework_version": "KURA_5.6.0",
    "osgi_framework": "Eclipse",
    "osgi_framework_version": "1.10",
    "connection_interface": "eth0 (00:60:0C:AA:BB:CC)",
    "connection_ip": "192.0.2.7",
    "accept_encoding": "gzip",
    "application_ids": "CONF-V1,DEPLOY-V2,KEYS-V2",
    "payload_encoding": "KURA_PROTOBUF",
}
"""What a gateway says of itself (§2.2)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH that was heard."""

    topic: str
    payload: bytes

    @property
    def content(self) -> HeardPayload:
        """Raises Mismatch for what no gateway could read."""
        try:
            return read_payload(self.payload)
        except ValueError as wrong:
            got = f"{self.payload[:40].hex()} ({wrong})"
            raise Mismatch(Finding(f"a KuraPayload at {self.topic}", got)) from None


@dataclass(slots=True)
class GatewaySession:
    """A client of an account, and its connection."""

    connection: ExactMqtt
    account: str
    """Its name, as topics have it."""
    client_id: str
    silence_s: float = 0.0
    waiting: list[Message] = field(default_factory=list)
    """Heard while something else was awaited."""

    def connect(self, user_name: str | None, password: str | None, **more: Any) -> str:
        """The answer to CONNECT. `will=True`: that of a Kura gateway, empty at its LWT topic."""
        if more.get("will") is True:
            more["will"] = (self.control("MQTT/LWT"), b"")
        return self.connection.connect(self.client_id, user_name, password, **more)

    def say_connect(self, user_name: str, password: str) -> None:
        """CONNECT, whose answer `hear_connect` gives: others may say theirs meanwhile."""
        self.connection.say_connect(self.client_id, user_name, password)

    def hear_connect(self) -> str:
        return self.connection.hear().line

    def control(self, rest: str) -> str:
        """A topic below the gateway's own control topics."""
        return f"$EDC/{self.account}/{self.client_id}/{rest}"

    def subscribe(self, topic_filter: str, qos: int = 1) -> None:
        """Has to be granted."""
        answer = self.say_subscribe(topic_filter, qos)
        expect_that(answer in ("SUBACK 0", "SUBACK 1"), f"SUBSCRIBE {topic_filter} is granted", answer)

    def say_subscribe(self, topic_filter: str, qos: int = 1) -> str:
        """The answer to SUBSCRIBE; messages that come before are kept."""
        self.connection.say_subscribe(topic_filter, qos)
        return self._next_but_messages().line

    def publish(self, topic: str, data: bytes, qos: int = 0) -> None:
        self.connection.publish(topic, data, qos)

    def birth(self, values: Mapping[str, Value] | None = None, qos: int = 1) -> None:
        """BIRTH, as a gateway says it on a new connection."""
        self.publish(
            self.control("MQTT/BIRTH"), payload(BIRTH if values is None else values, timestamp_ms=now_ms()), qos
        )
        self.settle()

    def disconnect(self, *, dc: bool = True) -> None:
        """An orderly end, DC first. The broker closes the connection then."""
        if dc:
            self.publish(self.control("MQTT/DC"), payload({"uptime": "1", "display_name": "x"}))
        self.connection.send(mqtt_bytes.packet(mqtt_bytes.DISCONNECT, b""))
        self.expect_closed("after DISCONNECT")

    def drop(self) -> None:
        """The line is cut: no DISCONNECT."""
        self.connection.close()

    # -- hearing

    def message(self, what: str, within_s: float = ANSWERS_WITHIN_S) -> Message:
        """The next message. Raises Mismatch when none comes in time, or the connection ends."""
        if self.waiting:
            return self.waiting.pop(0)
        ends_s = time.monotonic() + within_s
        while True:
            heard = self.connection.hear(max(ends_s - time.monotonic(), 0.01))
            if heard is CLOSED:
                raise Mismatch(Finding(f"{what}: a message", "the connection was closed"))
            if heard.line.startswith("PUBLISH"):
                return self._taken(heard)

    def settle(self) -> None:
        """Everything that was said is done: a ping is answered. Messages that come meanwhile are kept."""
        self.connection.ping()
        answer = self._next_but_messages()
        expect(f"{self.client_id}: the connection stays open, a ping is answered", "PINGRESP", answer.line)

    def expect_nothing(self, what: str) -> None:
        """No message has come, and none comes; the connection goes on."""
        if self.silence_s:
            time.sleep(self.silence_s)
        self.settle()
        got = [f"PUBLISH {one.topic}" for one in self.waiting]
        expect_that(not got, f"{what}: nothing is published to {self.client_id}", got)

    def expect_closed(self, what: str) -> None:
        """The server ends the connection, whatever it says before."""
        answer = self._next_but_messages()
        expect(f"{what}: the connection of {self.client_id}", "closed", answer.line)

    def _next_but_messages(self) -> Heard:
        """What comes next beside messages, which are kept, and acknowledgements."""
        while True:
            heard = self.connection.hear()
            if heard.line.startswith("PUBLISH"):
                self.waiting.append(self._taken(heard))
            elif not heard.line.startswith("PUBACK"):
                return heard

    def _taken(self, heard: Heard) -> Message:
        if heard.packet_id:
            self.connection.send(mqtt_bytes.puback(heard.packet_id))
        return Message(heard.line.removeprefix("PUBLISH ").rpartition(" q")[0], heard.payload)


def expect_refused(what: str, answer: str) -> None:
    expect_that(answer in REFUSALS, f"{what}: CONNACK 4 or 5", answer)


def now_ms() -> int:
    """What gateways write into their messages."""
    return time.time_ns() // 1_000_000
