"""What a message to Hono's protocol adapters is called, and whose it is.

The words are those that our own devices use, so that a check reads the same whether a device tells what it does or the
server has to. Paths and topics: spec 4.1 to 4.3. Where a certificate or a key says who a device is, messages do not:
our own server does, from the moment in which it lets the device in.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Final

from fleetrig.harness.platform import DeviceCall
from fleetrig.reference_server.server_lane import BY_THE_PEER
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
)
from fleetrig.simulator.contract.trace import TraceEvent

DATA: Final = re.compile(r"/?(telemetry|t|event|e)((?:/[^/?]*)*?)/?(?:\?.*)?", re.DOTALL)
"""The endpoint, and behind it tenant and device of a gateway's message; a topic may end with a property bag."""
RESULT: Final = re.compile(r"/?(?:command/res|command_response|cr)/|(?:command|c)/[^/]*/[^/]*/(?:res|s)/")
COMMAND_TOPIC: Final = re.compile(r"(?:command|c)/[^/]*/[^/]*/(?:req|q)/")
ENDPOINTS: Final = {"t": "telemetry", "e": "event"}
IDLE: Final = "idle"
"""As devices call the time in which a command comes over MQTT."""
RESPONSE: Final = "command-response"
ERROR: Final = "error"
"""What the server publishes of a message that it does not take."""
HANG_UP: Final = "hang-up"
"""A device ends its connection, with a DISCONNECT or without."""
UNKNOWN: Final = "unknown"
BASIC: Final = "Basic "


def call_in(event: TraceEvent) -> DeviceCall | None:
    """None for what no device sends. Its device is empty where neither the message nor the server says whose it is.

    Of what the server sends, a PUBLISH has a name.
    """
    if event.kind == "closed":
        return DeviceCall(event.device, HANG_UP) if event.reason == BY_THE_PEER else None
    if event.kind != "received":
        return _published(event)
    name, device = _called(event)
    return DeviceCall(device or event.device, name) if name else None


def _published(event: TraceEvent) -> DeviceCall | None:
    if not isinstance(event.envelope, MqttPublish):
        return None
    return DeviceCall(event.device, IDLE if COMMAND_TOPIC.match(event.envelope.topic) else ERROR)


def _called(event: TraceEvent) -> tuple[str, str]:
    """(name, the device that the message itself names)."""
    match event.envelope:
        case HttpRequest() as request:
            return data_name(request.path), basic_user(request.header("Authorization") or "")
        case CoapRequest(path=path):
            return data_name(path), ""
        case MqttPublish(topic=topic):
            return data_name(topic) or UNKNOWN, ""
        case MqttConnect(user_name=user_name):
            return "login", auth_id_of(user_name or "")
        case packet:
            return _of_session(packet), ""


def _of_session(packet: object) -> str:
    match packet:
        case MqttSubscribe():
            return "subscribe"
        case MqttUnsubscribe():
            return "unsubscribe"
        case MqttPingreq():
            return "ping"
        case MqttDisconnect():
            return HANG_UP
        case MqttPublishAck():
            return "puback"
        case _:
            return ""


def data_name(place: str) -> str:
    """Of a path or a topic; empty for what belongs to no device: a management call that came to the wrong port."""
    if RESULT.match(place):
        return RESPONSE
    found = DATA.fullmatch(place)
    if found is None:
        return ""
    endpoint = ENDPOINTS.get(found[1], found[1])
    return f"gateway-{endpoint}" if found[2].strip("/") else endpoint


def basic_user(authorization: str) -> str:
    """The auth-id in a header with user and password, or in what a trace shows of one; empty where there is none."""
    if not authorization.startswith(BASIC):
        return ""
    content = authorization.removeprefix(BASIC)
    if ":" in content:
        return auth_id_of(content.partition(":")[0])
    try:
        return auth_id_of(b64decode(content, validate=True).decode().partition(":")[0])
    except ValueError:
        return ""


def auth_id_of(user: str) -> str:
    """`sensor1@tenant` -> `sensor1`: the first @ splits (spec 4.1)."""
    return user.partition("@")[0]
