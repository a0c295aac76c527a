"""What arrives at the broker has the names that our own gateways use."""

from __future__ import annotations

import pytest

from fleetrig.harness.platform import DeviceCall
from fleetrig.harness.platforms.kura.device_call import call_in
from fleetrig.reference_server.server_lane import BY_THE_PEER
from fleetrig.simulator.contract.envelope import Envelope
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

PROV = "$EDC/ec-provisioning/KU-1/PROV-SIM1"


@pytest.mark.parametrize(
    ("envelope", "device", "call"),
    [
        (MqttConnect("KU-1", "02AA-KU-1", b"p"), "", DeviceCall("KU-1", "login")),
        (MqttSubscribe((Subscription(f"{PROV}/REPLY/#"),)), "KU-1", DeviceCall("KU-1", "provision-subscribe")),
        (MqttSubscribe((Subscription("$EDC/acct/KU-1/#"),)), "KU-1", DeviceCall("KU-1", "subscribe")),
        (MqttPublish(f"{PROV}/POST/request"), "", DeviceCall("KU-1", "provision-request")),
        (MqttPublish(f"{PROV}/POST/confirm"), "", DeviceCall("KU-1", "provision-confirm")),
        (MqttPublish(f"{PROV}/POST/other"), "", DeviceCall("KU-1", "control")),
        (MqttPublish("$EDC/acct/KU-1/MQTT/BIRTH"), "", DeviceCall("KU-1", "birth")),
        (MqttPublish("$EDC/acct/KU-1/MQTT/APPS"), "", DeviceCall("KU-1", "apps")),
        (MqttPublish("$EDC/acct/KU-1/MQTT/DC"), "", DeviceCall("KU-1", "dc")),
        (MqttPublish("$EDC/acct/KU-1/MQTT/OTHER"), "", DeviceCall("KU-1", "unknown")),
        (MqttPublish("$EDC/acct/SRV-1/CONF-V1/REPLY/42"), "KU-1", DeviceCall("KU-1", "reply")),
        (MqttPublish("$EDC/acct/SRV-1/DEPLOY-V2/NOTIFY/KU-1/download"), "", DeviceCall("KU-1", "notify")),
        (MqttPublish("$EDC/acct/KU-2/CONF-V1/GET/configurations"), "KU-1", DeviceCall("KU-2", "control")),
        (MqttPublish("acct/KU-1/telemetry/data"), "", DeviceCall("KU-1", "telemetry")),
        (MqttPublish("elsewhere"), "KU-1", DeviceCall("KU-1", "telemetry")),
        (MqttPublish("$EDC"), "KU-1", DeviceCall("KU-1", "unknown")),
        (MqttUnsubscribe(("a",)), "KU-1", DeviceCall("KU-1", "unsubscribe")),
        (MqttPublishAck(PublishAckKind.PUBACK, 1), "KU-1", DeviceCall("KU-1", "puback")),
        (MqttPingreq(), "KU-1", DeviceCall("KU-1", "ping")),
        (MqttDisconnect(), "KU-1", DeviceCall("KU-1", "hang-up")),
        (HttpRequest("GET", "http://h", "/v1/AQ/devices"), "", None),
    ],
)
def test_a_message_has_a_name(envelope: Envelope, device: str, call: DeviceCall | None) -> None:
    assert call_in(TraceEvent(0, 0, device, Lane.SERVER, "received", envelope)) == call


@pytest.mark.parametrize(
    ("kind", "envelope", "reason", "name"),
    [
        ("pushed", MqttPublish(f"{PROV}/REPLY/7"), "", "provision"),
        ("pushed", MqttPublish("$EDC/acct/KU-1/CONF-V1/GET/configurations"), "", "idle"),
        ("answered", MqttConnack(0), "", None),
        ("closed", None, BY_THE_PEER, "hang-up"),
        ("closed", None, "take-over", None),
    ],
)
def test_what_the_server_says_has_one_where_a_device_waits_for_it(
    kind: str, envelope: Envelope | None, reason: str, name: str | None
) -> None:
    call = call_in(TraceEvent(0, 0, "KU-1", Lane.SERVER, kind, envelope, reason=reason))
    assert call == (None if name is None else DeviceCall("KU-1", name))
