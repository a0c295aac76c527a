"""An envelope as JSON, and back.

    {"response": {"status": 401, "headers": [["Pragma", "no-cache"]], "body": "text"}}
    {"connect": {"client_id": "gw-7", "user_name": "…", "password": "token:1f3a"}}
    {"publish": {"topic": "a/b", "payload": {"base64": "/w=="}, "qos": 1, "packet_id": 4}}
    {"coap_request": {"method": "POST", "origin": "coap://h", "target": "/a", "payload": "text", "token": "t"}}

The keys are the fields of the envelope; those that have their default are left out, and `body` and `headers` that are
empty. Bytes are text when they are UTF-8, else `{"base64": …}`; what lay in a file is `{"file_bytes": n}`, and a body
in parts is a list of these. Among the properties of MQTT 5, bytes are `{"bytes": …}`. Secrets are masked by value; but
for them, and the content of files, nothing is lost.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, NamedTuple

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import Body, FileSlice, Headers, HttpRequest, HttpResponse
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    MqttWill,
    PropertyValue,
    PublishAckKind,
    Subscription,
)

KINDS: Final[Mapping[str, type[Any]]] = {
    "connect": MqttConnect,
    "connack": MqttConnack,
    "publish": MqttPublish,
    "publish_ack": MqttPublishAck,
    "subscribe": MqttSubscribe,
    "suback": MqttSuback,
    "unsubscribe": MqttUnsubscribe,
    "unsuback": MqttUnsuback,
    "pingreq": MqttPingreq,
    "pingresp": MqttPingresp,
    "disconnect": MqttDisconnect,
    "auth": MqttAuth,
    "coap_request": CoapRequest,
    "coap_response": CoapResponse,
    "coap_reset": CoapReset,
}
"""Those whose fields are written as they are; HTTP has `request` and `response`."""

MOST_STATUS: Final = 65_535
"""Some servers say odd numbers; none says more."""

NAMES: Final = {kind: name for name, kind in KINDS.items()}


class FieldForm(NamedTuple):
    """How a field is written and read."""

    write: Callable[[Any, Secrets], Any]
    read: Callable[[Any], Any]


def envelope_to_json(envelope: Envelope, secrets: Secrets) -> dict[str, Any]:
    match envelope:
        case HttpRequest():
            return {"request": _request(envelope, secrets)}
        case HttpResponse():
            return {"response": {"status": envelope.status, **_message(envelope.headers, envelope.body, secrets)}}
        case _:
            return {NAMES[type(envelope)]: _fields(envelope, secrets)}


def envelope_from_json(found: Mapping[str, Any]) -> Envelope:
    """Raises KeyError, TypeError or ValueError for what is no envelope."""
    if not isinstance(found, dict):
        raise TypeError("the envelope is no mapping")
    ((name, document),) = found.items()
    match name:
        case "request":
            headers, body = _headers_and_body(document)
            method, origin, target = (_text(document[key]) for key in ("method", "origin", "target"))
            return HttpRequest(method, origin, target, headers, body)
        case "response":
            return HttpResponse(_status(document["status"]), *_headers_and_body(document))
        case _:
            envelope: Envelope = _read(KINDS[name], document)
            return envelope


# HTTP


def _request(request: HttpRequest, secrets: Secrets) -> dict[str, Any]:
    target, message = secrets.hide(request.target), _message(request.headers, request.body, secrets)
    return {"method": request.method, "origin": request.origin, "target": target, **message}


def _message(headers: Headers, body: Body, secrets: Secrets) -> dict[str, Any]:
    message: dict[str, Any] = {}
    if headers:
        message["headers"] = [(name, secrets.hide(value)) for name, value in headers]
    if body:
        parts = [_part(part, secrets) for part in body] if isinstance(body, tuple) else _part(body, secrets)
        message["body"] = parts
    return message


def _part(part: bytes | FileSlice, secrets: Secrets) -> str | dict[str, Any]:
    return {"file_bytes": part.length_bytes} if isinstance(part, FileSlice) else _write_bytes(part, secrets)


def _headers_and_body(message: Mapping[str, Any]) -> tuple[Headers, Body]:
    headers = tuple((_text(name), _text(value)) for name, value in message.get("headers", ()))
    body = message.get("body", "")
    return headers, tuple(map(_body_part, body)) if isinstance(body, list) else _body_part(body)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _status(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_STATUS:
        raise TypeError(f"{value!r} is no status")
    return value


def _body_part(part: Any) -> bytes | FileSlice:
    is_file = isinstance(part, dict) and "file_bytes" in part
    return FileSlice("", 0, part["file_bytes"]) if is_file else _read_bytes(part)


# MQTT and CoAP


def _fields(value: Any, secrets: Secrets) -> dict[str, Any]:
    document = {}
    for field in fields(value):
        content = getattr(value, field.name)
        if field.default is MISSING or content != field.default:
            document[field.name] = FORMS.get(field.name, PLAIN).write(content, secrets)
    return document


def _read(kind: type[Any], document: Mapping[str, Any]) -> Any:
    return kind(**{name: FORMS.get(name, PLAIN).read(content) for name, content in document.items()})


def _write_plain(value: Any, secrets: Secrets) -> Any:
    return secrets.hide(value) if isinstance(value, str) else value


def _write_bytes(value: bytes, secrets: Secrets) -> str | dict[str, Any]:
    try:
        return secrets.hide(value.decode("utf-8"))
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(secrets.hide_bytes(value)).decode("ascii")}


def _read_bytes(value: Any) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else base64.b64decode(value["base64"], validate=True)


def _write_property(value: PropertyValue, secrets: Secrets) -> Any:
    match value:
        case bytes():
            return {"bytes": _write_bytes(value, secrets)}
        case tuple():
            return [secrets.hide(text) for text in value]
        case _:
            return _write_plain(value, secrets)


def _read_property(value: Any) -> PropertyValue:
    match value:
        case {"bytes": text}:
            return _read_bytes(text)
        case [name, text]:
            return name, text
        case int() | str():
            return value
        case _:
            raise ValueError(f"no property has the value {value!r}")


def _same(value: Any) -> Any:
    return value


PLAIN: Final = FieldForm(_write_plain, _same)
BYTES: Final = FieldForm(_write_bytes, _read_bytes)

FORMS: Final[Mapping[str, FieldForm]] = {
    "payload": BYTES,
    "password": BYTES,
    "token": BYTES,
    "version": FieldForm(lambda version, _: int(version), MqttVersion),
    "kind": FieldForm(lambda kind, _: kind.name, PublishAckKind.__getitem__),
    "codes": FieldForm(lambda codes, _: list(codes), tuple),
    "topic_filters": FieldForm(lambda filters, secrets: [secrets.hide(text) for text in filters], tuple),
    "subscriptions": FieldForm(
        lambda wanted, secrets: [_fields(one, secrets) for one in wanted],
        lambda wanted: tuple(_read(Subscription, one) for one in wanted),
    ),
    "will": FieldForm(_fields, lambda will: _read(MqttWill, will)),
    "properties": FieldForm(
        lambda pairs, secrets: [[name, _write_property(value, secrets)] for name, value in pairs],
        lambda pairs: tuple((name, _read_property(value)) for name, value in pairs),
    ),
    "options": FieldForm(
        lambda pairs, secrets: [[number, _write_bytes(value, secrets)] for number, value in pairs],
        lambda pairs: tuple((number, _read_bytes(value)) for number, value in pairs),
    ),
}
"""By the field's name, which means the same in all envelopes; all others are numbers, truth values or texts."""
