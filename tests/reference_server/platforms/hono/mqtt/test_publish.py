"""PUBLISH: what is acknowledged, what ends the connection, errors as messages (spec 4.2, rows M05, M06, G04, H08)."""

from __future__ import annotations

import json

import pytest

from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.mqtt import MqttPingreq, PublishAckKind
from tests.conversation.talk import lines
from tests.reference_server.platforms.hono.adapter_rig import TENANT, V5, AdapterRig, messages_in, of_profile

PUBACK = ["1 PUBACK"]
CLOSED = ["1 closed"]


@pytest.fixture
def rig() -> AdapterRig:
    rig = AdapterRig()
    rig.tenant()
    rig.password("sensor1")
    rig.password("gw", device={"authorities": ["auto-provisioning-enabled"]})
    rig.join(1, "sensor1")
    rig.join(2, "gw")
    return rig


@pytest.mark.parametrize(
    ("topic", "qos", "said"),
    [
        ("telemetry", 0, []),
        ("telemetry", 1, PUBACK),
        ("t", 1, PUBACK),
        ("t///", 1, PUBACK),
        ("event", 1, PUBACK),
        ("e", 1, PUBACK),
        ("telemetry/?content-type=application%2Fjson", 1, PUBACK),
        ("t//sensor1", 1, PUBACK),
        (f"telemetry/{TENANT}/sensor1", 1, PUBACK),
        ("telemetry", 2, CLOSED),
        ("event", 0, CLOSED),
        ("event", 2, CLOSED),
        ("nosuch", 1, CLOSED),
        ("nosuch", 0, CLOSED),
        ("command_response", 1, CLOSED),
        ("/telemetry", 1, CLOSED),
        ("t/?a=%", 1, CLOSED),
        ("", 1, CLOSED),
        ("t/+", 1, CLOSED),
        (f"t/{TENANT}", 1, CLOSED),
        ("t/other/sensor1", 1, CLOSED),
        ("t//nosuch", 1, CLOSED),
    ],
)
def test_topics(rig: AdapterRig, topic: str, qos: int, said: list[str]) -> None:
    assert rig.publish(1, topic, qos=qos) == said
    assert len(rig.northbound()) == (said != CLOSED)


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        ("telemetry", b"", CLOSED),
        ("telemetry/?content-type=text%2Fplain", b"", PUBACK),
        ("event/?content-type=application%2Fvnd.eclipse-hono-empty-notification", b"", PUBACK),
        ("event/?content-type=application%2Fvnd.eclipse-hono-empty-notification", b"x", CLOSED),
    ],
)
def test_a_payload_has_the_type_that_it_says(rig: AdapterRig, topic: str, payload: bytes, said: list[str]) -> None:
    assert rig.publish(1, topic, payload) == said


def test_what_applications_get(rig: AdapterRig) -> None:
    rig.publish(1, "event/?content-type=application%2Fjson&hono-ttl=30", b'{"a":1}', retain=True)
    (message,) = rig.northbound()
    assert (message.topic, message.key, message.payload) == (f"hono.event.{TENANT}", "sensor1", b'{"a":1}')
    told = {name: str(value) for name, value in message.properties.items() if name != "creation-time"}
    assert told == {
        "content-type": "application/json",
        "device_id": "sensor1",
        "orig_adapter": "hono-mqtt",
        "orig_address": "event/?content-type=application%2Fjson&hono-ttl=30",
        "qos": "1",
        "ttl": "30000",
        "x-opt-retain": "true",
    }


def test_mqtt_5_may_say_the_content_type_in_a_property(rig: AdapterRig) -> None:
    rig.join(3, "sensor1", version=V5)
    rig.publish(3, "telemetry", properties=(("content_type", "text/x"),))
    rig.publish(3, "telemetry/?content-type=text%2Fy", properties=(("content_type", "text/x"),))
    assert [content_type for _, content_type in rig.heard_by_applications()] == ["text/x", "text/y"]


def test_there_is_no_qos_2(rig: AdapterRig) -> None:
    assert rig.acknowledges(1, 5, PublishAckKind.PUBREL) == []
    assert rig.acknowledges(1, 5, PublishAckKind.PUBREC) == []
    assert lines(rig.to_server(1, MqttPingreq())) == ["1 PINGRESP"]


# Errors as messages


def test_an_error_is_told_before_the_acknowledgement(rig: AdapterRig) -> None:
    assert rig.wants(1, "error///#") == ["1 SUBACK 0"]
    outputs = rig.published(1, "nosuch")
    assert lines(outputs) == ["1 PUBLISH error///unknown/7/404", "1 PUBACK"]
    (message,) = messages_in(outputs)
    assert json.loads(message.payload) == {
        "code": 404,
        "message": "no such endpoint",
        "timestamp": "2026-01-01T00:00:00Z",
        "correlation-id": "7",
    }
    assert (message.qos, message.packet_id) == (0, 0)


def test_mqtt_5_sees_in_the_acknowledgement_that_it_failed(rig: AdapterRig) -> None:
    rig.join(3, "sensor1", version=V5)
    rig.wants(3, "e///#")
    assert rig.publish(3, "nosuch") == ["3 PUBLISH e///unknown/7/404", "3 PUBACK 128"]


