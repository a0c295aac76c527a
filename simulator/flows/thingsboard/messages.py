"""What ThingsBoard and a device say to each other, in both directions (spec 1.1 to 1.5, 3.1 to 3.4).

Replies are read leniently: other members, another order and blanks change nothing (D09), and `errorMsg` may be missing
(D13).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest
from fleetrig.simulator.contract.http import Body, Headers, HttpRequest, split_url
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPublish, MqttSubscribe, MqttVersion, Subscription
from fleetrig.simulator.flows.thingsboard.credentials import (
    ACCESS_TOKEN,
    MQTT_BASIC,
    X509_CERTIFICATE,
    AccessToken,
    Credentials,
    MqttBasic,
    OwnCertificate,
    ProvisionKey,
    read_credentials,
)
from fleetrig.simulator.flows.thingsboard.protobuf import decode_reply

PROVISION: Final = "provision"
REQUEST_TOPIC: Final = "/provision/request"
RESPONSE_TOPIC: Final = "/provision/response"
TELEMETRY_TOPIC: Final = "v1/devices/me/telemetry"
GATEWAY_CONNECT_TOPIC: Final = "v1/gateway/connect"
GATEWAY_TELEMETRY_TOPIC: Final = "v1/gateway/telemetry"
PROVISION_PATH: Final = "/api/v1/provision"
JSON_HEADERS: Final[Headers] = (("Content-Type", "application/json"), ("Accept", "application/json"))
JSON_OPTIONS: Final[CoapOptions] = ((12, b"\x32"),)
"""Content-Format 50."""
MOST_V31_ID_CHARS: Final = 23


class Status(StrEnum):
    SUCCESS = "SUCCESS"
    NOT_FOUND = "NOT_FOUND"
    FAILURE = "FAILURE"


class ProvisionReply(NamedTuple):
    """`credentials` only with SUCCESS."""

    status: Status
    credentials: Credentials | None = None
    said: str = ""


# Provisioning


def provision_document(key: ProvisionKey, own: Credentials | None, name: str, *, is_gateway: bool) -> bytes:
    """What is not there is left out: a null ends the conversation (D04)."""
    document: dict[str, Json] = {"deviceName": name} if name else {}
    document |= {"provisionDeviceKey": key.key, "provisionDeviceSecret": key.secret}
    match own:
        case AccessToken(token):
            document |= {"credentialsType": ACCESS_TOKEN, "token": token}
        case MqttBasic(client_id, user_name, password):
            parts: dict[str, Json] = {"clientId": client_id, "username": user_name, "password": password}
            document |= {"credentialsType": MQTT_BASIC} | {part: value for part, value in parts.items() if value}
        case OwnCertificate(leaf_pem):
            document |= {"credentialsType": X509_CERTIFICATE, "hash": leaf_pem}
    if is_gateway:
        document["gateway"] = True
    return as_json(document)


def read_reply(body: Body, *, is_protobuf: bool = False) -> ProvisionReply | None:
    """None for what is no reply, and for a success with which nothing can be done (D10, D23)."""
    data = body_bytes(body)
    try:
        document: Any = decode_reply(data) if is_protobuf else json.loads(data)
        status = Status(document["status"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if status is not Status.SUCCESS:
        said = document.get("errorMsg")
        return ProvisionReply(status, said=said if isinstance(said, str) else "")
    credentials = read_credentials(document.get("credentialsType"), document.get("credentialsValue"))
    return None if credentials is None else ProvisionReply(status, credentials)


def provision_connect(version: MqttVersion) -> MqttConnect:
    """The user name alone asks for the service (spec 1.4); MQTT 3.1 has no empty client ids."""
    client_id = PROVISION if version is MqttVersion.V31 else ""
    return MqttConnect(client_id, PROVISION, version=version)


def response_subscription() -> MqttSubscribe:
    return MqttSubscribe((Subscription(RESPONSE_TOPIC, 1),))


def provision_publish(document: bytes) -> MqttPublish:
    return MqttPublish(REQUEST_TOPIC, document, qos=1)


def provision_post(url: str, document: bytes) -> HttpRequest:
    origin, target = split_url(url.rstrip("/") + PROVISION_PATH)
    return HttpRequest("POST", origin, target, JSON_HEADERS, document)


def provision_coap(url: str, document: bytes) -> CoapRequest:
    return CoapRequest("POST", url.rstrip("/"), PROVISION_PATH, document, JSON_OPTIONS)


# With what was given


def login_connect(credentials: Credentials, serial: str, version: MqttVersion, keep_alive_s: int) -> MqttConnect:
    """User name and client id as ThingsBoard looks them up (spec 3.1). A client id is needed without user name."""
    client_id = serial[:MOST_V31_ID_CHARS] if version is MqttVersion.V31 else serial
    user_name: str | None = None
    password: bytes | None = None
    match credentials:
        case AccessToken(token):
            user_name = token
        case MqttBasic():
            client_id, user_name = credentials.client_id or client_id, credentials.user_name or None
            password = credentials.password.encode() or None
        case OwnCertificate():
            pass
    return MqttConnect(client_id, user_name, password, keep_alive_s=keep_alive_s, version=version)


def telemetry_publish(values: Mapping[str, Json]) -> MqttPublish:
    return MqttPublish(TELEMETRY_TOPIC, as_json(dict(values)), qos=1)


def telemetry_post(url: str, credentials: AccessToken, values: Mapping[str, Json]) -> HttpRequest:
    path = f"/api/v1/{quote(credentials.token, safe='')}/telemetry"
    origin, target = split_url(url.rstrip("/") + path)
    return HttpRequest("POST", origin, target, JSON_HEADERS, as_json(dict(values)))


def telemetry_coap(url: str, credentials: AccessToken | OwnCertificate, values: Mapping[str, Json]) -> CoapRequest:
    """With a certificate the path has no token (spec 3.4)."""
    token = f"/{quote(credentials.token, safe='')}" if isinstance(credentials, AccessToken) else ""
    return CoapRequest("POST", url.rstrip("/"), f"/api/v1{token}/telemetry", as_json(dict(values)), JSON_OPTIONS)


def child_connect(child: str) -> MqttPublish:
    return MqttPublish(GATEWAY_CONNECT_TOPIC, as_json({"device": child}), qos=1)


def children_telemetry(children: Sequence[str], values: Mapping[str, Json]) -> MqttPublish:
    return MqttPublish(GATEWAY_TELEMETRY_TOPIC, as_json({child: [dict(values)] for child in children}), qos=1)


def as_json(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
