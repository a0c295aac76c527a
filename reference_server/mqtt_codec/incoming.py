"""What clients send after their CONNECT: each function reads the body of one packet.

Their arguments are the flags of the fixed header, the body, and the version that the client speaks. They raise
BrokenPacket. What is left over at the end of a body is the decoder's business.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from fleetrig.reference_server.mqtt_codec.connect import read_connect
from fleetrig.reference_server.mqtt_codec.fields import BrokenPacket, FieldReader, check_parts
from fleetrig.reference_server.mqtt_codec.properties import PropertyPlace, read_properties
from fleetrig.reference_server.mqtt_codec.topic_names import check_topic_name
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
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
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import Flaw

V5: Final = MqttVersion.V5
PINGREQ: Final = MqttPingreq()

RETAIN: Final = 0x01
DUP: Final = 0x08

RECEIVED_CODES: Final = frozenset({0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})
RELEASED_CODES: Final = frozenset({0x00, 0x92})
ACK_CODES: Final = {
    PublishAckKind.PUBACK: RECEIVED_CODES,
    PublishAckKind.PUBREC: RECEIVED_CODES,
    PublishAckKind.PUBREL: RELEASED_CODES,
    PublishAckKind.PUBCOMP: RELEASED_CODES,
}
DISCONNECT_CODES: Final = frozenset({0x00, 0x04, *range(0x80, 0x84), 0x90, *range(0x93, 0x9A)})
"""Those that a client may send (MQTT 5 §3.14.2.1)."""
AUTH_CODES: Final = frozenset({0x18, 0x19})

NO_LOCAL: Final = 0x04
RETAIN_AS_PUBLISHED: Final = 0x08
SUBSCRIPTION_RESERVED: Final = 0xC0
SHARED: Final = "$share/"


def read_publish(flags: int, reader: FieldReader, version: MqttVersion, *, is_strict: bool = True) -> MqttPublish:
    """The topic is empty where only an alias stands for it."""
    qos = flags >> 1 & 3
    if is_strict and flags & DUP and not qos and version is not MqttVersion.V31:
        raise BrokenPacket("a PUBLISH of QoS 0 is marked as a duplicate")
    topic = reader.text("topic")
    packet_id = reader.packet_id() if qos else 0
    properties: Properties = ()
    if version is V5:
        properties = read_properties(reader, PropertyPlace.PUBLISH, is_strict=is_strict)
        if is_strict:
            _check_response_topic(properties)
    if topic or (is_strict and version is not V5):
        check_topic_name(topic, "topic")
    return MqttPublish(topic, reader.rest(), qos, bool(flags & RETAIN), bool(flags & DUP), packet_id, properties)


def _check_response_topic(properties: Properties) -> None:
    for name, value in properties:
        if name == "response_topic":
            check_topic_name(str(value), "response topic")


def _ack_reader(kind: PublishAckKind) -> BodyReader:
    def read_ack(_: int, reader: FieldReader, version: MqttVersion) -> MqttPublishAck:
        packet_id = reader.packet_id()
        if version is not V5 or reader.is_at_end():
            return MqttPublishAck(kind, packet_id)
        code = _code(reader, ACK_CODES[kind])
        properties = () if reader.is_at_end() else read_properties(reader, PropertyPlace.PUBLISH_ACK)
        return MqttPublishAck(kind, packet_id, code, properties)

    return read_ack


def read_subscribe(_: int, reader: FieldReader, version: MqttVersion, *, is_strict: bool = True) -> MqttSubscribe:
    packet_id = reader.packet_id()
    properties = read_properties(reader, PropertyPlace.SUBSCRIBE, is_strict=is_strict) if version is V5 else ()
    wanted = []
    while not reader.is_at_end():
        wanted.append(_read_subscription(reader, version, is_strict=is_strict))
        check_parts(len(wanted))
    if is_strict and not wanted:
        raise BrokenPacket("a SUBSCRIBE has no topic filter", Flaw.PROTOCOL)
    return MqttSubscribe(tuple(wanted), packet_id, properties)


def _read_subscription(reader: FieldReader, version: MqttVersion, *, is_strict: bool) -> Subscription:
    """`is_strict`: reserved bits are looked at."""
    topic_filter = reader.text("topic filter")
    options = reader.byte("requested QoS")
    qos = options & 3
    if qos == 3:
        raise BrokenPacket("QoS 3 is subscribed to", Flaw.PROTOCOL if version is V5 else Flaw.MALFORMED)
    if version is not V5 and (is_strict or options >> 4 & 3 != 3):
        if is_strict and options != qos:
            raise BrokenPacket("reserved bits beside a requested QoS are set")
        return Subscription(topic_filter, qos)
    if is_strict and options & SUBSCRIPTION_RESERVED:
        raise BrokenPacket("reserved subscription options are set")
    retain_handling = options >> 4 & 3
    if retain_handling == 3:
        raise BrokenPacket("there is no retain handling 3", Flaw.PROTOCOL)
    if is_strict and options & NO_LOCAL and topic_filter.startswith(SHARED):
        raise BrokenPacket("a shared subscription has the option no local", Flaw.PROTOCOL)
    return Subscription(
        topic_filter, qos, bool(options & NO_LOCAL), bool(options & RETAIN_AS_PUBLISHED), retain_handling
    )


def read_unsubscribe(_: int, reader: FieldReader, version: MqttVersion, *, is_strict: bool = True) -> MqttUnsubscribe:
    packet_id = reader.packet_id()
    properties = read_properties(reader, PropertyPlace.UNSUBSCRIBE, is_strict=is_strict) if version is V5 else ()
    filters = []
    while not reader.is_at_end():
        filters.append(reader.text("topic filter"))
        check_parts(len(filters))
    if is_strict and not filters:
        raise BrokenPacket("an UNSUBSCRIBE has no topic filter", Flaw.PROTOCOL)
    return MqttUnsubscribe(tuple(filters), packet_id, properties)


def read_disconnect(_: int, reader: FieldReader, version: MqttVersion) -> MqttDisconnect:
    if version is not V5 or reader.is_at_end():
        return MqttDisconnect()
    code = _code(reader, DISCONNECT_CODES)
    properties = () if reader.is_at_end() else read_properties(reader, PropertyPlace.DISCONNECT)
    return MqttDisconnect(code, properties)


def read_auth(_: int, reader: FieldReader, version: MqttVersion) -> MqttAuth:
    if version is not V5:
        raise BrokenPacket("packet type 15 is reserved before MQTT 5")
    code = 0 if reader.is_at_end() else reader.byte("reason code")
    if code not in AUTH_CODES:
        raise BrokenPacket(f"a client sends no AUTH with reason code {code}", Flaw.PROTOCOL)
    return MqttAuth(code, read_properties(reader, PropertyPlace.AUTH))


def _code(reader: FieldReader, known: frozenset[int]) -> int:
    code = reader.byte("reason code")
    if code not in known:
        raise BrokenPacket(f"there is no reason code {code} for it", Flaw.PROTOCOL)
    return code


BodyReader = Callable[[int, FieldReader, MqttVersion], MqttPacket]

PUBREL, SUBSCRIBE, UNSUBSCRIBE = 6, 8, 10
MAY_BE_SENT_AGAIN: Final = frozenset({PUBREL, SUBSCRIBE, UNSUBSCRIBE})
"""The types whose DUP flag may be set in MQTT 3.1 (§2.1)."""
SERVERS_ONLY: Final = {2: "CONNACK", 9: "SUBACK", 11: "UNSUBACK", 13: "PINGRESP"}

READERS: Final[dict[int, BodyReader]] = {
    **{0x30 | flags: read_publish for flags in range(16) if flags & 6 != 6},
    0x10: lambda _, reader, __: read_connect(reader),
    0xC0: lambda _, __, ___: PINGREQ,
    0x82: read_subscribe,
    0xE0: read_disconnect,
    0x40: _ack_reader(PublishAckKind.PUBACK),
    0x50: _ack_reader(PublishAckKind.PUBREC),
    0x62: _ack_reader(PublishAckKind.PUBREL),
    0x70: _ack_reader(PublishAckKind.PUBCOMP),
    0xA2: read_unsubscribe,
    0xF0: read_auth,
}
"""By the first byte of a packet, which says its type and flags."""


def _of_servers(packet: MqttPacket) -> BodyReader:
    """What is in it is not looked at: nothing can come of it."""

    def skip(_: int, reader: FieldReader, __: MqttVersion) -> MqttPacket:
        reader.rest()
        return packet

    return skip


LENIENT_READERS: Final[dict[int, BodyReader]] = {
    **READERS,
    **{0x30 | flags: partial(read_publish, is_strict=False) for flags in range(16) if flags & 6 != 6},
    0x10: lambda _, reader, __: read_connect(reader, is_strict=False),
    0x82: partial(read_subscribe, is_strict=False),
    0xA2: partial(read_unsubscribe, is_strict=False),
    0x20: _of_servers(MqttConnack()),
    0x90: _of_servers(MqttSuback(0, ())),
    0xB0: _of_servers(MqttUnsuback(0)),
    0xD0: _of_servers(MqttPingresp()),
}
"""As Netty's decoder reads them, as far as a client may take notice: packets without a filter, odd wills, empty topics,
reserved bits, misplaced and repeated properties, and what only servers send. What such a packet leads to is the
platform's business."""


def reader_of(first: int, version: MqttVersion, *, is_strict: bool = True) -> BodyReader:
    """Raises BrokenPacket for a first byte that no client may send."""
    readers = READERS if is_strict else LENIENT_READERS
    found = readers.get(first)
    if found is None and version is MqttVersion.V31 and first >> 4 in MAY_BE_SENT_AGAIN:
        found = readers.get(first & ~DUP)
    return found or _no_reader(first)


def _no_reader(first: int) -> BodyReader:
    packet_type = first >> 4
    if packet_type in SERVERS_ONLY:
        raise BrokenPacket(f"a client sends no {SERVERS_ONLY[packet_type]}", Flaw.PROTOCOL)
    if packet_type == 0:
        raise BrokenPacket("packet type 0 is reserved")
    if packet_type == 3:
        raise BrokenPacket("a PUBLISH has QoS 3")
    raise BrokenPacket(f"a packet of type {packet_type} must not have the flags {first & 15:#06b}")
