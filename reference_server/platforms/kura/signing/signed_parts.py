"""What a signature covers (spec 3.6): topic, client id, time, metrics and body, as a sequence of parts with lengths."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final

from fleetrig.reference_server.platforms.kura.payload.payload import Metric, ValueType

SIG_ALG: Final = "sig.alg"
SIG_ALIAS: Final = "sig.alias"
SIG_TIME: Final = "sig.time"
SIG_VALUE: Final = "sig.value"
LENGTH: Final = struct.Struct(">I")
DOUBLE: Final = struct.Struct(">d")
FLOAT: Final = struct.Struct(">f")


def signed_bytes(application_topic: str, client_id: str, metrics: Mapping[str, Metric], body: bytes | None) -> bytes:
    """`metrics` hold `sig.time`; a `sig.value` among them is left out."""
    parts = _parts(application_topic, client_id, metrics, body or b"")
    return b"".join(piece for part in parts for piece in (LENGTH.pack(len(part)), part))


def _parts(application_topic: str, client_id: str, metrics: Mapping[str, Metric], body: bytes) -> Iterator[bytes]:
    yield application_topic.encode()
    yield client_id.encode()
    yield _text(metrics[SIG_TIME])
    by_name = sorted((name.encode(), metric) for name, metric in metrics.items() if name != SIG_VALUE)
    for name, metric in by_name:
        yield name
        yield str(int(metric.type)).encode()
        yield _text(metric)
    yield body


def _text(metric: Metric) -> bytes:
    value = metric.value
    match metric.type:
        case ValueType.DOUBLE:
            return DOUBLE.pack(value).hex().encode()
        case ValueType.FLOAT:
            return FLOAT.pack(value).hex().encode()
        case ValueType.BOOL:
            return b"true" if value else b"false"
        case ValueType.BYTES:
            return bytes(value).hex().encode()  # type: ignore[arg-type]
        case _:
            return str(value).encode()
