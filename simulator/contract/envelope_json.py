"""An envelope as JSON, and back.

    {"response": {"status": 401, "headers": [["Pragma", "no-cache"]], "body": "text"}}
    {"connect": {"client_id": "gw-7", "user_name": "…", "password": "token:1f3a"}}
    {"publish": {"topic": "a/b", "payload": {"base64": "/w=="}, "qos": 1, "packet_id": 4}}
    {"coap_request": {"method": "POST", "origin": "coap://h", "target": "/a", "payload": "text", "token": "t"}}

The keys are the fields of the envelope; those that have their default are left out, and `body` and `headers` that are
empty. Bytes are text when they are UTF-8, else `{"base64": …}`; what lay in a file, or was made while it was sent, is
`{"file_bytes": n}`, and a body in parts is a list of these. Of more than `WHOLE_BYTES` about the first `HEAD_BYTES` are
kept, followed by `{"more_bytes": n, "sha256": …}` with the digest of all of it. Among the properties of MQTT 5, bytes
are `{"bytes": …}`. Secrets are masked; but for them, the content of files and the rest of long bodies, nothing is lost.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset, CoapResponse
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import Body, BodyPart, FileSlice, Headers, HttpRequest, HttpResponse, parts_of
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
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable

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
    "undecodable": Undecodable,
}
"""Those whose fields are written as they are; HTTP has `request` and `response`."""

NAMES: Final = {kind: name for name, kind in KINDS.items()}


WHOLE_BYTES: Final = 64 * 1024
"""Longer bodies are cut: to look through one takes a second for each 2 MiB, and nobody reads them in a trace."""

HEAD_BYTES: Final = 4 * 1024
MOST_UTF8_BYTES: Final = 4

AUTHENTICATION_DATA: Final = "authentication_data"
"""The property of MQTT 5 that holds a credential."""


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
    ((name, document),) = found.items()
    match name:
        case "request":
            headers, body = _headers_and_body(document)
            method, origin, target = (_text(document[field]) for field in ("method", "origin", "target"))
            return HttpRequest(method, origin, target, headers, body)
        case "response":
            return HttpResponse(_status(document["status"]), *_headers_and_body(document))
        case _:
            envelope: Envelope = _read(KINDS[name], document)
            return envelope


# HTTP


def _request(request: HttpRequest, secrets: Secrets) -> dict[str, Any]:
    origin, target = secrets.hide(request.origin), secrets.hide(request.target)
    message = _message(request.headers, request.body, secrets, request.target)
    return {"method": request.method, "origin": origin, "target": target, **message}


def _message(headers: Headers, body: Body, secrets: Secrets, target: str = "") -> dict[str, Any]:
    message: dict[str, Any] = {}
    if headers:
        message["headers"] = [(name, secrets.hide_header(name, value)) for name, value in headers]
    if body:
        parts = [written for part in parts_of(body) for written in _part(part, secrets, target)]
        message["body"] = parts if len(parts) != 1 or isinstance(body, tuple) else parts[0]
    return message


def _part(part: BodyPart, secrets: Secrets, target: str) -> list[str | dict[str, Any]]:
    if not isinstance(part, bytes):
        return [{"file_bytes": part.length_bytes}]
    if len(part) <= WHOLE_BYTES:
        return [_write_bytes(part, secrets, target)]
    rest = {"more_bytes": len(part) - HEAD_BYTES, "sha256": hashlib.sha256(part).hexdigest()}
    return [_write_head(part, secrets), rest]


def _write_head(part: bytes, secrets: Secrets) -> str | dict[str, Any]:
    """About the first `HEAD_BYTES`, masked before they are cut: half a secret would be masked by nobody."""
    begins = part[: HEAD_BYTES + secrets.longest_chars]
    try:
        text = begins.decode("utf-8")
    except UnicodeDecodeError as wrong:
        if wrong.start <= len(begins) - MOST_UTF8_BYTES:
            hidden = secrets.hide_bytes(begins)[: -secrets.longest_chars or None]
            return {"base64": base64.b64encode(hidden).decode("ascii")}
        text = begins[: wrong.start].decode("utf-8")
    return secrets.hide(text)[: -secrets.longest_chars or None]


def _headers_and_body(message: Mapping[str, Any]) -> tuple[Headers, Body]:
    headers = tuple((_text(name), _text(value)) for name, value in message.get("headers", ()))
    body = message.get("body", "")
    return headers, tuple(map(_body_part, body)) if isinstance(body, list) else _body_part(body)


def _body_part(part: Any) -> bytes | FileSlice:
    match part:
        case {"file_bytes": int() as length} | {"more_bytes": int() as length}:
            return FileSlice("", 0, length)
        case _:
            return _read_bytes(part)


# MQTT and CoAP


def _fields(value: Any, secrets: Secrets) -> dict[str, Any]:
    document = {}
    for name, default, write in WRITTEN[type(value)]:
        content = getattr(value, name)
        if content != default:
            document[name] = write(content, secrets)
    return document


def _read(kind: type[Any], document: Mapping[str, Any]) -> Any:
    envelope = kind(**{name: FORMS.get(name, PLAIN).read(content) for name, content in document.items()})
    for field in fields(envelope):
        wanted = SCALARS.get(str(field.type))
        if wanted is not None and type(getattr(envelope, field.name)) is not wanted:
            raise ValueError(f"{field.name} is no {field.type}")
    return envelope


def _status(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("no status")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"no text: {value!r}")
    return value


def _write_plain(value: Any, secrets: Secrets) -> Any:
    return secrets.hide(value) if isinstance(value, str) else value


def _write_bytes(value: bytes, secrets: Secrets, target: str = "") -> str | dict[str, Any]:
    try:
        return secrets.hide_body(value.decode("utf-8"), target)
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(secrets.hide_bytes(value)).decode("ascii")}


def _write_credential(value: bytes, secrets: Secrets) -> str:
    return secrets.hide_credential(value.decode("utf-8", "surrogateescape"))


def _read_bytes(value: Any) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else base64.b64decode(value["base64"], validate=True)


def _write_property(name: str, value: PropertyValue, secrets: Secrets) -> Any:
    match value:
        case bytes() if name == AUTHENTICATION_DATA:
            return {"bytes": _write_credential(value, secrets)}
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


SCALARS: Final = {"str": str, "int": int, "bool": bool}
"""Fields of which nothing else is checked when they are read: by the field's type."""
PLAIN: Final = FieldForm(_write_plain, _same)
BYTES: Final = FieldForm(_write_bytes, _read_bytes)

FORMS: Final[Mapping[str, FieldForm]] = {
    "payload": BYTES,
    "head": BYTES,
    "flaw": FieldForm(lambda flaw, _: str(flaw), Flaw),
    "password": FieldForm(_write_credential, _read_bytes),
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
        lambda pairs, secrets: [[name, _write_property(name, value, secrets)] for name, value in pairs],
        lambda pairs: tuple((name, _read_property(value)) for name, value in pairs),
    ),
    "options": FieldForm(
        lambda pairs, secrets: [[number, _write_bytes(value, secrets)] for number, value in pairs],
        lambda pairs: tuple((number, _read_bytes(value)) for number, value in pairs),
    ),
}
"""By the field's name, which means the same in all envelopes; all others are numbers, truth values or texts."""

WRITTEN: Final[Mapping[type[Any], tuple[tuple[str, Any, Callable[[Any, Secrets], Any]], ...]]] = {
    kind: tuple((field.name, field.default, FORMS.get(field.name, PLAIN).write) for field in fields(kind))
    for kind in (*KINDS.values(), Subscription, MqttWill)
}
"""Of each field its name, its default (nothing equals that of a field without one), and how it is written."""
