"""Packets that servers send, MQTT 3.1, 3.1.1 and 5: from first byte and body to the contract's packet.

Codes are taken as they come: a device under test must show what it was told, also where no standard knows the number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from paho.mqtt.packettypes import PacketTypes

from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttDisconnect,
    MqttPacket,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttUnsuback,
    MqttVersion,
    Properties,
    PublishAckKind,
)
from fleetrig.simulator.transports.paho_properties import read_properties

PUBREL_FLAGS: Final = 2


def read_packet(first: int, body: bytes, version: MqttVersion) -> MqttPacket:
    """One packet; `first` is its first byte, `body` all behind its length. Raises ValueError for what is none."""
    packet_type, flags = first >> 4, first & 0x0F
    if packet_type == PacketTypes.PUBLISH:
        return _publish(flags, body, version)
    if flags != (PUBREL_FLAGS if packet_type == PacketTypes.PUBREL else 0):
        raise ValueError(f"a packet that begins with 0x{first:02x}")
    if packet_type not in READERS or (packet_type in OF_MQTT_5 and version is not MqttVersion.V5):
        raise ValueError(f"a packet that no server sends: 0x{first:02x}")
    return READERS[packet_type](packet_type, body, version)


def _publish(flags: int, body: bytes, version: MqttVersion) -> MqttPublish:
    qos = flags >> 1 & 3
    if qos == 3:
        raise ValueError("a PUBLISH with QoS 3")
    length = _number(body)
    topic, rest = body[2 : 2 + length], body[2 + length :]
    if len(topic) < length:
        raise ValueError("a PUBLISH that ends in its topic")
    packet_id = 0
    if qos:
        packet_id, rest = _number(rest), rest[2:]
    properties: Properties = ()
    if version is MqttVersion.V5:
        properties, rest = read_properties(rest, PacketTypes.PUBLISH)
    return MqttPublish(
        topic.decode("utf-8"), rest, qos, bool(flags & 1), bool(flags & 8), packet_id, properties
    )  # fmt: skip


def _connack(packet_type: int, body: bytes, version: MqttVersion) -> MqttConnack:
    """A server that does not know MQTT 5 refuses it in the two bytes of MQTT 3."""
    flags, code = body[0:1], body[1:2]
    is_short = version is not MqttVersion.V5 or (len(body) == 2 and code != b"\0")
    if flags not in (b"\0", b"\1") or not code or (is_short and len(body) != 2):
        raise ValueError("a CONNACK of another form")
    properties = () if is_short else _last_properties(body[2:], packet_type)
    return MqttConnack(code[0], flags == b"\1", properties)


def _publish_ack(packet_type: int, body: bytes, version: MqttVersion) -> MqttPublishAck:
    packet_id = _number(body)
    code, properties = _code_and_properties(packet_type, body[2:], version)
    return MqttPublishAck(PublishAckKind(packet_type), packet_id, code, properties)


def _suback(packet_type: int, body: bytes, version: MqttVersion) -> MqttSuback:
    packet_id, properties, codes = _properties_and_codes(packet_type, body, version)
    if not codes:
        raise ValueError("a SUBACK without a code")
    return MqttSuback(packet_id, codes, properties)


def _unsuback(packet_type: int, body: bytes, version: MqttVersion) -> MqttUnsuback:
    packet_id, properties, codes = _properties_and_codes(packet_type, body, version)
    if codes and version is not MqttVersion.V5:
        raise ValueError("an UNSUBACK with codes, which MQTT 3 does not have")
    return MqttUnsuback(packet_id, codes, properties)


def _pingresp(_: int, body: bytes, __: MqttVersion) -> MqttPingresp:
    if body:
        raise ValueError("a PINGRESP with something in it")
    return MqttPingresp()


def _disconnect(packet_type: int, body: bytes, version: MqttVersion) -> MqttDisconnect:
    return MqttDisconnect(*_code_and_properties(packet_type, body, version))


def _auth(packet_type: int, body: bytes, version: MqttVersion) -> MqttAuth:
    return MqttAuth(*_code_and_properties(packet_type, body, version))


def _properties_and_codes(
    packet_type: int, body: bytes, version: MqttVersion
) -> tuple[int, Properties, tuple[int, ...]]:
    """Packet id first."""
    packet_id, rest = _number(body), body[2:]
    properties: Properties = ()
    if version is MqttVersion.V5:
        properties, rest = read_properties(rest, packet_type)
    return packet_id, properties, tuple(rest)


def _code_and_properties(packet_type: int, data: bytes, version: MqttVersion) -> tuple[int, Properties]:
    """Both may be left out in MQTT 5; MQTT 3 has neither."""
    if not data:
        return 0, ()
    if version is not MqttVersion.V5:
        raise ValueError(f"a packet of type {packet_type} with {len(data)} bytes too many")
    return data[0], _last_properties(data[1:], packet_type) if data[1:] else ()


def _last_properties(data: bytes, packet_type: int) -> Properties:
    properties, rest = read_properties(data, packet_type)
    if rest:
        raise ValueError("bytes behind the properties")
    return properties


def _number(data: bytes) -> int:
    """The two bytes at the beginning."""
    if len(data) < 2:
        raise ValueError("a packet that ends too early")
    return int.from_bytes(data[:2])


READERS: Final[Mapping[int, Callable[[int, bytes, MqttVersion], MqttPacket]]] = {
    PacketTypes.CONNACK: _connack,
    PacketTypes.PUBACK: _publish_ack,
    PacketTypes.PUBREC: _publish_ack,
    PacketTypes.PUBREL: _publish_ack,
    PacketTypes.PUBCOMP: _publish_ack,
    PacketTypes.SUBACK: _suback,
    PacketTypes.UNSUBACK: _unsuback,
    PacketTypes.PINGRESP: _pingresp,
    PacketTypes.DISCONNECT: _disconnect,
    PacketTypes.AUTH: _auth,
}
OF_MQTT_5: Final = frozenset({PacketTypes.DISCONNECT, PacketTypes.AUTH})
"""Only there does a server send them."""
