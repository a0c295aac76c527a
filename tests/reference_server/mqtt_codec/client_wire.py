"""The client's side of MQTT's wire, written apart from the server's, straight from the tables of the standard."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
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
    Properties,
    PropertyValue,
    PublishAckKind,
)

V31, V311, V5 = MqttVersion

NAMES = {V31: b"MQIsdp", V311: b"MQTT", V5: b"MQTT"}

IDENTIFIERS = {
    "payload_format_indicator": (0x01, "B"), "message_expiry_interval": (0x02, "I"), "content_type": (0x03, "s"),
    "response_topic": (0x08, "s"), "correlation_data": (0x09, "b"), "subscription_identifier": (0x0B, "v"),
    "session_expiry_interval": (0x11, "I"), "assigned_client_identifier": (0x12, "s"),
    "server_keep_alive": (0x13, "H"), "authentication_method": (0x15, "s"), "authentication_data": (0x16, "b"),
    "request_problem_information": (0x17, "B"), "will_delay_interval": (0x18, "I"),
    "request_response_information": (0x19, "B"), "response_information": (0x1A, "s"), "server_reference": (0x1C, "s"),
    "reason_string": (0x1F, "s"), "receive_maximum": (0x21, "H"), "topic_alias_maximum": (0x22, "H"),
    "topic_alias": (0x23, "H"), "maximum_qos": (0x24, "B"), "retain_available": (0x25, "B"),
    "user_property": (0x26, "p"), "maximum_packet_size": (0x27, "I"), "wildcard_subscription_available": (0x28, "B"),
    "subscription_identifier_available": (0x29, "B"), "shared_subscription_available": (0x2A, "B"),
}  # fmt: skip
"""Name -> its number and a letter for its type: struct's, or s(tring), b(inary), v(ariable), p(air)."""


def varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def binary(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def text(value: str) -> bytes:
    return binary(value.encode())


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + varint(len(body)) + body


def properties(values: Properties) -> bytes:
    said = b"".join(_property(name, value) for name, value in values)
    return varint(len(said)) + said


def _property(name: str, value: PropertyValue) -> bytes:
    number, letter = IDENTIFIERS[name]
    match letter, value:
        case "s", str():
            written = text(value)
        case "b", bytes():
            written = binary(value)
        case "v", int():
            written = varint(value)
        case "p", (str() as key, str() as said):
            written = text(key) + text(said)
        case _:
            written = struct.pack("!" + letter, value)
    return bytes([number]) + written


def to_server(sent: MqttPacket, version: MqttVersion = V311) -> bytes:
    """What a client sends, as bytes."""
    is_v5 = version is V5

    def said(values: Properties) -> bytes:
        return properties(values) if is_v5 else b""

    match sent:
        case MqttConnect():
            return _connect(sent)
        case MqttPublish(topic, payload, qos, retain, dup, packet_id, values):
            number = struct.pack("!H", packet_id) if qos else b""
            return packet(0x30 | dup << 3 | qos << 1 | retain, text(topic) + number + said(values) + payload)
        case MqttPublishAck(kind, packet_id, code, values):
            tail = bytes([code]) + properties(values) if is_v5 else b""
            return packet(kind << 4 | (2 if kind is PublishAckKind.PUBREL else 0), struct.pack("!H", packet_id) + tail)
        case MqttSubscribe(wanted, packet_id, values):
            body = b"".join(
                text(one.topic_filter)
                + bytes([one.qos | one.no_local << 2 | one.retain_as_published << 3 | one.retain_handling << 4])
                for one in wanted
            )
            return packet(0x82, struct.pack("!H", packet_id) + said(values) + body)
        case MqttUnsubscribe(filters, packet_id, values):
            return packet(0xA2, struct.pack("!H", packet_id) + said(values) + b"".join(map(text, filters)))
        case MqttPingreq():
            return packet(0xC0, b"")
        case MqttDisconnect(code, values):
            return packet(0xE0, bytes([code]) + properties(values) if is_v5 else b"")
        case MqttAuth(code, values):
            return packet(0xF0, bytes([code]) + properties(values))
        case _:
            raise ValueError(sent)


def _connect(sent: MqttConnect) -> bytes:
    will, is_v5 = sent.will, sent.version is V5
    flags = sent.clean_start << 1 | (sent.password is not None) << 6 | (sent.user_name is not None) << 7
    body = text(sent.client_id)
    if will is not None:
        flags |= 0x04 | will.qos << 3 | will.retain << 5
        body += (properties(will.properties) if is_v5 else b"") + text(will.topic) + binary(will.payload)
    if sent.user_name is not None:
        body += text(sent.user_name)
    if sent.password is not None:
        body += binary(sent.password)
    head = binary(NAMES[sent.version]) + struct.pack("!BBH", sent.version, flags, sent.keep_alive_s)
    return packet(0x10, head + (properties(sent.properties) if is_v5 else b"") + body)


@dataclass
class ServerBytes:
    """Reads packets that a server sent; whatever is wrong with them is an exception."""

    data: bytes
    version: MqttVersion
    at: int = 0

    def packets(self) -> list[MqttPacket]:
        """All that are whole; what is left stays in `data`."""
        found = []
        while (one := self._packet()) is not None:
            found.append(one)
        return found

    def _packet(self) -> MqttPacket | None:
        try:
            first, self.at = self.data[0], 1
            length = self._varint()
        except IndexError:
            return None
        end = self.at + length
        if end > len(self.data):
            return None
        body, self.data = ServerBytes(self.data[self.at : end], self.version), self.data[end:]
        read = body._read(first)
        assert body.at == length, f"{length - body.at} bytes are left of {read}"
        return read

    def _read(self, first: int) -> MqttPacket:
        match first >> 4:
            case 2:
                present, code = self._byte(), self._byte()
                assert present in (0, 1)
                return MqttConnack(code, bool(present), self._properties())
            case 3:
                qos = first >> 1 & 3
                topic = self._binary().decode()
                packet_id = self._number(2) if qos else 0
                values = self._properties()
                payload = self._take(len(self.data) - self.at)
                return MqttPublish(topic, payload, qos, bool(first & 1), bool(first & 8), packet_id, values)
            case 4 | 5 | 6 | 7 as kind:
                assert first & 15 == (2 if kind == 6 else 0)
                return MqttPublishAck(PublishAckKind(kind), self._number(2), *self._code_and_properties())
            case 9:
                packet_id, values = self._number(2), self._properties()
                return MqttSuback(packet_id, tuple(self._take(len(self.data) - self.at)), values)
            case 11:
                packet_id, values = self._number(2), self._properties()
                return MqttUnsuback(packet_id, tuple(self._take(len(self.data) - self.at)), values)
            case 13:
                return MqttPingresp()
            case 14:
                return MqttDisconnect(*self._code_and_properties())
            case 15:
                return MqttAuth(self._byte(), self._properties())
            case other:
                raise ValueError(f"a packet of type {other}")

    def _code_and_properties(self) -> tuple[int, Properties]:
        if self.at == len(self.data):
            return 0, ()
        code = self._byte()
        return code, (() if self.at == len(self.data) else self._properties())

    def _properties(self) -> Properties:
        if self.version is not V5:
            return ()
        end = self._varint() + self.at
        found: list[tuple[str, PropertyValue]] = []
        while self.at < end:
            number = self._byte()
            name, letter = next((name, one[1]) for name, one in IDENTIFIERS.items() if one[0] == number)
            found.append((name, self._value(letter)))
        assert self.at == end
        return tuple(found)

    def _value(self, letter: str) -> PropertyValue:
        match letter:
            case "s":
                return self._binary().decode()
            case "b":
                return self._binary()
            case "v":
                return self._varint()
            case "p":
                return self._binary().decode(), self._binary().decode()
            case _:
                return self._number(struct.calcsize(letter))

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _binary(self) -> bytes:
        return self._take(self._number(2))

    def _varint(self) -> int:
        byte = self._byte()
        return byte & 0x7F | (self._varint() << 7 if byte & 0x80 else 0)

    def _take(self, size: int) -> bytes:
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size : self.at]
