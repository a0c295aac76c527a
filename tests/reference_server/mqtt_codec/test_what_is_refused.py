"""Everything that the standards call malformed or a protocol error, as far as one packet shows it by itself."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.mqtt_codec.decoder import MqttDecoder
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPacket,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    MqttWill,
    Properties,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import HEAD_BYTES, Flaw, Undecodable
from tests.reference_server.mqtt_codec.client_wire import V5, V31, V311, binary, packet, properties, text, to_server

LIMIT_BYTES = 1_000
MALFORMED, PROTOCOL = Flaw.MALFORMED, Flaw.PROTOCOL
NAMES = {V31: b"MQIsdp", V311: b"MQTT", V5: b"MQTT"}
ID = b"\x00\x07"
NONE = b"\x00"
"""No properties."""


def connected(version: MqttVersion, aliases: int | None = None) -> MqttDecoder:
    decoder = MqttDecoder(LIMIT_BYTES)
    assert len(decoder.feed(to_server(MqttConnect("gw-1", version=version)))) == 1
    if aliases is not None:
        decoder.accepted(MqttConnack(properties=(("topic_alias_maximum", aliases),)))
    return decoder


def refusal(decoder: MqttDecoder, data: bytes) -> Undecodable:
    read = decoder.feed(data)
    assert len(read) == 1, read
    assert isinstance(read[0], Undecodable), read
    assert decoder.feed(b"\xc0\x00") == []
    return read[0]


def connect(
    flags: int, rest: bytes = b"", version: MqttVersion = V311, name: bytes | None = None, level: int | None = None
) -> bytes:
    head = binary(NAMES[version] if name is None else name) + bytes([version if level is None else level, flags, 0, 60])
    return packet(0x10, head + (NONE if version is V5 else b"") + text("gw-1") + rest)


def connect_with(*values: tuple[str, object]) -> bytes:
    return to_server(MqttConnect("gw-1", version=V5, properties=values))  # type: ignore[arg-type]


def publish_with(*values: tuple[str, object]) -> bytes:
    return to_server(MqttPublish("a", properties=values), V5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "data", "flaw", "why"),
    [
        (V311, b"\x00", MALFORMED, "packet type 0"),
        (V311, b"\x20\x02\x00\x00", PROTOCOL, "no CONNACK"),
        (V311, b"\x90", PROTOCOL, "no SUBACK"),
        (V311, b"\xb0", PROTOCOL, "no UNSUBACK"),
        (V311, b"\xd0", PROTOCOL, "no PINGRESP"),
        (V311, b"\xf0\x00", MALFORMED, "type 15 is reserved"),
        (V5, b"\xf0\x00", PROTOCOL, "no AUTH with reason code 0"),
        (V311, b"\x11", MALFORMED, "flags"),
        (V311, b"\xc1", MALFORMED, "flags"),
        (V311, b"\x80", MALFORMED, "flags"),
        (V311, b"\x8a", MALFORMED, "flags"),
        (V311, b"\x60", MALFORMED, "flags"),
        (V311, b"\xa0", MALFORMED, "flags"),
        (V311, b"\x44", MALFORMED, "flags"),
        (V311, b"\xe8", MALFORMED, "flags"),
        (V311, b"\x36", MALFORMED, "QoS 3"),
        (V311, b"\xc0\xff\xff\xff\xff", MALFORMED, "remaining length has more than four"),
        (V5, b"\xc0\x80\x00", MALFORMED, "remaining length has more bytes than it needs"),
        (V311, b"\xc0\x01a", MALFORMED, "1 bytes are left over"),
        (V311, b"\xe0\x01\x00", MALFORMED, "left over"),
        # PUBLISH
        (V311, packet(0x30, b""), MALFORMED, "ends before its topic"),
        (V311, packet(0x30, b"\x00\x05ab"), MALFORMED, "ends before its topic"),
        (V311, packet(0x30, text("")), PROTOCOL, "topic is empty"),
        (V5, packet(0x30, text("") + NONE), PROTOCOL, "neither a topic nor"),
        (V311, packet(0x30, text("a/#")), MALFORMED, "wildcard"),
        (V311, packet(0x30, text("a/+/b")), MALFORMED, "wildcard"),
        (V311, packet(0x30, text("a\0b")), MALFORMED, "U+0000"),
        (V311, packet(0x30, binary(b"\xed\xa0\x80")), MALFORMED, "no UTF-8"),
        (V311, packet(0x30, binary(b"\xff")), MALFORMED, "no UTF-8"),
        (V311, packet(0x30, binary(b"\xc0\xaf")), MALFORMED, "no UTF-8"),
        (V311, packet(0x38, text("a")), MALFORMED, "duplicate"),
        (V311, packet(0x32, text("a") + b"\0\0"), PROTOCOL, "packet id is 0"),
        (V311, packet(0x32, text("a") + b"\1"), MALFORMED, "ends before its packet id"),
        (V5, packet(0x30, text("a")), MALFORMED, "ends before its property length"),
        (V5, packet(0x30, text("a") + b"\x05\x01"), MALFORMED, "ends before its properties"),
        (V5, packet(0x30, text("a") + b"\x80\x00"), MALFORMED, "more bytes than it needs"),
        (V5, packet(0x30, text("a") + b"\x80\x80\x80\x80\x01"), MALFORMED, "more than four bytes"),
        (V5, packet(0x30, text("a") + b"\x01\x02abcd"), MALFORMED, "longer than their length"),
        (V5, packet(0x30, text("a") + b"\x02\x7f\x00"), MALFORMED, "no property 127"),
        (V5, publish_with(("server_keep_alive", 1)), MALFORMED, "must not stand in a PUBLISH"),
        (V5, publish_with(("subscription_identifier", 1)), MALFORMED, "must not stand in a PUBLISH"),
        (V5, publish_with(("content_type", "a"), ("content_type", "a")), PROTOCOL, "twice"),
        (V5, publish_with(("payload_format_indicator", 2)), PROTOCOL, "must not be 2"),
        (V5, publish_with(("response_topic", "a/#")), MALFORMED, "response topic has a wildcard"),
        (V5, publish_with(("topic_alias", 1)), Flaw.TOPIC_ALIAS, "topic alias 1, where 0 are granted"),
        (V5, publish_with(("topic_alias", 0)), Flaw.TOPIC_ALIAS, "topic alias 0"),
        # Acknowledgements
        (V311, packet(0x40, b"\0\0"), PROTOCOL, "packet id is 0"),
        (V311, packet(0x40, ID + b"\0"), MALFORMED, "left over"),
        (V5, packet(0x40, ID + b"\x92"), PROTOCOL, "no reason code 146"),
        (V5, packet(0x62, ID + b"\x10"), PROTOCOL, "no reason code 16"),
        (V5, packet(0x40, ID + NONE + properties((("content_type", "a"),))), MALFORMED, "acknowledgement"),
        # SUBSCRIBE, UNSUBSCRIBE
        (V311, packet(0x82, ID), PROTOCOL, "no topic filter"),
        (V311, packet(0x82, b"\0\0" + text("a") + b"\0"), PROTOCOL, "packet id is 0"),
        (V311, packet(0x82, ID + text("a")), MALFORMED, "ends before its requested QoS"),
        (V311, packet(0x82, ID + text("a") + b"\3"), MALFORMED, "QoS 3"),
        (V311, packet(0x82, ID + text("a") + b"\4"), MALFORMED, "reserved bits"),
        (V5, packet(0x82, ID + NONE + text("a") + b"\3"), PROTOCOL, "QoS 3"),
        (V5, packet(0x82, ID + NONE + text("a") + b"\x40"), MALFORMED, "reserved subscription options"),
        (V5, packet(0x82, ID + NONE + text("a") + b"\x30"), PROTOCOL, "retain handling 3"),
        (V5, packet(0x82, ID + NONE + text("$share/g/a") + b"\4"), PROTOCOL, "shared subscription"),
        (V5, packet(0x82, ID + b"\x02\x0b\x00" + text("a") + b"\0"), PROTOCOL, "subscription_identifier must not be 0"),
        (V311, packet(0xA2, ID), PROTOCOL, "no topic filter"),
        # DISCONNECT, AUTH
        (V5, packet(0xE0, b"\x8e"), PROTOCOL, "no reason code 142"),
        (V5, packet(0xE0, NONE + properties((("server_reference", "x"),))), MALFORMED, "server_reference"),
        (V5, packet(0xF0, b"\x18"), MALFORMED, "property length"),
    ],
)  # fmt: skip
def test_after_a_connect(version: MqttVersion, data: bytes, flaw: Flaw, why: str) -> None:
    undecodable = refusal(connected(version), data)
    assert (undecodable.flaw, why in undecodable.why) == (flaw, True), undecodable
    assert undecodable.head == data[:HEAD_BYTES]


@pytest.mark.parametrize(
    ("data", "flaw", "why"),
    [
        (packet(0x10, b""), MALFORMED, "ends before its protocol name"),
        (packet(0x10, binary(b"MQTT")), MALFORMED, "ends before its protocol level"),
        (connect(2, level=6), Flaw.UNKNOWN_VERSION, "level 6 of 'MQTT'"),
        (connect(2, level=3), Flaw.UNKNOWN_VERSION, "level 3 of 'MQTT'"),
        (connect(2, level=0x84), Flaw.UNKNOWN_VERSION, "level 132 of 'MQTT'"),
        (connect(2, version=V31, level=4), Flaw.UNKNOWN_VERSION, "level 4 of 'MQIsdp'"),
        (connect(2, name=b"HTTP\xff"), Flaw.UNKNOWN_VERSION, r"level 4 of 'HTTP\xff'"),
        (connect(3), MALFORMED, "reserved connect flag"),
        (connect(0x1E, text("w") + text("x")), MALFORMED, "QoS 3"),
        (connect(0x0A), MALFORMED, "no will"),
        (connect(0x22), MALFORMED, "no will"),
        (connect(0x06, text("") + text("x")), PROTOCOL, "will topic is empty"),
        (connect(0x06, text("a/#") + text("x")), MALFORMED, "will topic has a wildcard"),
        (connect(0x82), MALFORMED, "ends before its user name"),
        (connect(0xC2, text("user")), MALFORMED, "ends before its password"),
        (connect(0x82, binary(b"\xff\xfe")), MALFORMED, "user name is no UTF-8"),
        (connect(2, b"more"), MALFORMED, "left over"),
        (connect_with(("receive_maximum", 0)), PROTOCOL, "receive_maximum must not be 0"),
        (connect_with(("maximum_packet_size", 0)), PROTOCOL, "maximum_packet_size must not be 0"),
        (connect_with(("request_problem_information", 2)), PROTOCOL, "must not be 2"),
        (connect_with(("authentication_data", b"x")), PROTOCOL, "without a method"),
        (connect_with(("will_delay_interval", 1)), MALFORMED, "must not stand in a CONNECT"),
        (b"\x10\xff\xff\xff\x7f", Flaw.TOO_LARGE, "268,435,460 bytes, where 1,000 are taken"),
        (b"GET / HTTP/1.1\r\n", MALFORMED, "type 4 must not have the flags"),
        (b"\x16\x03\x01\x02\x00", MALFORMED, "type 1 must not have the flags"),
    ],
)  # fmt: skip
def test_in_place_of_a_connect(data: bytes, flaw: Flaw, why: str) -> None:
    undecodable = refusal(MqttDecoder(LIMIT_BYTES), data)
    assert (undecodable.flaw, why in undecodable.why) == (flaw, True), undecodable


@pytest.mark.parametrize("size", [LIMIT_BYTES, LIMIT_BYTES + 1])
def test_the_largest_packet_counts_its_header(size: int) -> None:
    data = packet(0x30, text("a") + b"x" * (size - 6))
    assert len(data) == size
    read = MqttDecoder(LIMIT_BYTES).feed(data[:4])
    if size == LIMIT_BYTES:
        assert read == []
    else:
        assert [one.line for one in read] == ["UNDECODABLE too_large"]


def test_what_came_before_it_counts_and_what_comes_after_it_does_not() -> None:
    ping = to_server(MqttPingreq())
    read = connected(V311).feed(ping + ping + b"\x00" + ping)
    assert [one.line for one in read] == ["PINGREQ", "PINGREQ", "UNDECODABLE malformed"]


# What is allowed, though it looks odd


def test_a_publish_before_a_connect_is_read_as_mqtt_3_1_1() -> None:
    assert MqttDecoder(LIMIT_BYTES).feed(to_server(MqttPublish("a", b"x"))) == [MqttPublish("a", b"x")]


@pytest.mark.parametrize(
    "sent",
    [
        MqttSubscribe((Subscription("a", 1),), 7),
        MqttUnsubscribe(("a",), 7),
    ],
)
def test_mqtt_3_1_may_send_these_again_with_dup(sent: MqttPacket) -> None:
    data = bytearray(to_server(sent, V31))
    data[0] |= 0x08
    assert connected(V31).feed(bytes(data)) == [sent]


def test_mqtt_3_1_may_promise_a_user_name_and_not_send_it() -> None:
    (read,) = MqttDecoder(LIMIT_BYTES).feed(connect(0xC2, version=V31))
    assert read == MqttConnect("gw-1", version=V31)


@pytest.mark.parametrize("version", [V311, V5])
def test_a_password_alone_is_for_the_server_to_judge(version: MqttVersion) -> None:
    (read,) = MqttDecoder(LIMIT_BYTES).feed(connect(0x42, binary(b"pw"), version=version))
    assert read == MqttConnect("gw-1", None, b"pw", version=version)


@pytest.mark.parametrize("data", [b"\x40\x02\x00\x07", b"\x40\x03\x00\x07\x00", b"\x40\x04\x00\x07\x00\x00"])
def test_mqtt_5_may_leave_out_code_and_properties(data: bytes) -> None:
    (read,) = connected(V5).feed(data)
    assert read.line == "PUBACK"
    assert getattr(read, "kind", None) is PublishAckKind.PUBACK


def test_odd_filters_and_empty_client_ids_are_for_the_platform_to_judge() -> None:
    sent: list[MqttPacket] = [
        MqttConnect("", clean_start=False),
        MqttSubscribe((Subscription("a/#/b"), Subscription("")), 1),
        MqttConnect("again", version=V5),
    ]
    assert MqttDecoder(LIMIT_BYTES).feed(b"".join(map(to_server, sent))) == sent


def test_a_will_with_everything() -> None:
    said: Properties = (("will_delay_interval", 5), ("user_property", ("k", "v")), ("user_property", ("k", "v")))
    sent = MqttConnect("gw-1", version=V5, will=MqttWill("gone", b"x", 2, True, said))
    assert MqttDecoder(LIMIT_BYTES).feed(to_server(sent)) == [sent]


# Topic aliases


def test_an_alias_stands_for_its_topic_until_it_is_set_anew() -> None:
    decoder = connected(V5, aliases=2)
    sent = [("one", 1), ("two", 2), ("", 1), ("new", 1), ("", 1), ("", 2)]
    read = [decoder.feed(to_server(MqttPublish(topic, b"x", properties=(("topic_alias", alias),)), V5))[0]
            for topic, alias in sent]  # fmt: skip
    assert read == [MqttPublish(topic, b"x") for topic in ("one", "two", "one", "new", "new", "two")]


def test_an_alias_that_was_never_set() -> None:
    undecodable = refusal(connected(V5, aliases=2), to_server(MqttPublish("", properties=(("topic_alias", 2),)), V5))
    assert (undecodable.flaw, undecodable.why) == (PROTOCOL, "topic alias 2 stands for nothing so far")


def test_an_alias_above_what_was_granted() -> None:
    undecodable = refusal(connected(V5, aliases=2), publish_with(("topic_alias", 3)))
    assert undecodable.flaw is Flaw.TOPIC_ALIAS


def test_a_new_connect_forgets_aliases() -> None:
    decoder = connected(V5, aliases=2)
    decoder.feed(to_server(MqttConnect("gw-1", version=V5)))
    assert refusal(decoder, publish_with(("topic_alias", 1))).flaw is Flaw.TOPIC_ALIAS
