"""What a message to ThingsBoard's device interfaces is called.

The words are those that our own devices use, so that a check reads the same whether a device tells what it does or the
server has to. Paths and topics: spec 1.4, 1.5, 3.2 to 3.4.
"""

from __future__ import annotations

import re
from typing import Final

from fleetrig.harness.platform import DeviceCall
from fleetrig.harness.servers.json_answer import NotJson, read_json
from fleetrig.reference_server.server_lane import BY_THE_PEER
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttDisconnect, MqttPingreq, MqttPublish, MqttSubscribe
from fleetrig.simulator.contract.trace import TraceEvent

PROVISION_TOPIC: Final = "/provision/request"
RESPONSE_TOPIC: Final = "/provision/response"
PATH: Final = re.compile(r"/api/v1/(?:[^/?]+/)?(provision|telemetry|attributes|claim|rpc)\b")
TOPIC: Final = re.compile(r"v1/devices/me/(telemetry|attributes|claim|rpc)\b")
GATEWAY_TOPIC: Final = re.compile(r"v1/gateway/(connect|telemetry)$")
PROVISION: Final = "provision"
HANG_UP: Final = "hang-up"
"""A device ends its connection, with a DISCONNECT or without."""
UNKNOWN: Final = "unknown"


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
    topic = event.envelope.topic
    name = PROVISION if topic == RESPONSE_TOPIC else found[1] if (found := TOPIC.match(topic)) else UNKNOWN
    return DeviceCall(event.device, name)


def _called(event: TraceEvent) -> tuple[str, str]:
    """(name, the device that the message itself names)."""
    match event.envelope:
        case HttpRequest(target=target, body=bytes(body)) if found := PATH.match(target):
            return found[1], _named_in(body)
        case CoapRequest(path=path, payload=body) if found := PATH.match(path):
            return found[1], _named_in(body)
        case MqttPublish(topic=topic, payload=body):
            if topic == PROVISION_TOPIC:
                return "provision-request", _named_in(body)
            if found := GATEWAY_TOPIC.match(topic):
                return f"gateway-{found[1]}", ""
            return (found[1] if (found := TOPIC.match(topic)) else UNKNOWN), ""
        case MqttConnect(user_name=user_name, client_id=client_id):
            return ("provision-connect" if PROVISION in (user_name, client_id) else "login"), ""
        case MqttSubscribe(subscriptions=wanted):
            is_service = any(one.topic_filter.strip("/").startswith(PROVISION) for one in wanted)
            return ("provision-subscribe" if is_service else "subscribe"), ""
        case MqttPingreq():
            return "ping", ""
        case MqttDisconnect():
            return HANG_UP, ""
        case _:
            return "", ""


def _named_in(body: bytes) -> str:
    try:
        document = read_json(body)
    except NotJson:
        return ""
    name = document.get("deviceName") if isinstance(document, dict) else None
    return name if isinstance(name, str) else ""
