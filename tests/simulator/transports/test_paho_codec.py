"""Packets as bytes, both ways, by hand out of the standards; and that paho still is what `PahoCodec` leans on."""

from __future__ import annotations

import inspect
from contextlib import suppress

import paho.mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
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
    MqttWill,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES
from fleetrig.simulator.transports.paho_codec import PRIVATE_NAMES, PahoCodec
from fleetrig.simulator.transports.paho_properties import PROPERTIES_LIMIT, PROPERTIES_LIMIT_BYTES, written_length

V31, V311, V5 = MqttVersion
PUBACK, PUBREC, PUBREL, PUBCOMP = PublishAckKind
USER_PAIRS = (("user_property", ("a", "1")), ("user_property", ("a", "2")))
USER_PAIRS_HEX = "26 0001 61 0001 31  26 0001 61 0001 32"

CONNECTS = [
    pytest.param(MqttConnect(), "10 0c 0004 4d515454 04 02 003c 0000", id="nothing but the defaults"),
    pytest.param(
        MqttConnect("d", version=V31, keep_alive_s=0), "10 0f 0006 4d5149736470 03 02 0000 0001 64", id="3.1, no ping"
    ),
    pytest.param(
        MqttConnect("", version=V31, clean_start=False), "10 0e 0006 4d5149736470 03 00 003c 0000", id="3.1, no id"
    ),
    pytest.param(MqttConnect("", clean_start=False), "10 0c 0004 4d515454 04 00 003c 0000", id="3.1.1, no id, to stay"),
    pytest.param(MqttConnect("d", "u"), "10 10 0004 4d515454 04 82 003c 0001 64 0001 75", id="user name alone"),
    pytest.param(
        MqttConnect("d", "", b"p"), "10 12 0004 4d515454 04 c2 003c 0001 64 0000 0001 70", id="empty user name"
    ),
    pytest.param(
        MqttConnect("d", None, b"\xff"), "10 10 0004 4d515454 04 42 003c 0001 64 0001 ff", id="password alone"
    ),
    pytest.param(MqttConnect("d", None, b""), "10 0f 0004 4d515454 04 42 003c 0001 64 0000", id="empty password alone"),
    pytest.param(
        MqttConnect("d", will=MqttWill("w", b"\0", 1, True)),
        "10 13 0004 4d515454 04 2e 003c 0001 64 0001 77 0001 00", id="will",
    ),
    pytest.param(
        MqttConnect(
            "d", "u", b"p", clean_start=False, version=V5, properties=(("session_expiry_interval", 30),),
            will=MqttWill("w", b"x", 2, properties=(("will_delay_interval", 5),)),
        ),
        "10 25 0004 4d515454 05 d4 003c 05 11 0000001e 0001 64 05 18 00000005 0001 77 0001 78 0001 75 0001 70",
        id="5, with everything",
    ),
]  # fmt: skip

WRITTEN = [
    (V311, MqttPublish("t", b"x"), "30 04 0001 74 78"),
    (V311, MqttPublish("t", b"x", 1, True, True, 7), "3b 06 0001 74 0007 78"),
    (V311, MqttPublish("t", b"x", 2, packet_id=65_535), "34 06 0001 74 ffff 78"),
    (V5, MqttPublish("t", b"x"), "30 05 0001 74 00 78"),
    (V5, MqttPublish("", b"x", properties=(("topic_alias", 3),)), "30 07 0000 03 23 0003 78"),
    (V5, MqttPublish("t", b"", 1, packet_id=7, properties=USER_PAIRS), f"32 14 0001 74 0007 0e {USER_PAIRS_HEX}"),
    (V311, MqttSubscribe((Subscription("a", 1), Subscription("b/#")), 9), "82 0c 0009 0001 61 01 0003 622f23 00"),
    (V5, MqttSubscribe((Subscription("a", 1, True, True, 2),), 9), "82 07 0009 00 0001 61 2d"),
    (V5, MqttSubscribe((Subscription("a"),), 9, (("subscription_identifier", 200),)),
     "82 0a 0009 03 0b c801 0001 61 00"),
    (V311, MqttUnsubscribe(("a", "b"), 10), "a2 08 000a 0001 61 0001 62"),
    (V5, MqttUnsubscribe(("a",), 10), "a2 06 000a 00 0001 61"),
    (V311, MqttPublishAck(PUBACK, 7), "40 02 0007"),
    (V311, MqttPublishAck(PUBREL, 7), "62 02 0007"),
    (V5, MqttPublishAck(PUBREC, 7, 0x97), "50 03 0007 97"),
    (V5, MqttPublishAck(PUBCOMP, 7, 0, (("reason_string", "r"),)), "70 08 0007 00 04 1f 0001 72"),
    (V311, MqttPingreq(), "c0 00"),
    (V311, MqttDisconnect(), "e0 00"),
    (V311, MqttDisconnect(4), "e0 00"),
    (V5, MqttDisconnect(4), "e0 01 04"),
    (V5, MqttDisconnect(0, (("session_expiry_interval", 0),)), "e0 07 00 05 11 00000000"),
    (V5, MqttAuth(0x18, (("authentication_method", "m"),)), "f0 06 18 04 15 0001 6d"),
    (V5, MqttAuth(0x19), "f0 02 19 00"),
    (V5, MqttAuth(), "f0 00"),
]  # fmt: skip

