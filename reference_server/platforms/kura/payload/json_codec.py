"""KuraPayload as `simple-json`, both ways (spec 2.7). Provisioning takes protobuf only (section 6, row 13)."""

from __future__ import annotations

import binascii
import json
import math
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from fleetrig.reference_server.platforms.kura.payload.codec import Unencodable
from fleetrig.reference_server.platforms.kura.payload.payload import (
    KuraPayload,
    KuraPosition,
    Metric,
    MetricValue,
    ValueType,
)

FRACTIONS: Final = ("latitude", "longitude", "altitude", "precision", "heading", "speed")
WHOLES: Final = ("timestamp", "satellites", "status")
ORDER: Final = (
    "latitude",
    "longitude",
    "altitude",
    "heading",
    "precision",
    "satellites",
    "speed",
    "timestamp",
    "status",
)
LONG_BITS: Final = 63
EXACT: Final = 1e15
"""Whole numbers below are written without a fraction."""


class NoJsonObject(ValueError):
    """Text that is no JSON object: real gateways lose such a message."""


class _Unknown(Exception):
    """A member that nobody knows: the whole text becomes the body."""


def decode_json(text: bytes) -> KuraPayload:
    """Raises NoJsonObject."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise NoJsonObject("the text is no JSON") from None
    if not isinstance(document, dict):
        raise NoJsonObject("the text is no JSON object")
    try:
        return _payload({name.lower(): value for name, value in document.items()})
    except _Unknown as unknown:
        return KuraPayload(body=text, undecodable=str(unknown))


def encode_json(payload: KuraPayload) -> bytes:
    """Numbers that are none are left out. Raises Unencodable for a number of a metric that JSON cannot say."""
    document: dict[str, Any] = {}
    if payload.timestamp_ms is not None:
        document["sentOn"] = payload.timestamp_ms
    if payload.position is not None:
        document["position"] = _position_members(payload.position)
    document["metrics"] = {
        name: _written(metric) for name, metric in payload.metrics.items() if not _is_no_number(metric.value)
    }
    if payload.body is not None:
        document["body"] = b64encode(payload.body).decode("ascii")
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _payload(document: Mapping[str, Any]) -> KuraPayload:
    unknown = document.keys() - {"senton", "position", "metrics", "body"}
    if unknown:
        raise _Unknown(f"JSON with the unknown member {min(unknown)[:40]!r}")
    sent = document.get("senton")
    is_time = isinstance(sent, int) and not isinstance(sent, bool)
    return KuraPayload(
        sent if is_time else None,
        _position(document["position"]) if "position" in document else None,
        {name: _metric(name, value) for name, value in _object(document.get("metrics", {})).items()},
        _body(document["body"]) if "body" in document else None,
    )


def _metric(name: str, value: Any) -> Metric:
    match value:
        case bool():
            return Metric(ValueType.BOOL, value)
        case int() if -(1 << LONG_BITS) <= value < 1 << LONG_BITS:
            return Metric(ValueType.INT64, value)
        case int():
            return Metric(ValueType.DOUBLE, _double(value))
        case float():
            return Metric(ValueType.DOUBLE, value)
        case str():
            return Metric(ValueType.STRING, value)
    raise _Unknown(f"JSON whose metric {name[:40]!r} is no number, text or truth value")


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _position(value: Any) -> KuraPosition:
    said = {name.lower(): one for name, one in _object(value).items()}
    if said.keys() - {*FRACTIONS, *WHOLES}:
        raise _Unknown("JSON with an unknown member of the position")
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in said.values())
    if not numbers:
        raise _Unknown("JSON whose position holds more than numbers")
    try:
        fractions = {name: float(said[name]) for name in FRACTIONS if name in said}
        wholes = {("timestamp_ms" if name == "timestamp" else name): int(said[name]) for name in WHOLES if name in said}
    except (OverflowError, ValueError):
        raise _Unknown("JSON whose position holds numbers that are too large") from None
    return KuraPosition(**fractions, **wholes)  # type: ignore[arg-type]


def _body(value: Any) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise _Unknown("JSON whose body is no Base64") from None


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Unknown("JSON with a member that should be an object")
    return value


def _position_members(position: KuraPosition) -> dict[str, Any]:
    found = {name: getattr(position, "timestamp_ms" if name == "timestamp" else name) for name in ORDER}
    return {
        name: _plain(value) if isinstance(value, float) else value
        for name, value in found.items()
        if value is not None and not _is_no_number(value)
    }


def _written(metric: Metric) -> Any:
    match metric.type, metric.value:
        case _, bytes() as octets:
            return b64encode(octets).decode("ascii")
        case ValueType.FLOAT, float() as number:
            return _plain(_shortest(number))
        case _, float() as number:
            return _plain(number)
    return metric.value


def _plain(number: float) -> float:
    return int(number) if number.is_integer() and abs(number) < EXACT else number


def _shortest(number: float) -> float:
    """The shortest decimal that is this float of 32 bits."""
    try:
        wanted = struct.pack(">f", number)
    except OverflowError:
        raise Unencodable("a FLOAT metric holds what 32 bits do not") from None
    return next(one for digits in range(1, 10) if struct.pack(">f", one := float(f"{number:.{digits}g}")) == wanted)


def _is_no_number(value: MetricValue) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
