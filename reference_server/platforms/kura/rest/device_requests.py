"""Any request to any application of a device: `POST /v1/{scope}/devices/{device}/requests` (spec 5.5)."""

from __future__ import annotations

import binascii
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from fleetrig.reference_server.platform import HeldRequest
from fleetrig.reference_server.platforms.kura.payload.payload import KuraPayload, Metric, MetricValue, ValueType
from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.device_outcomes import Asked, ask_device
from fleetrig.reference_server.platforms.kura.rest.devices import wanted_device
from fleetrig.reference_server.platforms.kura.rest.forms import inner, needed_text, objects, text, texts, word, wrong
from fleetrig.reference_server.platforms.kura.rest.replies import Reply, date
from fleetrig.reference_server.platforms.kura.state.device_records import Device
from fleetrig.reference_server.platforms.kura.state.errors import illegal, missing_argument
from fleetrig.simulator.contract.clock import US_PER_MS

METHODS: Final = {"READ": "GET", "CREATE": "POST", "WRITE": "PUT", "DELETE": "DEL", "EXECUTE": "EXEC"}
MEANINGS: Final = {200: "ACCEPTED", 400: "BAD_REQUEST", 404: "NOT_FOUND", 500: "INTERNAL_ERROR"}
MOST_BODY_CHARS: Final = 1 << 24
IDS: Final = frozenset({"request.id", "requester.client.id"})


def send(call: Call) -> HeldRequest:
    asked = call.document
    channel, payload = inner(asked, "channel"), inner(asked, "payload")
    app_name, version = needed_text(channel, "appName"), text(channel, "version")
    method = word(channel, "method", tuple(METHODS))
    if method is None:
        raise missing_argument("channel.method")
    parts = [*texts(channel, "resources"), *texts(channel, "semanticParts")]
    app_id = f"{app_name}-{version}" if version else app_name
    for part in (app_id, *parts):
        if not part or any(letter in part for letter in "/+#\0"):
            raise illegal("channel", part[:80], "its parts become parts of a topic: no / + # and none empty")
    metrics = dict(_metric(one) for one in objects(payload, "metrics"))
    device = wanted_device(call)
    request = Asked(app_id, METHODS[method], "/".join(parts), metrics, _body(payload))
    return ask_device(call, device, request, _shown(call, device, app_name, version or ""), takes_any_code=True)


def _body(payload: Mapping[str, Any]) -> bytes | None:
    said = text(payload, "body", MOST_BODY_CHARS)
    if said is None:
        return None
    try:
        return b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        raise wrong("payload.body", "Base64", said) from None


def _metric(said: Mapping[str, Any]) -> tuple[str, Metric]:
    name, kind = needed_text(said, "name"), said.get("valueType")
    if name in IDS:
        raise illegal("payload.metrics", name, "the server sets the ids of a request itself")
    read = READERS.get(str(kind))
    if read is None:
        raise wrong("valueType", " or ".join(READERS), kind)
    value_type, parse = read
    said_value = needed_text(said, "value", MOST_BODY_CHARS)
    try:
        return name, Metric(value_type, parse(said_value))
    except (ValueError, OverflowError):
        raise wrong(name, str(kind), said_value) from None


def _whole(bits: int) -> Callable[[str], MetricValue]:
    def parse(said: str) -> MetricValue:
        if len(said) > 20 or not -(1 << bits - 1) <= (number := int(said)) < 1 << bits - 1:
            raise ValueError
        return number

    return parse


def _fraction(most: float) -> Callable[[str], MetricValue]:
    def parse(said: str) -> MetricValue:
        number = float(said)
        if math.isfinite(number) and abs(number) > most:
            raise ValueError
        return number

    return parse


def _truth(said: str) -> MetricValue:
    if said.lower() not in ("true", "false"):
        raise ValueError
    return said.lower() == "true"


MOST_FLOAT: Final = 3.4028234663852886e38
READERS: Final[Mapping[str, tuple[ValueType, Callable[[str], MetricValue]]]] = {
    "string": (ValueType.STRING, str),
    "integer": (ValueType.INT32, _whole(32)),
    "int": (ValueType.INT32, _whole(32)),
    "long": (ValueType.INT64, _whole(64)),
    "float": (ValueType.FLOAT, _fraction(MOST_FLOAT)),
    "double": (ValueType.DOUBLE, _fraction(math.inf)),
    "boolean": (ValueType.BOOL, _truth),
    "binary": (ValueType.BYTES, lambda said: b64decode(said, validate=True)),
    "base64Binary": (ValueType.BYTES, lambda said: b64decode(said, validate=True)),
}
"""Kapua's names of types."""
NAMES: Final = {
    ValueType.STRING: "string",
    ValueType.INT32: "integer",
    ValueType.INT64: "long",
    ValueType.FLOAT: "float",
    ValueType.DOUBLE: "double",
    ValueType.BOOL: "boolean",
    ValueType.BYTES: "binary",
}


def _shown(call: Call, device: Device, app_name: str, version: str) -> Callable[[KuraPayload], Reply]:
    """Whatever the device has answered, its code too."""

    def shown(reply: KuraPayload) -> Reply:
        sent = None if reply.timestamp_ms is None else _date(reply.timestamp_ms)
        document = {
            "type": "genericResponseMessage",
            "scopeId": device.scope_id,
            "deviceId": device.id,
            "clientId": device.client_id,
            "receivedOn": date(call.now_us),
            "sentOn": sent,
            "capturedOn": sent,
            "channel": {"appName": app_name, "version": version},
            "payload": _payload(reply),
            "responseCode": MEANINGS.get(reply.response_code or 0),
        }
        return Reply({name: value for name, value in document.items() if value is not None})

    return shown


def _payload(reply: KuraPayload) -> dict[str, Any]:
    metrics = [
        {"valueType": NAMES[metric.type], "value": _text(metric.value), "name": name}
        for name, metric in reply.metrics.items()
    ]
    body = {} if reply.body is None else {"body": b64encode(reply.body).decode("ascii")}
    return {"metrics": metrics, **body}


def _text(value: MetricValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return b64encode(value).decode("ascii")
    return str(value)


def _date(time_ms: int) -> str | None:
    return date(time_ms * US_PER_MS) if 0 <= time_ms < 253_402_300_800_000 else None
