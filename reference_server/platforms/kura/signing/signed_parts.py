"""What a signature covers (spec 3.6): topic, client id, time, metrics and body, as a sequence of parts with lengths."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from fleetrig.reference_server.platforms.kura.payload.payload import Metric, ValueType

SIG_ALG: Final = "sig.alg"
SIG_ALIAS: Final = "sig.alias"
SIG_TIME: Final = "sig.time"
SIG_VALUE: Final = "sig.value"
SIGNATURE: Final = SIG_VALUE.encode()
TYPE_NUMBERS: Final = {one: str(int(one)).encode() for one in ValueType}
LENGTH: Final = struct.Struct(">I")
DOUBLE: Final = struct.Struct(">d")
FLOAT: Final = struct.Struct(">f")


def signed_bytes(application_topic: str, client_id: str, metrics: Mapping[str, Metric], body: bytes | None) -> bytes:
    """`metrics` hold `sig.time`; a `sig.value` among them is left out."""
    parts = [application_topic.encode(), client_id.encode(), _text(metrics[SIG_TIME])]
    for name, metric in sorted([(name.encode(), metric) for name, metric in metrics.items()], key=_name_of):
        if name != SIGNATURE:
            parts += (name, TYPE_NUMBERS[metric.type], _text(metric))
    parts.append(body or b"")
    pieces: list[bytes] = []
    for part in parts:
        pieces += (LENGTH.pack(len(part)), part)
    return b"".join(pieces)


def _name_of(named: tuple[bytes, Metric]) -> bytes:
    return named[0]


def _text(metric: Metric) -> bytes:
    value = metric.value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value.hex().encode()
    match metric.type:
        case ValueType.BOOL:
            return b"true" if value else b"false"
        case ValueType.DOUBLE:
            return DOUBLE.pack(value).hex().encode()
        case ValueType.FLOAT:
            return FLOAT.pack(value).hex().encode()
        case _:
            return str(value).encode()
