"""KuraPayload as exact bytes (docs/contracts/kura.md §2.3): what rows say, and what they read out of what they hear.

Written by hand from the field numbers, and from nothing of the server or the devices: a mistake of a library, or of one
schema, cannot hide here. Broken payloads are put together of the same pieces.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

TIMESTAMP, POSITION, METRIC, BODY = 1, 2, 5000, 5001
"""Fields of KuraPayload."""
NAME, TYPE = 1, 2
"""Fields of KuraMetric; that of a value is its type's number and 3."""
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
"""Wire types."""
GZIP: Final = b"\x1f\x8b"
MOST_BYTES: Final = 32 << 20
"""Of a payload that was compressed."""

Value = float | int | bool | str | bytes


class MetricType(IntEnum):
    """As a metric names it."""

    DOUBLE = 0
    FLOAT = 1
    INT64 = 2
    INT32 = 3
    BOOL = 4
    STRING = 5
    BYTES = 6


DOUBLE, FLOAT, INT64, INT32, BOOL, STRING, BYTES = MetricType


@dataclass(frozen=True, slots=True)
class HeardPayload:
    """What was read."""

    metrics: Mapping[str, tuple[int, Value]] = field(default_factory=dict)
    """Name -> type and value."""
    body: bytes = b""
    timestamp_ms: int | None = None

    def value(self, name: str) -> Value | None:
        """Of a metric, whatever its type; None without one."""
        return self.metrics[name][1] if name in self.metrics else None


# -- writing


def varint(number: int) -> bytes:
    """Negative ones take ten bytes, as protobuf has it."""
    rest, found = number & (1 << 64) - 1, bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])


def numbered(number: int, wire_type: int, content: bytes) -> bytes:
    """One field of a message."""
    length = varint(len(content)) if wire_type == LENGTH else b""
    return varint(number << 3 | wire_type) + length + content


def value_field(kind: MetricType, value: Value) -> bytes:
    """The field that holds a value of this type."""
    match kind:
        case MetricType.DOUBLE:
            return numbered(kind + 3, EIGHT_BYTES, struct.pack("<d", value))
        case MetricType.FLOAT:
            return numbered(kind + 3, FOUR_BYTES, struct.pack("<f", value))
        case MetricType.STRING | MetricType.BYTES:
            return numbered(kind + 3, LENGTH, value.encode() if isinstance(value, str) else bytes(_bytes(value)))
        case _:
            return numbered(kind + 3, VARINT, varint(int(value)))


def _bytes(value: Value) -> bytes:
    assert isinstance(value, bytes), "a metric of type BYTES has bytes"
    return value


def kind_of_value(value: Value) -> MetricType:
    """The type that a value has unless a row says another: whole numbers are INT32."""
    match value:
        case bool():
            return BOOL
        case int():
            return INT32
        case float():
            return DOUBLE
        case str():
            return STRING
        case _:
            return BYTES


def metric(name: str, value: Value, kind: MetricType | None = None) -> bytes:
    """One metric, with its field number."""
    kind = kind_of_value(value) if kind is None else kind
    members = numbered(NAME, LENGTH, name.encode()) + numbered(TYPE, VARINT, varint(kind)) + value_field(kind, value)
    return numbered(METRIC, LENGTH, members)


def metrics_of(values: Mapping[str, Value]) -> bytes:
    """Several, in the order in which they are given."""
    return b"".join(metric(name, value) for name, value in values.items())


def payload(
    values: Mapping[str, Value] | None = None, *more: bytes, body: bytes | None = None, timestamp_ms: int | None = None
) -> bytes:
    """A whole payload; `more` are further fields as bytes, behind the metrics."""
    head = b"" if timestamp_ms is None else numbered(TIMESTAMP, VARINT, varint(timestamp_ms))
    tail = b"" if body is None else numbered(BODY, LENGTH, body)
    return head + metrics_of(values or {}) + b"".join(more) + tail


def compressed(data: bytes) -> bytes:
    """The same bytes for the same payload."""
    return gzip.compress(data, mtime=0)


# -- reading


def read_payload(data: bytes) -> HeardPayload:
    """What a payload says, unpacked if need be. Raises ValueError for what is none."""
    metrics: dict[str, tuple[int, Value]] = {}
    position: set[int] | None = None
    body, timestamp_ms = b"", None
    for number, content in fields_of(unpacked(data)):
        match number, content:
            case (1, int()):
                timestamp_ms = _signed(content)
            case (5000, bytes()):
                name, kind, value = _read_metric(content)
                metrics[name] = (kind, value)
            case (5001, bytes()):
                body = content
            case (2, bytes()):
                position = (position or set()) | {field for field, one in fields_of(content) if isinstance(one, bytes)}
            case _:
                continue
    if position is not None and not {1, 2} <= position:
        raise ValueError("a position without latitude or longitude")
    return HeardPayload(metrics, body, timestamp_ms)


def unpacked(data: bytes) -> bytes:
    """Raises ValueError for what begins like gzip and is none, or is very large."""
    if not data.startswith(GZIP):
        return data
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unpacking.decompress(data, MOST_BYTES)
    except zlib.error as wrong:
        raise ValueError(f"begins like gzip and is none ({wrong})") from None
    if not unpacking.eof:
        raise ValueError("gzip that is cut off, or too large")
    return plain


def fields_of(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, content): varints as numbers, all else as bytes. Raises ValueError."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        match tag & 7:
            case 0:
                content: int | bytes
                content, at = _read_varint(data, at)
            case 1 | 5 as fixed:
                content, at = _take(data, at, 8 if fixed == EIGHT_BYTES else 4)
            case 2:
                size, at = _read_varint(data, at)
                content, at = _take(data, at, size)
            case other:
                raise ValueError(f"wire type {other}")
        yield tag >> 3, content


def _read_metric(data: bytes) -> tuple[str, int, Value]:
    found = dict(fields_of(data))
    name, kind = found.get(NAME), found.get(TYPE)
    if not isinstance(name, bytes) or not isinstance(kind, int) or kind not in list(MetricType):
        raise ValueError("a metric without a name, or of no type")
    return name.decode(), kind, READERS[MetricType(kind)](found.get(kind + 3))


def _whole_number(content: int | bytes | None) -> int:
    return _signed(content) if isinstance(content, int) else 0


def _unpack(layout: str) -> Callable[[int | bytes | None], Value]:
    size = struct.calcsize(layout)
    return lambda content: (
        struct.unpack(layout, content)[0] if isinstance(content, bytes) and len(content) == size else 0.0
    )


READERS: Final[Mapping[MetricType, Callable[[int | bytes | None], Value]]] = {
    DOUBLE: _unpack("<d"),
    FLOAT: _unpack("<f"),
    INT64: _whole_number,
    INT32: lambda content: ((_whole_number(content) + (1 << 31)) & 0xFFFF_FFFF) - (1 << 31),
    BOOL: lambda content: bool(content) if isinstance(content, int) else False,
    STRING: lambda content: content.decode() if isinstance(content, bytes) else "",
    BYTES: lambda content: content if isinstance(content, bytes) else b"",
}
"""What a value field holds; without one the value is that of nothing."""


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return number & (1 << 64) - 1, at
    raise ValueError("a number that is cut off, or too long")


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise ValueError("a field that is cut off")
    return data[at : at + size], at + size
