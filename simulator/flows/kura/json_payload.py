"""KuraPayload as JSON (`payload.encoding` = `simple-json`, spec 2.7): for people, and lossy in its types."""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from typing import Any, Final

from fleetrig.simulator.flows.kura.payload import KuraPayload, Metric, MetricType, Position

MEMBERS: Final = {name.lower(): name for name in ("sentOn", "position", "metrics", "body")}
POSITION_MEMBERS: Final = (
    "latitude", "longitude", "altitude", "heading", "precision", "satellites", "speed", "timestamp", "status",
)  # fmt: skip
WHOLE_MEMBERS: Final = frozenset({"satellites", "timestamp", "status"})
LONG_BITS: Final = 63


class NotUnderstood(Exception):
    """A member that no payload has, or a value that no metric can have: the whole text is taken for a body."""


def encode(payload: KuraPayload) -> bytes:
    """Numbers that are not finite are left out."""
    made: list[str] = []
    if payload.timestamp_ms is not None:
        made.append(f'"sentOn":{payload.timestamp_ms}')
    if payload.position is not None:
        made.append(f'"position":{{{",".join(_position_members(payload.position))}}}')
    metrics = (f"{_quoted(name)}:{text}" for name, one in payload.metrics.items() if (text := _value(one)) is not None)
    made.append(f'"metrics":{{{",".join(metrics)}}}')
    if payload.body is not None:
        made.append(f'"body":"{base64.b64encode(payload.body).decode()}"')
    return f"{{{','.join(made)}}}".encode()


def decode(data: bytes) -> KuraPayload | None:
    """None for what is no JSON object; a text with something unknown in it is the body."""
    try:
        document = json.loads(data)
        if not isinstance(document, dict):
            return None
        return _read(document)
    except NotUnderstood:
        return KuraPayload(body=data)
    except (ValueError, RecursionError):
        return None


def _read(document: dict[str, Any]) -> KuraPayload:
    members = {MEMBERS.get(name.lower(), name): value for name, value in document.items()}
    if members.keys() - set(MEMBERS.values()):
        raise NotUnderstood
    sent_on, body = members.get("sentOn"), members.get("body")
    return KuraPayload(
        sent_on if isinstance(sent_on, int) and not isinstance(sent_on, bool) else None,
        _read_position(members["position"]) if "position" in members else None,
        _read_metrics(members.get("metrics", {})),
        _read_body(body) if body is not None else None,
    )


def _read_body(body: Any) -> bytes:
    if not isinstance(body, str):
        raise NotUnderstood
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotUnderstood from error


def _read_metrics(metrics: Any) -> dict[str, Metric]:
    if not isinstance(metrics, dict):
        raise NotUnderstood
    return {name: _read_metric(value) for name, value in metrics.items()}


def _read_metric(value: Any) -> Metric:
    match value:
        case bool():
            return Metric(MetricType.BOOL, value)
        case int() if -(1 << LONG_BITS) <= value < 1 << LONG_BITS:
            return Metric(MetricType.INT64, value)
        case int() | float():
            return Metric(MetricType.DOUBLE, float(value))
        case str():
            return Metric(MetricType.STRING, value)
        case _:
            raise NotUnderstood


def _read_position(position: Any) -> Position:
    if not isinstance(position, dict):
        raise NotUnderstood
    members = {name.lower(): value for name, value in position.items()}
    numbers = all(isinstance(value, int | float) for value in members.values())
    if members.keys() - set(POSITION_MEMBERS) or not numbers:
        raise NotUnderstood
    values: dict[str, Any] = {name: one if name in WHOLE_MEMBERS else float(one) for name, one in members.items()}
    return Position(**values)


def _position_members(position: Position) -> list[str]:
    found = ((name, getattr(position, name)) for name in POSITION_MEMBERS)
    return [f'"{name}":{_number(value)}' for name, value in found if value is not None and math.isfinite(value)]


def _value(metric: Metric) -> str | None:
    """None for what is left out."""
    match metric.type, metric.value:
        case MetricType.BOOL, value:
            return "true" if value else "false"
        case MetricType.STRING, str(text):
            return _quoted(text)
        case MetricType.BYTES, bytes(data):
            return f'"{base64.b64encode(data).decode()}"'
        case MetricType.FLOAT, float(number):
            return _number(_shortest(number)) if math.isfinite(number) else None
        case _, float(number):
            return _number(number) if math.isfinite(number) else None
        case _, number:
            return str(number)


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _shortest(number: float) -> float:
    """The shortest number that is the same in four bytes."""
    wanted = struct.pack("<f", number)
    texts = (f"{number:.{digits}g}" for digits in range(1, 10))
    return next(float(text) for text in texts if struct.pack("<f", float(text)) == wanted)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
