"""The bytes of MQTT that rows send and hear, held to the standards' own examples."""

from __future__ import annotations

import pytest

from fleetrig.harness.conformance import mqtt_bytes
from fleetrig.harness.conformance.mqtt_bytes import Heard

V3, V5 = 4, 5
PUBACK, SUBACK, UNSUBACK, PINGRESP, DISCONNECT = 4, 9, 11, 13, 14


@pytest.mark.parametrize(
    ("sent", "as_hex"),
    [
        (mqtt_bytes.connect(V3, "a", "u", "p"), "10130004" + b"MQTT".hex() + "04c2003c" + "000161000175000170"),
        (mqtt_bytes.connect(V3, clean=False, keep_alive_s=0), "100c0004" + b"MQTT".hex() + "0400" + "0000" + "0000"),
        (mqtt_bytes.connect(V5, user_name="u"), "10100004" + b"MQTT".hex() + "0582003c" + "00" + "0000" + "000175"),
        (mqtt_bytes.connect(V3, password="p"), "100f0004" + b"MQTT".hex() + "0442003c" + "0000" + "000170"),
        (mqtt_bytes.subscribe(V3, "a", 1, 7), "8206" + "0007" + "000161" + "01"),
        (mqtt_bytes.subscribe(V5, "a", 2, 7), "8207" + "0007" + "00" + "000161" + "02"),
        (mqtt_bytes.unsubscribe(V3, "a", 7), "a205" + "0007" + "000161"),
        (mqtt_bytes.unsubscribe(V5, "a", 7), "a206" + "0007" + "00" + "000161"),
        (mqtt_bytes.publish(V3, "a", b"x", 0, 7), "3004" + "000161" + "78"),
        (mqtt_bytes.publish(V3, "a", b"x", 2, 7), "3406" + "000161" + "0007" + "78"),
        (mqtt_bytes.publish(V5, "a", b"x", 1, 7), "3207" + "000161" + "0007" + "00" + "78"),
        (mqtt_bytes.puback(7), "4002" + "0007"),
        (mqtt_bytes.packet(mqtt_bytes.PINGREQ, b""), "c000"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_sent(sent: bytes, as_hex: str) -> None:
    assert sent.hex() == as_hex


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_lengths_come_back(size: int) -> None:
    sent = mqtt_bytes.packet(3, b"x" * size, 2)
    assert mqtt_bytes.take_packet(sent + b"rest") == (3, 2, b"x" * size, b"rest")


@pytest.mark.parametrize("size", [0, 200])
def test_a_packet_that_is_not_whole_is_waited_for(size: int) -> None:
    sent = mqtt_bytes.packet(3, b"x" * size)
    assert {mqtt_bytes.take_packet(sent[:end]) for end in range(len(sent))} == {None}


def test_a_length_without_end_is_no_packet() -> None:
    with pytest.raises(ValueError, match="more than four bytes"):
        mqtt_bytes.take_packet(b"\x30\xff\xff\xff\xff\x01")


@pytest.mark.parametrize(
    ("kind", "flags", "as_hex", "level", "heard"),
    [
        (2, 0, "0000", V3, Heard("CONNACK 0")),
        (2, 0, "0100", V3, Heard("CONNACK 0 session-present")),
        (2, 0, "0005", V3, Heard("CONNACK 5")),
        (2, 0, "000000", V5, Heard("CONNACK 0")),
        (2, 0, "008600", V5, Heard("CONNACK 0x86")),
        (2, 0, "0000" + "03210014", V5, Heard("CONNACK 0")),
        (3, 0, "000161" + "78", V3, Heard("PUBLISH a q0", b"x")),
        (3, 2, "000161" + "0009" + "78", V3, Heard("PUBLISH a q1", b"x", 9)),
        (3, 11, "000161" + "0009", V3, Heard("PUBLISH a q1 retained dup", b"", 9)),
        (3, 2, "000161" + "0009" + "00" + "78", V5, Heard("PUBLISH a q1", b"x", 9)),
        (3, 0, "000161" + "8201" + "26" + "007d" + "78" * 125 + "0000" + "79", V5, Heard("PUBLISH a q0", b"y")),
        (PUBACK, 0, "0009", V3, Heard("PUBACK", packet_id=9)),
        (PUBACK, 0, "0009", V5, Heard("PUBACK", packet_id=9)),
        (PUBACK, 0, "000990", V5, Heard("PUBACK 0x90", packet_id=9)),
        (PUBACK, 0, "00099000", V5, Heard("PUBACK 0x90", packet_id=9)),
        (PUBACK, 0, "000910", V5, Heard("PUBACK 16", packet_id=9)),
        (SUBACK, 0, "000901", V3, Heard("SUBACK 1", packet_id=9)),
        (SUBACK, 0, "00090080", V3, Heard("SUBACK 0 0x80", packet_id=9)),
        (SUBACK, 0, "0009008f", V5, Heard("SUBACK 0x8F", packet_id=9)),
        (UNSUBACK, 0, "0009", V3, Heard("UNSUBACK", packet_id=9)),
        (UNSUBACK, 0, "00090011", V5, Heard("UNSUBACK 17", packet_id=9)),
        (PINGRESP, 0, "", V3, Heard("PINGRESP")),
        (DISCONNECT, 0, "", V5, Heard("DISCONNECT 0")),
        (DISCONNECT, 0, "98", V5, Heard("DISCONNECT 0x98")),
        (DISCONNECT, 0, "9800", V5, Heard("DISCONNECT 0x98")),
    ],
)
def test_what_is_heard(kind: int, flags: int, as_hex: str, level: int, heard: Heard) -> None:
    assert mqtt_bytes.read(kind, flags, bytes.fromhex(as_hex), level) == heard


@pytest.mark.parametrize(
    ("kind", "flags", "as_hex", "level"),
    [
        pytest.param(1, 0, "", V3, id="a CONNECT"),
        pytest.param(12, 0, "", V3, id="a PINGREQ"),
        pytest.param(0, 0, "", V3, id="kind 0"),
        pytest.param(15, 0, "", V3, id="an AUTH"),
        pytest.param(2, 0, "", V3, id="CONNACK of nothing"),
        pytest.param(2, 0, "00", V3, id="CONNACK of one byte"),
        pytest.param(2, 0, "000000", V3, id="CONNACK too long for 3"),
        pytest.param(2, 0, "0000", V5, id="CONNACK without properties in 5"),
        pytest.param(2, 0, "0200", V3, id="CONNACK with reserved flags"),
        pytest.param(2, 1, "0000", V3, id="CONNACK with flags in its header"),
        pytest.param(2, 0, "000005", V5, id="CONNACK whose properties are cut off"),
        pytest.param(3, 6, "000161" + "0009", V3, id="PUBLISH with QoS 3"),
        pytest.param(3, 2, "000161" + "0000", V3, id="PUBLISH with packet id 0"),
        pytest.param(3, 2, "000161" + "00", V3, id="PUBLISH with half a packet id"),
        pytest.param(3, 0, "000561", V3, id="PUBLISH shorter than its topic"),
        pytest.param(3, 0, "0001ff", V3, id="PUBLISH whose topic is no text"),
        pytest.param(3, 0, "000161", V5, id="PUBLISH without properties in 5"),
        pytest.param(PUBACK, 0, "", V3, id="PUBACK of nothing"),
        pytest.param(PUBACK, 0, "0000", V3, id="PUBACK for packet 0"),
        pytest.param(PUBACK, 0, "000900", V3, id="PUBACK with a code in 3"),
        pytest.param(PUBACK, 2, "0009", V3, id="PUBACK with flags"),
        pytest.param(PUBACK, 0, "0009900200", V5, id="PUBACK whose properties are cut off"),
        pytest.param(SUBACK, 0, "", V3, id="SUBACK of nothing"),
        pytest.param(SUBACK, 0, "0009", V5, id="SUBACK without properties in 5"),
        pytest.param(PINGRESP, 0, "00", V3, id="PINGRESP with something in it"),
        pytest.param(DISCONNECT, 0, "", V3, id="DISCONNECT of a server of 3"),
        pytest.param(DISCONNECT, 0, "9805", V5, id="DISCONNECT whose properties are cut off"),
    ],
)
def test_what_no_packet_of_a_server_is(kind: int, flags: int, as_hex: str, level: int) -> None:
    with pytest.raises((ValueError, IndexError)):
        mqtt_bytes.read(kind, flags, bytes.fromhex(as_hex), level)
