"""What a message to the broker is called, and whose it is (spec 1.6, 2.1, 2.2).

The words are those that our own devices use, so that a check reads the same whether a device tells what it does or the
server has to. Topics say client ids: with the usual ones (`client_id: serial`) these are the serials.
"""

from __future__ import annotations

import re
from typing import Final

from fleetrig.harness.platform import DeviceCall
from fleetrig.reference_server.server_lane import BY_THE_PEER
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

CONTROL: Final = re.compile(r"\$[A-Z]+/([^/]+)/([^/]+)/([^/]+)/(.+)", re.DOTALL)
"""Account, client id, app id, the rest."""
PROVISIONS: Final = re.compile(r"PROV-[A-Z0-9]+")
LIFECYCLE: Final = {"BIRTH": "birth", "APPS": "apps", "DC": "dc"}
HANG_UP: Final = "hang-up"
"""A device ends its connection, with a DISCONNECT or without."""
UNKNOWN: Final = "unknown"
IDLE: Final = "idle"
"""As devices call the time in which a control message comes."""
LIFECYCLE_APP: Final = "MQTT"


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
    found = CONTROL.fullmatch(event.envelope.topic)
    if found is not None and PROVISIONS.fullmatch(found[3]) and found[4].startswith("REPLY/"):
        return DeviceCall(event.device, "provision")
    return DeviceCall(event.device, IDLE)


def _called(event: TraceEvent) -> tuple[str, str]:
    """(name, the device that the message itself names)."""
    match event.envelope:
        case MqttPublish(topic=topic):
            return published_name(topic), named_in(topic)
        case MqttConnect(client_id=client_id):
            return "login", client_id
        case MqttSubscribe(subscriptions=wanted):
            is_provisioning = any(PROVISIONS.search(one.topic_filter) for one in wanted)
            return ("provision-subscribe" if is_provisioning else "subscribe"), ""
        case packet:
            return _of_session(packet), ""


def _of_session(packet: object) -> str:
    match packet:
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


def published_name(topic: str) -> str:
    """`birth`, `reply`, `provision-request` …; data is `telemetry`."""
    found = CONTROL.fullmatch(topic)
    if found is None:
        return UNKNOWN if topic.startswith("$") else "telemetry"
    app, rest = found[3], found[4]
    if app == LIFECYCLE_APP:
        return LIFECYCLE.get(rest.partition("/")[0], UNKNOWN)
    verb = rest.partition("/")[0]
    if verb == "REPLY":
        return "reply"
    if verb == "NOTIFY":
        return "notify"
    if PROVISIONS.fullmatch(app) and rest == "POST/request":
        return "provision-request"
    if PROVISIONS.fullmatch(app) and rest == "POST/confirm":
        return "provision-confirm"
    return "control"


def named_in(topic: str) -> str:
    """The client id of a topic that names its sender: a reply names who asked."""
    found = CONTROL.fullmatch(topic)
    if found is None:
        parts = topic.split("/")
        return parts[1] if len(parts) > 2 and not topic.startswith("$") else ""
    rest = found[4].split("/")
    if rest[0] == "NOTIFY" and len(rest) > 1:
        return rest[1]
    return "" if rest[0] == "REPLY" else found[2]
