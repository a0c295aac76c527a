"""MQTT packets as bytes, by paho-mqtt: its framing and its writing, without its sockets and its session.

paho acknowledges, pings, sends again, downgrades and reconnects by itself; all of that is a flow's to decide. So two
methods of its client are replaced, through which everything has to pass: `_packet_handle`, where a packet has come
whole, and `_packet_queue`, where one goes out. Nothing above them runs, and a packet id is the one of the envelope.

`PRIVATE_NAMES` are all that this leans on and that paho does not promise to keep.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Final

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnect,
    MqttDisconnect,
    MqttPacket,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    Properties,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES
from fleetrig.simulator.transports.mqtt_reading import PUBREL_FLAGS, read_packet
from fleetrig.simulator.transports.paho_properties import packed, read_length, to_paho, written_length

PRIVATE_NAMES: Final = (
    "_clean_session", "_clean_start", "_client_id", "_connect_properties", "_in_packet", "_mid_generate",
    "_packet_handle", "_packet_queue", "_password", "_protocol", "_send_connect", "_send_publish", "_send_subscribe",
    "_send_unsubscribe", "_sock", "_username",
)  # fmt: skip
"""Of `paho.mqtt.client.Client`, as of 2.2."""
LOCKS: Final = (
    "_callback_mutex", "_in_message_mutex", "_mid_generate_mutex", "_msgtime_mutex", "_out_message_mutex",
    "_reconnect_delay_mutex",
)  # fmt: skip
QUEUES: Final = ("_in_messages", "_out_messages")
"""Likewise. A codec belongs to one connection, which reads and writes by turns: nobody needs these two to three KiB."""
UNLOCKED: Final = nullcontext()
NOTHING_QUEUED: Final[Mapping[int, object]] = MappingProxyType({})
UNWRITABLE: Final = (MQTTException, struct.error, AssertionError, KeyError, OverflowError, TypeError, ValueError)
"""What paho raises for packets that it cannot write."""
USER_NAME_FLAG: Final = 0x80
FIRST_TYPE: Final = 0x10
"""No packet begins with a smaller byte."""


class PahoCodec(Client):
    """Of one connection. Speaks MQTT 3.1.1 until a CONNECT that is written says otherwise."""

    def __init__(self) -> None:
        super().__init__(CallbackAPIVersion.VERSION2)
        for name in LOCKS:
            setattr(self, name, UNLOCKED)
        for name in QUEUES:
            setattr(self, name, NOTHING_QUEUED)
        self.came: deque[MqttPacket] = deque()
        """What has come whole, the oldest first."""
        self._version = MqttVersion.V311
        self._packet_id = 0
        self._written = b""
        self._sock = self._arrived = ArrivedBytes()

    def feed(self, data: bytes) -> None:
        """Adds to `came` what is whole now. Raises ValueError for bytes that are no packet: `came` has those before."""
        self._arrived.add(data)
        while not self._arrived.is_empty:
            if self._in_packet["command"] == 0 and self._arrived.next_byte < FIRST_TYPE:
                raise ValueError("a packet of type 0")  # paho would wait for a better one
            if self.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._sock = self._arrived  # paho has let go of it, and would write nothing any more
                raise ValueError("a packet whose length is none")

    def encode(self, envelope: Envelope) -> bytes:
        """The bytes of a packet of a device; MQTT 3 leaves properties out, and codes but that of a CONNACK.

        Raises ModelError for what no device sends, and what paho cannot write.
        """
        try:
            self._write(envelope)
        except UNWRITABLE as error:
            raise ModelError(f"paho-mqtt cannot write {envelope.line}: {error}") from error
        return self._written

    def _write(self, envelope: Envelope) -> None:
        match envelope:
            case MqttConnect():
                self._write_connect(envelope)
            case MqttPublish(topic, payload, qos, retain, dup, packet_id, properties):
                found = to_paho(properties, PacketTypes.PUBLISH)
                self._send_publish(packet_id, topic.encode(), payload, qos, retain, dup, None, found)
            case MqttSubscribe(subscriptions, packet_id, properties):
                self._packet_id = packet_id
                wanted = [(one.topic_filter.encode(), self._options(one)) for one in subscriptions]
                self._send_subscribe(False, wanted, to_paho(properties, PacketTypes.SUBSCRIBE))
            case MqttUnsubscribe(topic_filters, packet_id, properties):
                self._packet_id = packet_id
                filters = [topic_filter.encode() for topic_filter in topic_filters]
                self._send_unsubscribe(False, filters, to_paho(properties, PacketTypes.UNSUBSCRIBE))
            case MqttPublishAck() | MqttPingreq() | MqttDisconnect() | MqttAuth():
                self._written = short_packet(envelope, self._version)
            case _:
                raise ModelError(f"a device does not send {envelope.line}")

    def _write_connect(self, connect: MqttConnect) -> None:
        self._version, self._protocol = connect.version, MQTTProtocolVersion(connect.version)
        self._client_id = connect.client_id.encode()
        self._clean_session = self._clean_start = connect.clean_start
        self._connect_properties = to_paho(connect.properties, PacketTypes.CONNECT)
        self._username = None if connect.user_name is None else connect.user_name.encode()
        self._password = connect.password
        self.will_clear()
        if (will := connect.will) is not None:
            properties = to_paho(will.properties, PacketTypes.WILLMESSAGE)
            self.will_set(will.topic, will.payload, will.qos, will.retain, properties)
        if connect.user_name is None and connect.password is not None:
            self._username = b""
            self._send_connect(connect.keep_alive_s)
            self._written = without_user_name(self._written, len(connect.password))
        else:
            self._send_connect(connect.keep_alive_s)

    def _options(self, wanted: Subscription) -> SubscribeOptions | int:
        if self._version is not MqttVersion.V5:
            return wanted.qos
        return SubscribeOptions(wanted.qos, wanted.no_local, wanted.retain_as_published, wanted.retain_handling)

    def _packet_handle(self) -> MQTTErrorCode:
        self.came.append(read_packet(self._in_packet["command"], bytes(self._in_packet["packet"]), self._version))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _packet_queue(
        self, command: int, packet: bytes | bytearray, mid: int, qos: int, info: MQTTMessageInfo | None = None
    ) -> MQTTErrorCode:
        self._written = bytes(packet)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _mid_generate(self) -> int:
        return self._packet_id


class ArrivedBytes:
    """What paho reads in place of a socket; it says `BlockingIOError` where nothing more has come."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def add(self, data: bytes) -> None:
        """`data` comes behind what has not been read."""
        self._data, self._at = self._data[self._at :] + data, 0

    @property
    def is_empty(self) -> bool:
        return self._at == len(self._data)

    @property
    def next_byte(self) -> int:
        return self._data[self._at]

    def recv(self, size: int) -> bytes:
        """Raises ValueError when paho wants more than a packet may have."""
        if size > REPLY_LIMIT_BYTES:
            raise ValueError(f"a packet of {size:,} bytes")
        if self.is_empty:
            raise BlockingIOError
        block = self._data[self._at : self._at + size]
        self._at += len(block)
        return block

    def send(self, buffer: bytes | bytearray) -> int:
        raise ModelError(f"paho-mqtt sends {len(buffer)} bytes by itself")

    def close(self) -> None:
        """paho closes what it has read nonsense from."""

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""


