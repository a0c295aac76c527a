"""The few protobuf messages of provisioning, both ways (spec 1.5; encoding: proto3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fleetrig.reference_server.platforms.thingsboard.provisioning.request import ProvisionRequest
from fleetrig.reference_server.platforms.thingsboard.state.generations import Traits
from fleetrig.reference_server.platforms.thingsboard.state.records import CredentialsType

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)
VARINT_BYTES: Final = 10
MOST_NESTED: Final = 100
U32: Final = 0xFFFFFFFF

TYPES: Final = (
    CredentialsType.ACCESS_TOKEN,
    CredentialsType.X509_CERTIFICATE,
    CredentialsType.MQTT_BASIC,
    CredentialsType.LWM2M_CREDENTIALS,
)
"""By number."""
STATUSES: Final = ("UNKNOWN", "SUCCESS", "NOT_FOUND", "FAILURE")

Path = tuple[int, ...]
"""Field numbers from the outermost message inwards."""

TEXTS: Final[Mapping[Path, str]] = {
    (1,): "device_name",
    (3, 1): "key",
    (3, 2): "secret",
    (4, 1, 1): "token",
    (4, 2, 1): "certificate",
    (4, 3, 1): "client_id",
    (4, 3, 2): "username",
    (4, 3, 3): "password",
}
MESSAGES: Final[frozenset[Path]] = frozenset({(3,), (4,), (4, 1), (4, 2), (4, 3)})
TYPE: Final[Path] = (2,)
GATEWAY: Final[Path] = (5,)


class NotProtobuf(Exception):
    """Bytes that are no such message."""


def read_protobuf_request(data: bytes, traits: Traits) -> ProvisionRequest:
    """No bytes at all are a request without anything. Raises NotProtobuf."""
    texts: dict[str, str] = {}
    kind: CredentialsType | None = CredentialsType.ACCESS_TOKEN
    gateway = False
    for path, value in _values(data):
        if path in TEXTS and isinstance(value, bytes):
            texts[TEXTS[path]] = _text(value)
        elif path == TYPE and isinstance(value, int):
            number = value & U32
            kind = TYPES[number] if number < len(TYPES) else None
        elif path == GATEWAY and isinstance(value, int):
            gateway = bool(value)
    gateway = gateway and traits.has_gateway_flag
    return ProvisionRequest(credentials_type=kind, gateway=gateway, is_protobuf=True, **texts)


def write_protobuf_answer(status: str, kind: CredentialsType | None = None, value: str = "") -> bytes:
    """What has the value of its default is left out."""
    number = TYPES.index(kind) if kind is not None else 0
    return _varint_field(1, STATUSES.index(status)) + _varint_field(2, number) + _text_field(3, value)


def _values(data: bytes, within: Path = ()) -> Iterator[tuple[Path, bytes | int]]:
    """The fields that are no messages, in the order of the wire; the last of several counts."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = (tag & U32) >> 3, tag & 7
        if number == 0:
            raise NotProtobuf("a field has the number 0")
        value, at = _field(data, at, number, wire_type, 0)
        path = (*within, number)
        if path in MESSAGES and isinstance(value, bytes):
            yield from _values(value, path)
        elif value is not None:
            yield path, value


def _field(data: bytes, at: int, number: int, wire_type: int, depth: int) -> tuple[bytes | int | None, int]:
    """(value, None where it is skipped; where the next field begins)."""
    if wire_type == VARINT:
        return _varint(data, at)
    if wire_type == BYTES:
        length, at = _varint(data, at)
        return _piece(data, at, length), at + length
    if wire_type in {FIXED32, FIXED64}:
        width = 4 if wire_type == FIXED32 else 8
        _piece(data, at, width)
        return None, at + width
    if wire_type == GROUP:
        return None, _skipped_group(data, at, number, depth)
    raise NotProtobuf(f"a field has the wire type {wire_type} where none such may be")


def _skipped_group(data: bytes, at: int, number: int, depth: int) -> int:
    if depth >= MOST_NESTED:
        raise NotProtobuf("groups are nested too deeply")
    while True:
        tag, at = _varint(data, at)
        inner, wire_type = (tag & U32) >> 3, tag & 7
        if wire_type == END_GROUP:
            if inner != number:
                raise NotProtobuf("a group ends that was not begun")
            return at
        if inner == 0:
            raise NotProtobuf("a field has the number 0")
        _, at = _field(data, at, inner, wire_type, depth + 1)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(VARINT_BYTES):
        byte = _piece(data, at + index, 1)[0]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise NotProtobuf("a number has no end")


def _piece(data: bytes, at: int, length: int) -> bytes:
    if at + length > len(data):
        raise NotProtobuf("the message ends too early")
    return data[at : at + length]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NotProtobuf("a text is no UTF-8") from error


def _varint_field(number: int, value: int) -> bytes:
    """Of small numbers."""
    return bytes([number << 3 | VARINT, value]) if value else b""


def _text_field(number: int, text: str) -> bytes:
    return _bytes_field(number, text.encode("utf-8", "replace"))


def _bytes_field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | BYTES]) + _written_varint(len(data)) + data if data else b""


def _written_varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
