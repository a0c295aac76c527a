"""What a device says to Hono's adapters (spec 4): data of its own or of a device behind it, and answers to commands."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote, urlencode

from fleetrig.simulator.contract.coap import CoapOptions, CoapRequest
from fleetrig.simulator.contract.header_text import basic_authorization
from fleetrig.simulator.contract.http import Headers, HttpRequest, split_url
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import (
    MqttConnect,
    MqttPublish,
    MqttSubscribe,
    MqttVersion,
    Properties,
    Subscription,
)
from fleetrig.simulator.flows.hono.command import Command, Result
from fleetrig.simulator.flows.hono.life import OWN, HonoLife
from fleetrig.simulator.flows.hono.settings import Endpoint

JSON: Final = "application/json"
JSON_OPTION: Final[CoapOptions] = ((12, b"\x32"),)
"""Content-Format 50."""
COMMANDS: Final = "command///req/#"
COMMANDS_OF_ALL: Final = "command//+/req/#"
"""As a gateway subscribes: for itself and for all devices behind it."""
ERRORS: Final = "error///#"


def said(life: HonoLife) -> bytes:
    """The payload; the same each time until it is accepted."""
    return as_json({**life.settings.telemetry, "n": life.messages + 1})


def as_json(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


# HTTP


def data_over_http(life: HonoLife, device_id: str) -> HttpRequest:
    """`POST /telemetry`, or as a gateway `PUT /telemetry//{device}`. Only its own request waits for commands: to a
    gateway they come for all devices behind it.
    """
    settings = life.settings
    headers: Headers = (("Content-Type", JSON),)
    if settings.endpoint is Endpoint.TELEMETRY:
        headers = (*headers, ("qos-level", "1" if settings.at_least_once else "0"))
    if settings.ttd_s is not None and device_id == OWN:
        headers = (*headers, ("hono-ttd", str(settings.ttd_s)))
    return _http(life, "POST" if device_id == OWN else "PUT", place(settings.endpoint, device_id), headers, said(life))


def result_over_http(life: HonoLife, command: Command, result: Result) -> HttpRequest:
    """`POST /command/res/{id}`, or as a gateway `PUT /command/res//{device}/{id}`."""
    of_edge = f"/{part(command.device_id)}" if command.device_id != OWN else ""
    path = f"/command/res{'/' if of_edge else ''}{of_edge}/{part(command.request_id)}"
    target = f"{path}?hono-cmd-status={result.status}"
    return _http(life, "PUT" if of_edge else "POST", target, (("Content-Type", JSON),), result.payload)


def _http(life: HonoLife, method: str, target: str, headers: Headers, body: bytes) -> HttpRequest:
    login = life.login
    if login is not None:
        headers = (("Authorization", basic_authorization(login.user, login.password)), *headers)
    origin, target = split_url(life.settings.url.rstrip("/") + target)
    return HttpRequest(method, origin, target, headers, body)


# CoAP


def data_over_coap(life: HonoLife, device_id: str) -> CoapRequest:
    settings = life.settings
    waits = f"?hono-ttd={settings.ttd_s}" if settings.ttd_s is not None and device_id == OWN else ""
    target = place(settings.endpoint, device_id) + waits
    method = "POST" if device_id == OWN else "PUT"
    return CoapRequest(
        method, settings.url.rstrip("/"), target, said(life), JSON_OPTION, confirmable=settings.at_least_once
    )


def result_over_coap(life: HonoLife, command: Command, result: Result) -> CoapRequest:
    """To exactly the path that came with the command."""
    method = "POST" if command.device_id == OWN else "PUT"
    target = f"{command.answer_path}?hono-cmd-status={result.status}"
    return CoapRequest(method, life.settings.url.rstrip("/"), target, result.payload, JSON_OPTION)


# MQTT


def hello(life: HonoLife) -> MqttConnect:
    """With user name and password, or with none of both: then its certificate says who it is."""
    settings, login = life.settings, life.login
    user, password = (None, None) if login is None else (login.user, login.password.encode())
    return MqttConnect(
        life.device.serial, user, password, keep_alive_s=settings.keep_alive_s, version=settings.mqtt_version
    )


def subscription(life: HonoLife) -> MqttSubscribe | None:
    """Commands, if it waits for any, and as a gateway the errors of those behind it: without them every error ends
    the connection, and does not say whose it was (D14).
    """
    is_gateway = life.settings.edge_devices is not None
    wanted: list[Subscription] = []
    if life.settings.ttd_s is not None:
        wanted.append(Subscription(COMMANDS_OF_ALL if is_gateway else COMMANDS, 1))
    if is_gateway:
        wanted.append(Subscription(ERRORS, 0))
    return MqttSubscribe(tuple(wanted)) if wanted else None


def data_over_mqtt(life: HonoLife, device_id: str) -> MqttPublish:
    """`telemetry`, `telemetry//{device}`: nobody decodes a topic, so that names stand in it as they are. The content
    type is in the topic's property bag; MQTT 5 has a property for it.
    """
    settings = life.settings
    topic = str(settings.endpoint) if device_id == OWN else f"{settings.endpoint}//{device_id}"
    properties: Properties = ()
    if settings.mqtt_version is MqttVersion.V5:
        properties = (("content_type", JSON),)
    else:
        topic = f"{topic}/?{urlencode({'content-type': JSON})}"
    return MqttPublish(topic, said(life), qos=1 if settings.at_least_once else 0, properties=properties)


def result_over_mqtt(command: Command, result: Result) -> MqttPublish:
    """`command///res/{id}/{status}`; a gateway names the device."""
    topic = f"command//{command.device_id}/res/{command.request_id}/{result.status}"
    return MqttPublish(topic, result.payload, qos=1)


# HTTP and CoAP: paths


def place(endpoint: Endpoint, device_id: str) -> str:
    """`/telemetry`, `/telemetry//{device}`: between the two slashes stands the tenant, which the login says."""
    return f"/{endpoint}" if device_id == OWN else f"/{endpoint}//{part(device_id)}"


def part(name: str) -> str:
    return quote(name, safe="")
