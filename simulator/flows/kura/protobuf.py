"""KuraPayload in protobuf, as a gateway writes and reads it (spec 2.3).

The schema is built here from the field numbers. Texts are declared as bytes, which look the same on the wire: a text
with bytes that are no UTF-8 is read with U+FFFD in their place, and not refused. `name`, `type`, `latitude` and
`longitude` are required, so a message without one of them cannot be read at all.
"""

from __future__ import annotations

import re
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, MetricValue, Position

PACKAGE: Final = "kura_gateway"
OPTIONAL, REQUIRED, REPEATED = 1, 2, 3
DOUBLE, FLOAT, INT64, INT32, BOOL, MESSAGE, BYTES, ENUM = 1, 2, 3, 5, 8, 11, 12, 14
"""Of `FieldDescriptorProto.Type`."""

POSITION_FIELDS: Final = (
    ("latitude", 1, REQUIRED, DOUBLE, ""), ("longitude", 2, REQUIRED, DOUBLE, ""),
    ("altitude", 3, OPTIONAL, DOUBLE, ""), ("precision", 4, OPTIONAL, DOUBLE, ""),
    ("heading", 5, OPTIONAL, DOUBLE, ""), ("speed", 6, OPTIONAL, DOUBLE, ""),
    ("timestamp", 7, OPTIONAL, INT64, ""), ("satellites", 8, OPTIONAL, INT32, ""), ("status", 9, OPTIONAL, INT32, ""),
)  # fmt: skip
METRIC_FIELDS: Final = (
    ("name", 1, REQUIRED, BYTES, ""), ("type", 2, REQUIRED, ENUM, "ValueType"),
    ("double_value", 3, OPTIONAL, DOUBLE, ""), ("float_value", 4, OPTIONAL, FLOAT, ""),
    ("long_value", 5, OPTIONAL, INT64, ""), ("int_value", 6, OPTIONAL, INT32, ""),
    ("bool_value", 7, OPTIONAL, BOOL, ""), ("string_value", 8, OPTIONAL, BYTES, ""),
    ("bytes_value", 9, OPTIONAL, BYTES, ""),
)  # fmt: skip
PAYLOAD_FIELDS: Final = (
    ("timestamp", 1, OPTIONAL, INT64, ""), ("position", 2, OPTIONAL, MESSAGE, "KuraPosition"),
    ("metric", 5000, REPEATED, MESSAGE, "KuraMetric"), ("body", 5001, OPTIONAL, BYTES, ""),
)  # fmt: skip
VALUE_FIELDS: Final = {
    MetricType.DOUBLE: "double_value",
    MetricType.FLOAT: "float_value",
    MetricType.INT64: "long_value",
    MetricType.INT32: "int_value",
    MetricType.BOOL: "bool_value",
    MetricType.STRING: "string_value",
    MetricType.BYTES: "bytes_value",
}
HALF_PAIR: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
"""A surrogate written as if it were UTF-8: a gateway, in Java, has one U+FFFD for it, Python would have three."""
POSITION_NAMES: Final = tuple(name for name, *_ in POSITION_FIELDS)


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="kura_gateway.proto", package=PACKAGE, syntax="proto2")
    kinds = file.enum_type.add(name="ValueType")
    for kind in MetricType:
        kinds.value.add(name=kind.name, number=kind.value)
    for name, fields in (
        ("KuraPosition", POSITION_FIELDS), ("KuraMetric", METRIC_FIELDS), ("KuraPayload", PAYLOAD_FIELDS)
    ):  # fmt: skip
        kind_of = file.message_type.add(name=name)
        for field, number, label, type_, of in fields:
            made = kind_of.field.add(name=field, number=number, label=label, type=type_)
            if of:
                made.type_name = f".{PACKAGE}.{of}"
    # A pool of its own: the server beside it in the process has the same message by its own schema.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.KuraPayload"))


PAYLOAD: Final = _payload_class()


def encode(payload: KuraPayload) -> bytes:
    """Metrics in the order in which they are held.

    Raises ValueError for a number that its type cannot hold, and for a position without latitude or longitude.
    """
    made = PAYLOAD()
    if payload.timestamp_ms is not None:
        made.timestamp = payload.timestamp_ms
    if payload.position is not None:
        if payload.position.latitude is None or payload.position.longitude is None:
            raise ValueError("a position needs latitude and longitude")
        for name in POSITION_NAMES:
            if (value := getattr(payload.position, name)) is not None:
                setattr(made.position, name, value)
    for name, metric in payload.metrics.items():
        one = made.metric.add()
        one.name, one.type = name.encode("utf-8", "replace"), metric.type
        value = metric.value.encode("utf-8", "replace") if isinstance(metric.value, str) else metric.value
        setattr(one, VALUE_FIELDS[metric.type], value)
    if payload.body is not None:
        made.body = payload.body
    data: bytes = made.SerializePartialToString()
    return data


def decode(data: bytes) -> KuraPayload | None:
    """None for bytes that are no KuraPayload. A metric without its value has 0, false, or nothing."""
    read = PAYLOAD()
    try:
        read.ParseFromString(data)
    except message.DecodeError:
        return None
    if not read.IsInitialized():
        return None
    return KuraPayload(
        read.timestamp if read.HasField("timestamp") else None,
        _position(read.position) if read.HasField("position") else None,
        {read_text(one.name): _metric(one) for one in read.metric},
        read.body if read.HasField("body") else None,
    )


def read_text(data: bytes) -> str:
    """With U+FFFD for what is no UTF-8, as many as a gateway has."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return HALF_PAIR.sub("\ufffd".encode(), data).decode("utf-8", "replace")


def _position(read: Any) -> Position:
    return Position(**{name: getattr(read, name) for name in POSITION_NAMES if read.HasField(name)})


def _metric(read: Any) -> Metric:
    kind = MetricType(read.type)
    value: MetricValue = getattr(read, VALUE_FIELDS[kind])
    return Metric(kind, read_text(value) if isinstance(value, bytes) and kind is MetricType.STRING else value)
