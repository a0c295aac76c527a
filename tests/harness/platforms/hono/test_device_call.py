"""What arrives at Hono's adapters has the names that our own devices use."""

from __future__ import annotations

import pytest

from fleetrig.harness.platform import DeviceCall
from fleetrig.harness.platforms.hono.device_call import basic_user, call_in, data_name
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.header_text import basic_authorization
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttUnsubscribe,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.trace import Lane, TraceEvent

BASIC = (("Authorization", basic_authorization("d1@acme@home", "p:w")),)


@pytest.mark.parametrize(
    ("envelope", "device", "call"),
    [
        (HttpRequest("POST", "http://h", "/telemetry", BASIC), "", DeviceCall("d1", "telemetry")),
        (HttpRequest("POST", "http://h", "/event?hono-ttd=5"), "d2", DeviceCall("d2", "event")),
        (HttpRequest("POST", "http://h", "/telemetry"), "", DeviceCall("", "telemetry")),
        (HttpRequest("PUT", "http://h", "/telemetry//d9", BASIC), "", DeviceCall("d1", "gateway-telemetry")),
        (HttpRequest("POST", "http://h", "/command/res/7?hono-cmd-status=200"), "", DeviceCall("", "command-response")),
        (HttpRequest("GET", "http://h", "/v1/tenants/t"), "", None),
        (CoapRequest("POST", "coaps://h", "/t"), "d2", DeviceCall("d2", "telemetry")),
        (CoapRequest("PUT", "coaps://h", "/e//d9"), "", DeviceCall("", "gateway-event")),
        (CoapRequest("POST", "coaps://h", "/command_response/7"), "", DeviceCall("", "command-response")),
        (MqttConnect("c-1", "d1@acme", b"p"), "", DeviceCall("d1", "login")),
        (MqttConnect("c-3"), "d3", DeviceCall("d3", "login")),
        (MqttConnect("c-3"), "", DeviceCall("", "login")),
        (MqttPublish("telemetry/?content-type=application%2Fjson"), "d2", DeviceCall("d2", "telemetry")),
        (MqttPublish("e"), "d2", DeviceCall("d2", "event")),
        (MqttPublish("t//d9"), "d2", DeviceCall("d2", "gateway-telemetry")),
        (MqttPublish("event/acme/d9/?hono-ttl=5"), "d2", DeviceCall("d2", "gateway-event")),
        (MqttPublish("command///res/7/200"), "d2", DeviceCall("d2", "command-response")),
        (MqttPublish("c//d9/s/7/200"), "d2", DeviceCall("d2", "command-response")),
        (MqttPublish("elsewhere"), "d2", DeviceCall("d2", "unknown")),
        (MqttSubscribe((Subscription("command///req/#"),)), "d2", DeviceCall("d2", "subscribe")),
        (MqttUnsubscribe(("command///req/#",)), "d2", DeviceCall("d2", "unsubscribe")),
        (MqttPublishAck(PublishAckKind.PUBACK, 1), "d2", DeviceCall("d2", "puback")),
        (MqttPingreq(), "d2", DeviceCall("d2", "ping")),
        (MqttDisconnect(), "d2", DeviceCall("d2", "hang-up")),
    ],
)
def test_a_message_has_a_name(envelope: Envelope, device: str, call: DeviceCall | None) -> None:
    assert call_in(TraceEvent(0, 0, device, Lane.SERVER, "received", envelope)) == call


@pytest.mark.parametrize(
    ("kind", "envelope", "reason", "call"),
    [
        ("pushed", MqttPublish("command///req/7/on", b"{}"), "", DeviceCall("d1", "idle")),
        ("pushed", MqttPublish("c//d9/q//on", b"{}"), "", DeviceCall("d1", "idle")),
        ("answered", MqttPublish("error///telemetry/3/404", b"{}"), "", DeviceCall("d1", "error")),
        ("answered", MqttConnack(0), "", None),
        ("closed", None, "by the peer", DeviceCall("d1", "hang-up")),
        ("closed", None, "closed", None),
    ],
)
def test_what_a_server_publishes_and_who_hangs_up(
    kind: str, envelope: Envelope | None, reason: str, call: DeviceCall | None
) -> None:
    assert call_in(TraceEvent(0, 0, "d1", Lane.SERVER, kind, envelope, reason=reason)) == call


@pytest.mark.parametrize(
    ("header", "user"),
    [
        ("Basic ZDFAYWNtZTpwdw==", "d1"),
        ("Basic d1@acme:unknown:3", "d1"),
        ("Basic !!", ""),
        ("Basic", ""),
        ("Bearer ZDFAYWNtZTpwdw==", ""),
        ("", ""),
    ],
)
def test_the_user_stands_in_the_header_and_in_what_a_trace_shows_of_it(header: str, user: str) -> None:
    assert basic_user(header) == user


@pytest.mark.parametrize("place", ["", "/", "/telemetrics", "/v1/devices/t/d", "commands", "/telemetry2/a/b"])
def test_what_belongs_to_no_device(place: str) -> None:
    assert data_name(place) == ""