READ = [
    (V31, "20 02 00 05", MqttConnack(5)),
    (V311, "20 02 01 00", MqttConnack(0, True)),
    (V311, "20 02 00 01", MqttConnack(1)),
    (V311, "20 02 00 ee", MqttConnack(0xEE)),
    (V5, "20 03 00 87 00", MqttConnack(0x87)),
    (V5, "20 03 00 05 00", MqttConnack(5)),
    (V5, "20 02 00 01", MqttConnack(1)),
    (V5, "20 08 01 00 05 11 00000009", MqttConnack(0, True, (("session_expiry_interval", 9),))),
    (V311, "30 04 0001 74 78", MqttPublish("t", b"x")),
    (V311, "3b 06 0001 74 0007 78", MqttPublish("t", b"x", 1, True, True, 7)),
    (V5, "34 06 0001 74 0007 00", MqttPublish("t", b"", 2, packet_id=7)),
    (V5, f"30 12 0001 74 0e {USER_PAIRS_HEX}", MqttPublish("t", properties=USER_PAIRS)),
    (V311, "40 02 0007", MqttPublishAck(PUBACK, 7)),
    (V5, "40 03 0007 99", MqttPublishAck(PUBACK, 7, 0x99)),
    (V5, "50 08 0007 10 04 1f 0001 72", MqttPublishAck(PUBREC, 7, 0x10, (("reason_string", "r"),))),
    (V311, "62 02 0007", MqttPublishAck(PUBREL, 7)),
    (V5, "70 04 0007 92 00", MqttPublishAck(PUBCOMP, 7, 0x92)),
    (V311, "90 05 0009 00 80 02", MqttSuback(9, (0, 0x80, 2))),
    (V5, "90 04 0009 00 8f", MqttSuback(9, (0x8F,))),
    (V311, "b0 02 000a", MqttUnsuback(10)),
    (V5, "b0 05 000a 00 00 11", MqttUnsuback(10, (0, 0x11))),
    (V311, "d0 00", MqttPingresp()),
    (V5, "e0 00", MqttDisconnect()),
    (V5, "e0 01 8e", MqttDisconnect(0x8E)),
    (V5, "e0 06 98 04 1f 0001 72", MqttDisconnect(0x98, (("reason_string", "r"),))),
    (V5, "f0 06 18 04 15 0001 6d", MqttAuth(0x18, (("authentication_method", "m"),))),
]

