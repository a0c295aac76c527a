"""KuraPayload as bytes, both ways: protobuf, plain or in gzip (spec 2.3, 2.4)."""

from __future__ import annotations

import re
from typing import Any, Final

from google.protobuf.message import DecodeError

from fleetrig.reference_server.platforms.kura.payload.gzip_rule import MAGIC, NoGzip, compressed_if_shorter, opened
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    KuraPosition,
    Metric,
    MetricValue,
    ValueType,
)
from fleetrig.reference_server.platforms.kura.payload.schema import PayloadMessage
from fleetrig.simulator.contract.bounds import Bound

VALUE_FIELDS: Final = (
    "double_value",
    "float_value",
    "long_value",
    "int_value",
    "bool_value",
    "string_value",
    "bytes_value",
)
"""By the number of the type."""
TYPES: Final = tuple(ValueType)
POSITION_NAMES: Final = ("latitude", "longitude", "altitude", "precision", "heading", "speed", "satellites", "status")
"""Fields that are called the same on the wire and here; the time is not."""

METRICS: Final = Bound(65_536, "metrics of a message", "gateways send dozens, and each takes time to read")

SURROGATES: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
"""Half of a pair of UTF-16 in what looks like UTF-8: Java reads one wrong letter there, Python three."""
WRONG_LETTER: Final = "\N{REPLACEMENT CHARACTER}".encode()


class Unencodable(ValueError):
    """A payload that real encoders refuse as a whole; says why."""


def decode(data: bytes) -> KuraPayload:
    """Never raises: what is no payload becomes its body (2.4)."""
    plain = data
    if data.startswith(MAGIC):
        try:
            plain = opened(data)
        except NoGzip as error:
            return KuraPayload(body=data, undecodable=str(error))
    message = PayloadMessage()
    try:
        message.ParseFromString(plain)
    except DecodeError:
        return KuraPayload(body=data, undecodable="the bytes are no KuraPayload")
    if not message.IsInitialized():
        missing = ", ".join(message.FindInitializationErrors())
        return KuraPayload(body=data, undecodable=f"a KuraPayload without required fields: {missing[:200]}")
    if len(message.metric) > METRICS.most:
        return KuraPayload(body=data, undecodable=f"expected {METRICS}")
    return _payload(message)


def encode(payload: KuraPayload, *, gzip: bool = False) -> bytes:
    """Metrics in their order. `gzip`: compressed if that is shorter. Raises Unencodable."""
    message = PayloadMessage()
    if payload.timestamp_ms is not None:
        message.timestamp = payload.timestamp_ms
    if payload.position is not None:
        _put_position(message.position, payload.position)
    add = message.metric.add
    try:
        for name, metric in payload.metrics.items():
            _put_metric(add(), name, metric)
    except (TypeError, ValueError) as error:
        raise Unencodable(f"a metric holds what its type does not: {error}") from None
    if payload.body is not None:
        message.body = payload.body
    plain: bytes = message.SerializeToString()
    return compressed_if_shorter(plain) if gzip else plain


def text_of(data: bytes) -> str:
    """What is no UTF-8 becomes U+FFFD, as often as in Java."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return SURROGATES.sub(WRONG_LETTER, data).decode("utf-8", "replace")


def _payload(message: Any) -> KuraPayload:
    metrics = {}
    for one in message.metric:
        kind = TYPES[one.type]
        value: MetricValue = getattr(one, VALUE_FIELDS[kind])
        if kind is ValueType.STRING and isinstance(value, bytes):
            value = text_of(value)
        metrics[text_of(one.name)] = Metric(kind, value)
    return KuraPayload(
        message.timestamp if message.HasField("timestamp") else None,
        _position(message.position) if message.HasField("position") else None,
        metrics,
        message.body if message.HasField("body") else None,
    )


def _position(message: Any) -> KuraPosition:
    known = {name: getattr(message, name) for name in POSITION_NAMES if message.HasField(name)}
    return KuraPosition(timestamp_ms=message.timestamp if message.HasField("timestamp") else None, **known)


def _put_position(message: Any, position: KuraPosition) -> None:
    if position.latitude is None or position.longitude is None:
        raise Unencodable("a position needs latitude and longitude")
    for name in POSITION_NAMES:
        value = getattr(position, name)
        if value is not None:
            setattr(message, name, value)
    if position.timestamp_ms is not None:
        message.timestamp = position.timestamp_ms


def _put_metric(message: Any, name: str, metric: Metric) -> None:
    value = metric.value
    message.name = name.encode("utf-8", "replace")
    message.type = metric.type
    setattr(message, VALUE_FIELDS[metric.type], value.encode("utf-8", "replace") if isinstance(value, str) else value)
