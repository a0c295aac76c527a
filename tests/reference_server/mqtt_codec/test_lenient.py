"""What a lenient decoder tells, and a strict one refuses."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.mqtt_codec.decoder import MqttDecoder
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPacket,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttWill,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import Undecodable

V311_CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"
V5_CONNECT = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c"
PINGREQ = b"\xc0\x00"


def told(connect: bytes, packet: bytes, *, is_strict: bool = False) -> list[MqttPacket | Undecodable]:
    return MqttDecoder(2_000, is_strict=is_strict).feed(connect + packet + PINGREQ)[1:]


@pytest.mark.parametrize(
    ("connect", "packet", "expected"),
    [
        (V311_CONNECT, b"\x20\x02\x00\x00", MqttConnack()),
        (V5_CONNECT, b"\x20\x03\x00\x00\x00", MqttConnack()),
        (V311_CONNECT, b"\x90\x03\x00\x01\x00", MqttSuback(0, ())),
        (V311_CONNECT, b"\xb0\x02\x00\x01", MqttUnsuback(0)),
        (V311_CONNECT, b"\xd0\x00", MqttPingresp()),
        (V311_CONNECT, b"\x82\x02\x00\x07", MqttSubscribe((), 7)),
        (V5_CONNECT, b"\x82\x03\x00\x07\x00", MqttSubscribe((), 7)),
        (V311_CONNECT, b"\xa2\x02\x00\x07", MqttUnsubscribe((), 7)),
        (V311_CONNECT, b"\x32\x05\x00\x00\x00\x07x", MqttPublish("", b"x", 1, packet_id=7)),
        (V311_CONNECT, b"\x38\x04\x00\x01tx", MqttPublish("t", b"x", dup=True)),
        (
            V5_CONNECT,
            b"\x30\x08\x00\x01t\x03\x23\x00\x01x",
            MqttPublish("t", b"x", properties=(("topic_alias", 1),)),
        ),
        (V311_CONNECT, b"\x82\x06\x00\x07\x00\x01t\xd1", MqttSubscribe((Subscription("t", 1),), 7)),
        (V5_CONNECT, b"\x82\x07\x00\x07\x00\x00\x01t\x40", MqttSubscribe((Subscription("t", 0),), 7)),
        (
            V5_CONNECT,
            b"\x30\x06\x00\x01t\x02\x0b\x01",
            MqttPublish("t", b"", properties=(("subscription_identifier", 1),)),
        ),
        (
            V5_CONNECT,
            b"\x30\x08\x00\x01t\x04\x01\x07\x01\x08",
            MqttPublish("t", b"", properties=(("payload_format_indicator", 7), ("payload_format_indicator", 8))),
        ),
        (
            V5_CONNECT,
            b"\x30\x08\x00\x01t\x04\x03\x00\x01\xff",
            MqttPublish("t", b"", properties=(("content_type", "\ufffd"),)),
        ),
    ],
)
def test_what_the_standards_forbid(connect: bytes, packet: bytes, expected: MqttPacket) -> None:
    assert told(connect, packet) == [expected, MqttPingreq()]
    (refused,) = told(connect, packet, is_strict=True)
    assert isinstance(refused, Undecodable)


@pytest.mark.parametrize(
    ("flags", "will", "expected"),
    [
        (0x06, b"\x00\x00\x00\x01x", MqttWill("", b"x")),
        (0x06, b"\x00\x03a/#\x00\x01x", MqttWill("a/#", b"x")),
        (0x1E, b"\x00\x01w\x00\x01x", MqttWill("w", b"x", 3)),
        (0x2A, b"", None),
    ],
)
def test_odd_wills(flags: int, will: bytes, expected: MqttWill | None) -> None:
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x3c\x00\x01c" + will
    packet = b"\x10" + bytes([len(body)]) + body
    (connect,) = MqttDecoder(2_000, is_strict=False).feed(packet)
    assert isinstance(connect, MqttConnect)
    assert connect.will == expected
    (refused,) = MqttDecoder(2_000).feed(packet)
    assert isinstance(refused, Undecodable)


@pytest.mark.parametrize(
    "packet",
    [b"\x36\x03\x00\x01t", b"\x00\x00", b"\x30\x03\x00\x01#", b"\x80\x02\x00\x07", b"\x82\x06\x00\x07\x00\x01t\x30"],
)
def test_what_nobody_takes(packet: bytes) -> None:
    assert isinstance(told(V311_CONNECT, packet)[0], Undecodable)


def test_a_field_that_runs_past_its_packet_is_waited_for_once() -> None:
    """Of properties of one byte none is read: it becomes the length of the client id."""
    packet = b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x01\x05\x00\x01c"
    decoder = MqttDecoder(2_000, is_strict=False)
    assert decoder.feed(packet) == []
    assert decoder.is_half
    assert decoder.feed(b"x" * (0x0500 - 3)) == []
    (refused,) = decoder.feed(b"x")
    assert isinstance(refused, Undecodable)
    assert decoder.feed(PINGREQ) == []
    (at_once,) = MqttDecoder(2_000).feed(packet)
    assert isinstance(at_once, Undecodable)


def test_the_reserved_flag_of_mqtt_3_1() -> None:
    packet = b"\x10\x0f\x00\x06MQIsdp\x03\x03\x00\x3c\x00\x01c"
    (connect,) = MqttDecoder(2_000, is_strict=False).feed(packet)
    assert isinstance(connect, MqttConnect)
    for refused in (packet, V311_CONNECT.replace(b"\x04\x02", b"\x04\x03")):
        (told_of_it,) = MqttDecoder(2_000, is_strict=refused is packet).feed(refused)
        assert isinstance(told_of_it, Undecodable)
