"""What servers send, as bytes.

What a version has no form for is left out: properties and reason codes before MQTT 5, and there a DISCONNECT or an
AUTH of a server is nothing at all.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_codec.fields import text_bytes, variable_bytes
from fleetrig.reference_server.mqtt_codec.properties import properties_bytes
from fleetrig.simulator.contract.errors import ModelError
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

V5: Final = MqttVersion.V5
FIRST_CODE_OF_V5: Final = 0x80
PINGRESP: Final = b"\xd0\x00"
ACK_FIRST: Final = {
    PublishAckKind.PUBACK: 0x40,
    PublishAckKind.PUBREC: 0x50,
    PublishAckKind.PUBREL: 0x62,
    PublishAckKind.PUBCOMP: 0x70,
}


def encode(packet: MqttPacket, version: MqttVersion | None) -> bytes:
    """`version` None: no CONNECT has come, or one of a level that nobody speaks; a CONNACK then has the form of MQTT 5
    if its code is one of MQTT 5, and all else that of 3.1.1.

    Raises ModelError for what no server sends, or MQTT has no form for.
    """
    match packet:
        case MqttPublish():
            return _publish(packet, version)
        case MqttPublishAck(kind, packet_id, code, properties):
            said = _code_and_properties(code, properties) if version is V5 else b""
            return _packet(ACK_FIRST[kind], packet_id.to_bytes(2, "big") + said)
        case MqttPingresp():
            return PINGRESP
        case MqttConnack():
            return _connack(packet, version)
        case MqttSuback(packet_id, codes, properties):
            said = properties_bytes(properties) if version is V5 else b""
            return _packet(0x90, packet_id.to_bytes(2, "big") + said + bytes(codes))
        case MqttUnsuback(packet_id, codes, properties):
            said = properties_bytes(properties) if version is V5 else b""  # codes: a few servers have them in MQTT 3
            return _packet(0xB0, packet_id.to_bytes(2, "big") + said + bytes(codes))
        case MqttDisconnect(code, properties):
            return _packet(0xE0, _code_and_properties(code, properties)) if version is V5 else b""
        case MqttAuth(code, properties):
            return _packet(0xF0, bytes((code,)) + properties_bytes(properties)) if version is V5 else b""
        case _:
            raise ModelError(f"no server sends {packet.line}")


def _publish(publish: MqttPublish, version: MqttVersion | None) -> bytes:
    qos = publish.qos
    if bool(qos) != bool(publish.packet_id):
        raise ModelError(f"a PUBLISH of QoS {qos} must not have the packet id {publish.packet_id}")
    first = 0x30 | publish.dup << 3 | qos << 1 | publish.retain
    packet_id = publish.packet_id.to_bytes(2, "big") if qos else b""
    said = properties_bytes(publish.properties) if version is V5 else b""
    return _packet(first, b"".join((text_bytes(publish.topic), packet_id, said, publish.payload)))


def _connack(connack: MqttConnack, version: MqttVersion | None) -> bytes:
    is_v5 = version is V5 or (version is None and connack.code >= FIRST_CODE_OF_V5)
    said = properties_bytes(connack.properties) if is_v5 else b""
    return _packet(0x20, bytes((connack.session_present, connack.code)) + said)


def _code_and_properties(code: int, properties: Properties) -> bytes:
    """As short as the standard allows: nothing for code 0 without properties."""
    if properties:
        return bytes((code,)) + properties_bytes(properties)
    return bytes((code,)) if code else b""


def _packet(first: int, body: bytes) -> bytes:
    length = len(body)
    if length < 0x80:
        return bytes((first, length)) + body
    return bytes((first,)) + variable_bytes(length) + body