def short_packet(packet: MqttPublishAck | MqttPingreq | MqttDisconnect | MqttAuth, version: MqttVersion) -> bytes:
    """What paho writes without code and properties, or not at all."""
    match packet:
        case MqttPublishAck(kind, packet_id, code, properties):
            flags = PUBREL_FLAGS if kind is PublishAckKind.PUBREL else 0
            return framed(kind << 4 | flags, packet_id.to_bytes(2) + ending(kind, code, properties, version))
        case MqttPingreq():
            return framed(PacketTypes.PINGREQ << 4, b"")
        case MqttDisconnect(code, properties):
            return framed(PacketTypes.DISCONNECT << 4, ending(PacketTypes.DISCONNECT, code, properties, version))
        case MqttAuth(code, properties):
            body = ending(PacketTypes.AUTH, code, properties, version)
            return framed(PacketTypes.AUTH << 4, body + b"\0" if len(body) == 1 else body)  # (MQTT 5, 3.15.2.2.1)


def ending(packet_type: int, code: int, properties: Properties, version: MqttVersion) -> bytes:
    """Code and properties, left out where that says the same (MQTT 5, 3.4.2.1)."""
    if version is not MqttVersion.V5 or (code == 0 and not properties):
        return b""
    return bytes([code]) + packed(properties, packet_type)


def framed(first: int, body: bytes) -> bytes:
    """A packet: its first byte, the length of the rest, and the rest."""
    return bytes([first]) + written_length(len(body)) + body


def without_user_name(connect: bytes, password_bytes: int) -> bytes:
    """A CONNECT whose user name is empty, without it: paho writes no password alone, which MQTT 5 allows (3.1.2.9)."""
    _, length_bytes = read_length(connect[1:])
    body = bytearray(connect[1 + length_bytes :])
    flags_at = 2 + int.from_bytes(body[:2]) + 1
    body[flags_at] &= ~USER_NAME_FLAG
    end = len(body) - password_bytes - 2
    del body[end - 2 : end]
    return framed(connect[0], bytes(body))