MALFORMED = [
    (V311, "00 00", "type 0"),
    (V311, "10 00", "no server sends"),
    (V311, "c0 00", "no server sends"),
    (V311, "e0 00", "no server sends"),
    (V311, "f0 00", "no server sends"),
    (V311, "60 02 0007", "begins with 0x60"),
    (V311, "41 02 0007", "begins with 0x41"),
    (V311, "40 80 80 80 80 01", "length is none"),
    (V311, "40 ff ff ff 7f 00", "268,435,455 bytes"),
    (V311, "20 02 02 00", "CONNACK"),
    (V311, "20 03 00 00 00", "CONNACK"),
    (V311, "20 01 00", "CONNACK"),
    (V5, "20 02 00 00", "properties"),
    (V5, "20 04 00 00 00 00", "behind the properties"),
    (V311, "36 05 0001 74 0007", "QoS 3"),
    (V311, "30 03 0002 74", "ends in its topic"),
    (V311, "30 01 00", "ends too early"),
    (V311, "32 03 0001 74", "ends too early"),
    (V311, "30 03 0001 ff", "utf-8"),
    (V5, "30 04 0001 74 05", "properties"),
    (V5, "30 05 0001 74 01 ff", "properties"),
    (V5, "30 07 0001 74 03 11 0000", "properties"),
    (V5, "30 06 0001 74 02 24 01", "properties"),
    (V5, "30 06 0001 74 80 80 80 80", "properties"),
    (V311, "40 01 00", "ends too early"),
    (V311, "40 03 0007 00", "bytes too many"),
    (V311, "90 02 0009", "without a code"),
    (V311, "b0 03 0009 00", "does not have"),
    (V311, "d0 01 00", "something in it"),
]


def codec(version: MqttVersion = V311) -> PahoCodec:
    found = PahoCodec()
    found.encode(MqttConnect(version=version))
    return found


def came(found: PahoCodec) -> list[MqttPacket]:
    return [found.came.popleft() for _ in range(len(found.came))]


def feed_in_pieces(found: PahoCodec, data: bytes, size: int) -> None:
    for at in range(0, len(data), size):
        found.feed(data[at : at + size])


def test_paho_has_what_the_codec_leans_on() -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    missing = [name for name in PRIVATE_NAMES if not hasattr(client, name)]
    assert not missing, f"paho-mqtt {paho.mqtt.__version__} has no {', '.join(missing)}: see paho_codec.py"


def test_every_private_name_is_in_the_list() -> None:
    """And none that is not used."""
    of_paho = {name for name in dir(Client(CallbackAPIVersion.VERSION2)) if name.startswith("_") and name[1] != "_"}
    used = set(inspect.getsource(PahoCodec).replace("(", " ").replace(")", " ").replace(".", " ").split())
    used = {word.strip('[]":,') for text in used for word in text.split("[")}
    assert used & of_paho == set(PRIVATE_NAMES)


@pytest.mark.parametrize("name", ["_packet_handle", "_packet_queue", "_mid_generate"])
def test_what_is_replaced_is_called_as_before(name: str) -> None:
    theirs, ours = (list(inspect.signature(getattr(kind, name)).parameters) for kind in (Client, PahoCodec))
    assert ours == theirs, f"paho-mqtt {paho.mqtt.__version__} calls {name} differently: see paho_codec.py"


@pytest.mark.parametrize(("connect", "expected"), CONNECTS)
def test_a_connect(connect: MqttConnect, expected: str) -> None:
    assert PahoCodec().encode(connect).hex() == bytes.fromhex(expected).hex()


def test_a_connect_with_a_password_alone_may_be_long() -> None:
    """Without the user name it may need one byte less for its length."""
    packet = PahoCodec().encode(MqttConnect("d", None, b"p" * 112))
    assert packet[:2] == b"\x10\x7f"
    assert len(packet) == 2 + 0x7F


def test_a_second_connect_is_a_new_one() -> None:
    found = PahoCodec()
    found.encode(MqttConnect("a", "u", b"p", will=MqttWill("w"), version=V5, properties=USER_PAIRS))
    assert found.encode(MqttConnect("b")) == PahoCodec().encode(MqttConnect("b"))


@pytest.mark.parametrize(("version", "packet", "expected"), WRITTEN)
def test_what_a_device_sends(version: MqttVersion, packet: MqttPacket, expected: str) -> None:
    assert codec(version).encode(packet).hex() == bytes.fromhex(expected).hex()


@pytest.mark.parametrize(
    "packet",
    [
        MqttConnack(),
        MqttPingresp(),
        MqttPublish("t" * 65_536),
        MqttPublish("t", properties=(("server_keep_alive", 1),)),
        MqttPublish("t", properties=(("no_such_property", 1),)),
        MqttSubscribe((Subscription("t", 3),), 1),
        MqttConnect("d", keep_alive_s=65_536),
        MqttConnect("d", will=MqttWill("")),
        MqttPublishAck(PUBACK, 65_536),
        MqttDisconnect(256),
    ],
)
def test_what_cannot_be_sent_is_a_mistake_of_the_flow(packet: Envelope) -> None:
    with pytest.raises(ModelError):
        codec(V5).encode(packet)


