"""Puts packets together from what arrives in pieces of any size, and says what is none.

The first thing that breaks the standards is the last that a decoder says: there is no telling where the next packet
would begin. What a packet asks for, and whether it may come now, is the platform's business, a PUBLISH before CONNECT
and a second CONNECT included; until a CONNECT has come, all is read as MQTT 3.1.1.
"""

from __future__ import annotations

from typing import Final

from fleetrig.reference_server.mqtt_codec.fields import BrokenPacket, FieldReader
from fleetrig.reference_server.mqtt_codec.incoming import BodyReader, reader_of
from fleetrig.reference_server.mqtt_codec.topic_aliases import TopicAliases
from fleetrig.simulator.contract.mqtt import MqttConnack, MqttConnect, MqttPacket, MqttPublish, MqttVersion
from fleetrig.simulator.contract.undecodable import HEAD_BYTES, Flaw, Undecodable

LENGTH_BYTES: Final = 4
ALL_AT_ONCE: Final = 1 << 30


class MqttDecoder:
    """Reads one connection. Holds what has come of one packet, and never more than `packet_bytes` of it, but for what
    `_is_awaited` says."""

    __slots__ = ("_aliases", "_at_once", "_has_failed", "_has_waited", "_is_strict", "_needed_bytes", "_packet_bytes",
                 "_pending", "is_behind", "version")  # fmt: skip

    def __init__(self, packet_bytes: int, at_once: int = ALL_AT_ONCE, *, is_strict: bool = True) -> None:
        """`packet_bytes`: the largest packet, fixed header included. `at_once`: how many `feed` returns at most.

        `is_strict`: as the standards say; otherwise some of what they forbid is told to the platform (`incoming`).
        """
        self.version: MqttVersion | None = None
        """What the latest CONNECT spoke; None until there was one."""
        self.is_behind = False
        """There may be more: call `feed` again, with nothing."""
        self._packet_bytes = packet_bytes
        self._at_once = at_once
        self._is_strict = is_strict
        self._pending: bytes | bytearray = b""
        self._needed_bytes = 0
        """So much must have come before it is worth looking."""
        self._has_failed = False
        self._has_waited = False
        """For the end of a field that runs past the end of its packet."""
        self._aliases: TopicAliases | None = None

    @property
    def is_half(self) -> bool:
        """The beginning of a packet has come, and not its end."""
        return bool(self._pending) and not self.is_behind

    def feed(self, data: bytes = b"") -> list[MqttPacket | Undecodable]:
        """The packets that are whole now, in order; never raises for what is none."""
        if self._has_failed:
            return []
        if self._pending:
            data = self._joined(data)
        found: list[MqttPacket | Undecodable] = []
        at = end = 0
        try:
            while len(found) < self._at_once and (span := self._span(data, at)) is not None:
                read_body, start, end = span
                found.append(self._read(data[at], read_body, data[start:end]))
                at = end
        except BrokenPacket as broken:
            if self._is_awaited(broken, len(data) - end):
                self._pending, self._needed_bytes = data[at:], end - at + broken.missing_bytes
                return found
            found.append(Undecodable(broken.flaw, broken.why, data[at : at + HEAD_BYTES]))
            self._has_failed = True
            at = len(data)
        self.is_behind = len(found) >= self._at_once and at < len(data)
        if at < len(data):
            self._pending = data[at:]
        return found

    def accepted(self, connack: MqttConnack) -> None:
        """The server has answered the CONNECT: it says how many topic aliases the client may use."""
        for name, value in connack.properties:
            if name == "topic_alias_maximum" and isinstance(value, int):
                self._aliases = TopicAliases(value)

    def _is_awaited(self, broken: BrokenPacket, further_bytes: int) -> bool:
        """Netty reads a field on into what comes after its packet, and finds out only then; until then it waits.

        So much is waited for once: a field has 64 KiB at most.
        """
        if self._is_strict or self._has_waited or broken.missing_bytes <= further_bytes:
            return False
        self._has_waited = True
        return True

    def _joined(self, data: bytes) -> bytes:
        """All that is pending, as soon as it may be a packet; nothing before."""
        if self._needed_bytes <= len(self._pending) + len(data):
            whole, self._pending, self._needed_bytes = bytes(self._pending) + data, b"", 0
            return whole
        if isinstance(self._pending, bytes):
            self._pending = bytearray(self._pending)
        self._pending += data
        return b""

    def _span(self, data: bytes, at: int) -> tuple[BodyReader, int, int] | None:
        """What reads the packet that begins here, and where its body starts and ends; None if it has not come whole."""
        if at >= len(data):
            return None
        version = self.version or MqttVersion.V311
        read_body = reader_of(data[at], version, is_strict=self._is_strict)
        start = at + 1
        length = 0
        for shift in (0, 7, 14, 21):
            if start >= len(data):
                return None
            byte = data[start]
            start += 1
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                if not byte and shift and version is MqttVersion.V5:
                    raise BrokenPacket("the remaining length has more bytes than it needs")
                break
        else:
            raise BrokenPacket("the remaining length has more than four bytes")
        end = start + length
        if end - at > self._packet_bytes:
            raise BrokenPacket(
                f"a packet of {end - at:,} bytes, where {self._packet_bytes:,} are taken", Flaw.TOO_LARGE
            )
        if end > len(data):
            self._needed_bytes = end - at
            return None
        return read_body, start, end

    def _read(self, first: int, read_body: BodyReader, body: bytes) -> MqttPacket:
        version = self.version or MqttVersion.V311
        reader = FieldReader(body)
        packet = read_body(first & 15, reader, version)
        reader.expect_end()
        if isinstance(packet, MqttPublish):
            return self._with_topic(packet) if version is MqttVersion.V5 and self._is_strict else packet
        if isinstance(packet, MqttConnect):
            self.version = packet.version
            self._aliases = None
        return packet

    def _with_topic(self, publish: MqttPublish) -> MqttPublish:
        if publish.topic and not publish.properties:
            return publish
        return (self._aliases or TopicAliases(0)).resolved(publish)
