"""What arrives at the server has the names that our own devices use."""

from __future__ import annotations

import pytest

from fleetrig.harness.platform import DeviceCall
from fleetrig.harness.platforms.thingsboard.device_call import call_in
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPublish,
    MqttSubscribe,
    Subscription,
)
from fleetrig.simulator.contract.trace import Lane, TraceEvent

NAMED = b'{"deviceName":"d1"}'


@pytest.mark.parametrize(
    ("envelope", "device", "call"),
    [
        (HttpRequest("POST", "http://h", "/api/v1/provision", (), NAMED), "", DeviceCall("d1", "provision")),
        (HttpRequest("POST", "http://h", "/api/v1/t/telemetry", (), b"{}"), "d2", DeviceCall("d2", "telemetry")),
        (HttpRequest("POST", "http://h", "/api/v1/t/telemetry", (), b"{}"), "", DeviceCall("", "telemetry")),
        (HttpRequest("POST", "http://h", "/api/auth/login", (), NAMED), "", None),
        (CoapRequest("POST", "coap://h", "/api/v1/x/provision", NAMED), "", DeviceCall("d1", "provision")),
        (MqttPublish("/provision/request", NAMED), "", DeviceCall("d1", "provision-request")),
        (MqttPublish("/provision/request", b"{"), "", DeviceCall("", "provision-request")),
        (MqttPublish("v1/devices/me/telemetry", b"{}"), "d2", DeviceCall("d2", "telemetry")),
        (MqttPublish("v1/gateway/connect", b"{}"), "d2", DeviceCall("d2", "gateway-connect")),
        (MqttPublish("elsewhere", b"{}"), "d2", DeviceCall("d2", "unknown")),
        (MqttSubscribe((Subscription("/provision/response"),)), "", DeviceCall("", "provision-subscribe")),
        (MqttSubscribe((Subscription("v1/devices/me/attributes"),)), "d2", DeviceCall("d2", "subscribe")),
        (MqttDisconnect(), "d2", DeviceCall("d2", "hang-up")),
        (MqttConnect("c", "token"), "d2", DeviceCall("d2", "login")),
        (MqttConnect("provision"), "d2", DeviceCall("d2", "provision-connect")),
    ],
)
def test_a_message_has_a_name(envelope: Envelope, device: str, call: DeviceCall | None) -> None:
    event = TraceEvent(0, 0, device, Lane.SERVER, "received", envelope)
    assert call_in(event) == call


@pytest.mark.parametrize(
    ("kind", "envelope", "reason", "call"),
    [
        ("answered", MqttPublish("/provision/response", b"{}"), "", DeviceCall("d1", "provision")),
        ("pushed", MqttPublish("v1/devices/me/rpc/request/1", b"{}"), "", DeviceCall("d1", "rpc")),
        ("answered", MqttConnack(0), "", None),
        ("closed", None, "by the peer", DeviceCall("d1", "hang-up")),
        ("closed", None, "closed", None),
    ],
)
def test_what_a_server_publishes_and_who_hangs_up(
    kind: str, envelope: Envelope | None, reason: str, call: DeviceCall | None
) -> None:
    event = TraceEvent(0, 0, "d1", Lane.SERVER, kind, envelope, reason=reason)
    assert call_in(event) == call