@pytest.mark.parametrize(
    ("topic", "qos", "said"),
    [
        ("nosuch", 0, ["1 PUBLISH error///unknown/-1/404"]),
        ("nosuch/?correlation-id=mine", 0, ["1 PUBLISH error///unknown/mine/404"]),
        ("nosuch/?correlation-id=mine", 1, ["1 PUBLISH error///unknown/mine/404", "1 PUBACK"]),
        ("event", 0, ["1 PUBLISH error///event/-1/400"]),
        ("telemetry", 2, ["1 PUBLISH error///telemetry/-1/400"]),
        ("/x", 1, ["1 PUBLISH error///unknown/7/400", "1 PUBACK"]),
        ("", 1, ["1 PUBLISH error///unknown/7/400", "1 PUBACK"]),
        ("nosuch/?on-error=disconnect", 1, ["1 PUBLISH error///unknown/7/404", "1 closed"]),
        ("nosuch/?on-error=ignore", 1, ["1 PUBLISH error///unknown/7/404", "1 PUBACK"]),
        ("nosuch/?on-error=skip-ack", 1, ["1 PUBLISH error///unknown/7/404"]),
        ("nosuch/?on-error=default", 1, ["1 PUBLISH error///unknown/7/404", "1 PUBACK"]),
        ("nosuch/?on-error=what", 1, ["1 PUBLISH error///unknown/7/404", "1 PUBACK"]),
        ("t/other/sensor1", 1, ["1 PUBLISH error//sensor1/t/7/403", "1 PUBACK"]),
    ],
)
def test_errors_with_a_subscription(rig: AdapterRig, topic: str, qos: int, said: list[str]) -> None:
    rig.wants(1, "error///#")
    expected = [line.replace("error//sensor1/", "error///") for line in said]
    assert rig.publish(1, topic, qos=qos) == expected


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("nosuch/?on-error=ignore", PUBACK),
        ("nosuch/?on-error=skip-ack", []),
        ("nosuch/?on-error=disconnect", CLOSED),
        ("nosuch/?on-error=default", CLOSED),
    ],
)
def test_errors_without_a_subscription(rig: AdapterRig, topic: str, said: list[str]) -> None:
    assert rig.publish(1, topic) == said


def test_who_gives_up_its_subscription_is_closed_again(rig: AdapterRig) -> None:
    rig.wants(1, "error///#")
    assert rig.drops(1, "e///#") == ["1 UNSUBACK"]
    assert rig.publish(1, "nosuch") == CLOSED


def test_generation_1_has_no_topics_for_errors() -> None:
    rig = of_profile(Profile.OLD)
    rig.tenant()
    rig.password("sensor1")
    rig.join(1, "sensor1")
    assert rig.wants(1, "error///#") == ["1 SUBACK 128"]


# What is the end in any case


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"tenants/{TENANT}", {"adapters": [{"type": "hono-http", "enabled": True}]}, 403),
    ],
)
def test_terminal_errors_close_whatever_was_wanted(rig: AdapterRig, path: str, body: object, status: int) -> None:
    rig.wants(1, "error///#")
    rig.api("PUT", path, body)
    rig.after(0)
    assert rig.publish(1, "telemetry/?on-error=ignore") == [f"1 PUBLISH error///telemetry/7/{status}", "1 closed"]


# Gateways


def test_a_gateway_sends_for_a_device_that_is_provisioned_by_it(rig: AdapterRig) -> None:
    assert rig.publish(2, "t//edge1") == ["2 PUBACK"]
    assert rig.publish(2, f"event/{TENANT}/edge1") == ["2 PUBACK"]
    assert rig.shown(f"devices/{TENANT}/edge1")["via"] == ["gw"]
    assert [message.key for message in rig.northbound()] == ["edge1"] * 3


def test_a_device_that_is_no_gateway_provisions_nothing(rig: AdapterRig) -> None:
    """G04; the device itself goes on, so that with a subscription its connection does too."""
    rig.wants(1, "error///#")
    assert rig.publish(1, "t//edge2") == ["1 PUBLISH error//edge2/t/7/404", "1 PUBACK"]
    assert "edge2" not in rig.device_ids()


def test_a_gateway_that_may_not_act_for_a_device_is_closed(rig: AdapterRig) -> None:
    rig.device("edge3", via=["other"])
    rig.wants(2, "error///#")
    assert rig.publish(2, "t//edge3") == ["2 PUBLISH error//edge3/t/7/403", "2 closed"]


def test_an_error_goes_to_the_subscription_for_its_device(rig: AdapterRig) -> None:
    rig.publish(2, "t//edge1")
    rig.wants(2, "e//edge1/#")
    assert rig.publish(2, "event//edge1", qos=0) == ["2 PUBLISH e//edge1/event/-1/400"]
    assert rig.publish(2, "event", qos=0) == ["2 closed"]


# Applications that cannot be reached


@pytest.mark.parametrize(("topic", "said"), [("event", CLOSED), ("telemetry", CLOSED)])
def test_nothing_is_acknowledged_that_nobody_has_taken(rig: AdapterRig, topic: str, said: list[str]) -> None:
    rig.fault(FaultKind.NORTHBOUND_DOWN)
    assert rig.publish(1, topic) == said


def test_telemetry_without_acknowledgement_is_handed_over(rig: AdapterRig) -> None:
    rig.fault(FaultKind.NORTHBOUND_DOWN)
    assert rig.publish(1, "telemetry", qos=0) == []


def test_who_has_subscribed_to_errors_hears_that_nobody_takes_its_events(rig: AdapterRig) -> None:
    rig.wants(1, "e///#")
    rig.fault(FaultKind.NORTHBOUND_DOWN)
    outputs = rig.published(1, "event")
    assert lines(outputs) == ["1 PUBLISH e///event/7/503", "1 PUBACK"]
    assert json.loads(messages_in(outputs)[0].payload)["message"] == "Temporarily unavailable"
