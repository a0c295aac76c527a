"""What servers send, byte by byte where a version has its own form, and what has no form at all."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.mqtt_codec.encoder import encode
from fleetrig.reference_server.mqtt_codec.fields import variable_bytes
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPublish,
    MqttPublishAck,
    MqttUnsuback,
    MqttVersion,
    PublishAckKind,
)
from tests.reference_server.mqtt_codec.client_wire import V5, V31, V311

REASON = (("reason_string", "no"),)


@pytest.mark.parametrize(
    ("packet", "version", "written"),
    [
        (MqttConnack(5, session_present=True), V311, b"\x20\x02\x01\x05"),
        (MqttConnack(5, properties=REASON), V31, b"\x20\x02\x00\x05"),
        (MqttConnack(0x86), V5, b"\x20\x03\x00\x86\x00"),
        (MqttConnack(0x86, properties=REASON), V5, b"\x20\x08\x00\x86\x05\x1f\x00\x02no"),
        (MqttConnack(1), None, b"\x20\x02\x00\x01"),
        (MqttConnack(0x84), None, b"\x20\x03\x00\x84\x00"),
        (MqttPublishAck(PublishAckKind.PUBREL, 7), V5, b"\x62\x02\x00\x07"),
        (MqttPublishAck(PublishAckKind.PUBACK, 7, 0x90), V5, b"\x40\x03\x00\x07\x90"),
        (MqttPublishAck(PublishAckKind.PUBACK, 7, 0x90, REASON), V311, b"\x40\x02\x00\x07"),
        (MqttPublish("a", b"x", retain=True), None, b"\x31\x04\x00\x01ax"),
        (MqttPublish("a", b"x", 2, dup=True, packet_id=7), V5, b"\x3c\x07\x00\x01a\x00\x07\x00x"),
        (MqttUnsuback(7), V311, b"\xb0\x02\x00\x07"),
        (MqttUnsuback(7, (0x80,)), V311, b"\xb0\x03\x00\x07\x80"),
        (MqttDisconnect(0x8E), V5, b"\xe0\x01\x8e"),
        (MqttDisconnect(0x8E), V311, b""),
        (MqttDisconnect(0x8E), None, b""),
        (MqttAuth(0x18), V31, b""),
    ],
)  # fmt: skip
def test_the_forms_of_each_version(packet: MqttPacket, version: MqttVersion | None, written: bytes) -> None:
    assert encode(packet, version) == written


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (MqttConnect("gw-1"), "no server sends CONNECT gw-1"),
        (MqttPublish("a", qos=1), "must not have the packet id 0"),
        (MqttPublish("a", packet_id=1), "must not have the packet id 1"),
        (MqttPublish("a" * 65_536), "at most 65,535 bytes"),
        (MqttPublish("\ud800"), "cannot be written in UTF-8"),
        (MqttConnack(properties=(("colour", 1),)), "no property 'colour'"),
        (MqttConnack(properties=(("maximum_qos", 256),)), "256 is no byte for the property maximum_qos"),
        (MqttConnack(properties=(("reason_string", 1),)), "1 is no UTF-8"),
        (MqttPublish("a", properties=(("subscription_identifier", 1 << 28),)), "no number as large as 268435456"),
    ],
)
def test_what_has_no_form(packet: MqttPacket, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        encode(packet, V5)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (16_383, b"\xff\x7f"), (16_384, b"\x80\x80\x01"),
     (268_435_455, b"\xff\xff\xff\x7f")],
)  # fmt: skip
def test_variable_byte_integers_as_the_standard_lists_them(value: int, written: bytes) -> None:
    assert variable_bytes(value) == written