@pytest.mark.parametrize(("version", "data", "expected"), READ)
def test_what_a_server_sends(version: MqttVersion, data: str, expected: MqttPacket) -> None:
    whole, in_bytes = codec(version), codec(version)
    whole.feed(bytes.fromhex(data) * 2)
    assert came(whole) == [expected, expected]
    for byte in bytes.fromhex(data)[:-1]:
        in_bytes.feed(bytes([byte]))
        assert not in_bytes.came
    in_bytes.feed(bytes.fromhex(data)[-1:])
    assert came(in_bytes) == [expected]


@pytest.mark.parametrize(("version", "data", "why"), MALFORMED)
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_no_packet(version: MqttVersion, data: str, why: str, size: int) -> None:
    """What came before it is there, and the device can still say something."""
    found, sent = codec(version), b"\xd0\x00" + bytes.fromhex(data)
    with pytest.raises(ValueError, match=why):
        feed_in_pieces(found, sent, size)
    assert came(found) == [MqttPingresp()]
    assert found.encode(MqttPublish("t", b"x")) == codec(version).encode(MqttPublish("t", b"x"))


def test_a_packet_may_be_large() -> None:
    found, payload = codec(), bytes(REPLY_LIMIT_BYTES - 3)
    found.feed(b"\x30" + written_length(REPLY_LIMIT_BYTES))
    found.feed(b"\0\1t" + payload)
    assert came(found) == [MqttPublish("t", payload)]


def test_a_packet_that_is_too_large_is_refused_before_it_comes() -> None:
    with pytest.raises(ValueError, match="4,194,305 bytes"):
        codec().feed(b"\x30" + written_length(REPLY_LIMIT_BYTES + 1))


def test_properties_have_a_limit() -> None:
    longest = b"\x1f\xff\xff" + b"r" * 65_535
    for block, is_good in ((longest, True), (longest + b"\x26\xff\xff" + bytes(PROPERTIES_LIMIT_BYTES), False)):
        found, body = codec(V5), b"\0\7\0" + written_length(len(block)) + block
        packet = b"\x40" + written_length(len(body)) + body
        if is_good:
            found.feed(packet)
            assert came(found) == [MqttPublishAck(PUBACK, 7, 0, (("reason_string", "r" * 65_535),))]
        else:
            with pytest.raises(ValueError, match="bytes of them"):
                found.feed(packet)


@pytest.mark.parametrize(
    ("one", "name", "value"),
    [("26 0000 0000", "user_property", ("", "")), ("0b 80 01", "subscription_identifier", 128)],
)
def test_so_do_they_in_number(one: str, name: str, value: object) -> None:
    for count, is_good in ((PROPERTIES_LIMIT, True), (PROPERTIES_LIMIT + 1, False)):
        found, block = codec(V5), bytes.fromhex(one) * count
        body = b"\0\1a" + written_length(len(block)) + block
        packet = b"\x30" + written_length(len(body)) + body
        if is_good:
            found.feed(packet)
            assert came(found) == [MqttPublish("a", properties=((name, value),) * count)]  # type: ignore[arg-type]
        else:
            with pytest.raises(ValueError, match="more than 1,000 of them"):
                found.feed(packet)


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(MqttVersion), st.binary(max_size=64), st.integers(1, 64))
def test_no_bytes_raise_anything_else(version: MqttVersion, data: bytes, size: int) -> None:
    found = codec(version)
    with suppress(ValueError):
        feed_in_pieces(found, data, size)


@settings(deadline=None, derandomize=True)
@given(st.sampled_from(READ), st.data())
def test_one_wrong_byte_raises_nothing_else(case: tuple[MqttVersion, str, MqttPacket], draws: st.DataObject) -> None:
    version, text, _ = case
    data = bytearray(bytes.fromhex(text))
    data[draws.draw(st.integers(0, len(data) - 1))] = draws.draw(st.integers(0, 255))
    found = codec(version)
    try:
        found.feed(bytes(data))
    except ValueError:
        return
    assert len(found.came) <= len(data)
