"""The two protobuf messages of provisioning, as a device writes and reads them (spec 1.5; encoding: proto3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.flows.thingsboard.credentials import (
    ACCESS_TOKEN,
    MQTT_BASIC,
    X509_CERTIFICATE,
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
)

VARINT, BYTES = 0, 2
WIDTHS: Final = {1: 8, 5: 4}
"""Of the kinds that have one."""
TYPES: Final = (ACCESS_TOKEN, X509_CERTIFICATE, MQTT_BASIC, "LWM2M_CREDENTIALS")
STATUSES: Final = ("UNKNOWN", "SUCCESS", "NOT_FOUND", "FAILURE")
MOST_VARINT_BITS: Final = 63


def encode_request(key: ProvisionKey, own: Credentials | None, name: str, *, is_gateway: bool) -> bytes:
    """What is empty or zero is left out, as proto3 has it."""
    kind, data = 0, b""
    match own:
        case AccessToken(token):
            data = _texts(1, token)
        case OwnCertificate(leaf_pem):
            kind, data = TYPES.index(X509_CERTIFICATE), _texts(2, leaf_pem)
        case MqttBasic(client_id, user_name, password):
            kind, data = TYPES.index(MQTT_BASIC), _texts(3, client_id, user_name, password)
    return b"".join(
        (_bytes(1, name.encode()), _number(2, kind), _texts(3, key.key, key.secret), _bytes(4, data),
         _number(5, int(is_gateway)))
    )  # fmt: skip


def decode_reply(data: bytes) -> dict[str, Json]:
    """The members that the same reply has in JSON. Raises ValueError for what is no such message."""
    fields = dict(_fields(data))
    status, kind, value = fields.get(1, 0), fields.get(2, 0), fields.get(3, b"")
    if not isinstance(status, int) or not isinstance(kind, int) or not isinstance(value, bytes):
        raise ValueError("fields of other kinds than a reply has")
    if status >= len(STATUSES) or kind >= len(TYPES):
        raise ValueError("a number without a name")
    text = value.decode()
    content: Json = json.loads(text) if TYPES[kind] == MQTT_BASIC and text else text
    return {"status": STATUSES[status], "credentialsType": TYPES[kind], "credentialsValue": content}


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, value
        elif kind == BYTES or kind in WIDTHS:
            length, at = _varint(data, at) if kind == BYTES else (WIDTHS[kind], at)
            if at + length > len(data):
                raise ValueError("the message is cut")
            yield number, data[at : at + length]
            at += length
        else:
            raise ValueError(f"a field of kind {kind}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift <= MOST_VARINT_BITS:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return value, at
    raise ValueError("a number that does not end")


def _texts(number: int, *texts: str) -> bytes:
    """A message of texts alone, numbered from 1."""
    return _bytes(number, b"".join(_bytes(n, text.encode()) for n, text in enumerate(texts, 1)))


def _bytes(number: int, data: bytes) -> bytes:
    return _as_varint(number << 3 | BYTES) + _as_varint(len(data)) + data if data else b""


def _number(number: int, value: int) -> bytes:
    return _as_varint(number << 3) + _as_varint(value) if value else b""


def _as_varint(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])
