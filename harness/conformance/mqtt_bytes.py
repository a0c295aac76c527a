"""MQTT 3.1.1 and 5 as exact bytes: what a row says, and one line for what it hears.

Written from the OASIS standards and from nothing of the server or the devices, so that no misunderstanding is shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 1, 2, 3, 4, 8, 9
UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 10, 11, 12, 13, 14
NAMES: Final = {CONNACK: "CONNACK", PUBACK: "PUBACK", SUBACK: "SUBACK", UNSUBACK: "UNSUBACK", PINGRESP: "PINGRESP"}
MOST_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """One packet of the server. `line` is what rows compare: `CONNACK 0`, `PUBACK 0x90`, `PUBLISH a/b q1`, `closed`.

    `packet_id` of an acknowledgement is that of what it acknowledges.
    """

    line: str
    payload: bytes = b""
    packet_id: int = 0


CLOSED: Final = Heard("closed")


def text(value: str | bytes) -> bytes:
    """A string or binary field."""
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(2, "big") + data


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """Fixed header and body."""
    return bytes([kind << 4 | flags]) + _length(len(body)) + body


def connect(
    level: int,
    client_id: str = "",
    user_name: str | None = None,
    password: str | None = None,
    *,
    clean: bool = True,
    keep_alive_s: int = 60,
    will: tuple[str, bytes] | None = None,
) -> bytes:
    """`level`: 4 is MQTT 3.1.1, 5 is 5. `will`: topic and payload, with QoS 0."""
    flags = clean << 1 | (will is not None) << 2 | (password is not None) << 6 | (user_name is not None) << 7
    testament = [] if will is None else [_properties(level) + text(will[0]), text(will[1])]
    given = [text(one) for one in (user_name, password) if one is not None]
    head = text("MQTT") + bytes([level, flags]) + keep_alive_s.to_bytes(2, "big") + _properties(level)
    return packet(CONNECT, head + b"".join([text(client_id), *testament, *given]))


def subscribe(level: int, topic_filter: str, qos: int, packet_id: int) -> bytes:
    body = packet_id.to_bytes(2, "big") + _properties(level) + text(topic_filter) + bytes([qos])
    return packet(SUBSCRIBE, body, 2)


def unsubscribe(level: int, topic_filter: str, packet_id: int) -> bytes:
    return packet(UNSUBSCRIBE, packet_id.to_bytes(2, "big") + _properties(level) + text(topic_filter), 2)


def publish(level: int, topic: str, payload: bytes, qos: int, packet_id: int) -> bytes:
    number = packet_id.to_bytes(2, "big") if qos else b""
    return packet(PUBLISH, text(topic) + number + _properties(level) + payload, qos << 1)


def puback(packet_id: int) -> bytes:
    return packet(PUBACK, packet_id.to_bytes(2, "big"))


def take_packet(data: bytes) -> tuple[int, int, bytes, bytes] | None:
    """(kind, flags, body, rest), or None while it is not whole. Raises ValueError for an endless length."""
    size, shift = 0, 0
    for index, byte in enumerate(data[1:], 2):
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            body = data[index : index + size]
            return (data[0] >> 4, data[0] & 15, body, data[index + size :]) if len(body) == size else None
        if index > MOST_LENGTH_BYTES:
            raise ValueError("a remaining length of more than four bytes")
    return None


def read(kind: int, flags: int, body: bytes, level: int) -> Heard:
    """What a packet of the server says. Raises ValueError or IndexError for what no packet can be."""
    if kind == PUBLISH:
        return _published(flags, body, level)
    if flags:
        raise ValueError(f"flags {flags:#x} in a packet of kind {kind}")
    match kind:
        case 2:
            present = " session-present" if body[0] & 1 else ""
            _ends(body[2:], level, body[0] < 2)
            return Heard(f"CONNACK {_code(body[1], level)}{present}")
        case 4:
            code = body[2] if len(body) > 2 else 0
            _ends(body[3:] or _properties(level), level, len(body) == 2 or level == 5)
            return Heard(f"PUBACK {_code(code, level)}" if code else "PUBACK", packet_id=_packet_id(body))
        case 9 | 11:
            codes = body[2 + _properties_size(body[2:], level) :]
            line = " ".join([NAMES[kind], *(_code(code, max(level, code >> 4)) for code in codes)])
            return Heard(line, packet_id=_packet_id(body))
        case 13:
            _ends(body, 4)
            return Heard("PINGRESP")
        case 14:
            _ends(body[1:] or _properties(level), level, level == 5)
            return Heard(f"DISCONNECT {_code(body[0] if body else 0, level)}")
        case _:
            raise ValueError(f"a packet of kind {kind} from a server")


def _published(flags: int, body: bytes, level: int) -> Heard:
    end = 2 + int.from_bytes(body[:2], "big")
    qos = flags >> 1 & 3
    if len(body) < end or qos > 2:
        raise ValueError("a PUBLISH with a topic longer than itself, or with QoS 3")
    topic, rest = body[2:end].decode(), body[end:]
    packet_id = _packet_id(rest) if qos else 0
    rest = rest[2:] if qos else rest
    marks = ("" if not flags & 1 else " retained") + ("" if not flags & 8 else " dup")
    return Heard(f"PUBLISH {topic} q{qos}{marks}", rest[_properties_size(rest, level) :], packet_id)


def _packet_id(body: bytes) -> int:
    """Raises ValueError for none, and for 0, which is none."""
    packet_id = int.from_bytes(body[:2], "big")
    if len(body) < 2 or not packet_id:
        raise ValueError("no packet id")
    return packet_id


def _ends(rest: bytes, level: int, is_whole: bool = True) -> None:
    """Nothing but properties is left of the packet, and those in MQTT 5 only. Raises ValueError."""
    if not is_whole or len(rest) != _properties_size(rest, level):
        raise ValueError("a packet of another length than its standard says")


def _code(code: int, level: int) -> str:
    """Reasons of MQTT 5 in hex, as its standard has them; return codes of 3.1.1 in decimal."""
    return f"0x{code:02X}" if level >= 5 and code >= 0x80 else str(code)


def _properties(level: int) -> bytes:
    return b"\0" if level == 5 else b""


def _properties_size(data: bytes, level: int) -> int:
    """Of the properties, their length included; 0 where there are none. Raises IndexError when they are cut off."""
    if level != 5:
        return 0
    size, end = 0, 0
    while True:
        byte = data[end]
        size |= (byte & 0x7F) << 7 * end
        end += 1
        if not byte & 0x80:
            return end + size


def _length(size: int) -> bytes:
    found = b""
    while True:
        size, digit = divmod(size, 128)
        found += bytes([digit | (0x80 if size else 0)])
        if not size:
            return found
