"""A gateway: for whom it speaks, and what it does when one of those is refused (row D14)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttPublishAck, MqttVersion, PublishAckKind
from fleetrig.simulator.effects import Await, Pause, Reply
from tests.simulator.flows.hono.hand import COAPS, HTTP, HTTPS, LOGIN, MQTTS, HonoHand

EDGE = ("edge-1", "edge/2")
BAG = "/?content-type=application%2Fjson"
POSTED = pytest.mark.parametrize("url", [HTTPS, COAPS])
PLACES = pytest.mark.parametrize("url", [HTTPS, MQTTS, COAPS])


OVER_MQTT = ("edge-1", "AA:BB=2")


def gateway(url: str, **settings: Any) -> HonoHand:
    edge = OVER_MQTT if url == MQTTS else EDGE
    return HonoHand(url, edge_devices=edge, telemetry_interval_s=10.0, **settings)


def spoken(device: HonoHand) -> list[str]:
    """The topics that went out over MQTT."""
    return [one.topic for one in device.told if isinstance(one, MqttPublish)]


def accepted(device: HonoHand, code: int = 0) -> None:
    assert isinstance(device.effect, Await), device.effect
    device.give(Reply(MqttPublishAck(PublishAckKind.PUBACK, 1, code), 0.01))


def error(device: HonoHand, code: int, topic: str = "error///telemetry/3/{code}") -> None:
    device.published(topic.format(code=code), {"code": code, "message": "no", "correlation-id": "3"}, qos=0)


def let_in(device: HonoHand) -> None:
    device.connack()
    device.suback(*(one.qos for one in device.request.subscriptions))


@POSTED
def test_it_speaks_for_itself_and_for_those_behind_it(url: str) -> None:
    device = gateway(url)
    said = []
    while not isinstance(device.effect, Pause):
        said.append((device.name, device.request.method, device.request.path))
        device.accept()
    assert said == [
        ("telemetry", "POST", "/telemetry"),
        ("gateway-telemetry", "PUT", "/telemetry//edge-1"),
        ("gateway-telemetry", "PUT", "/telemetry//edge%2F2"),
    ]


def test_over_mqtt_names_stand_in_topics_as_they_are() -> None:
    device = gateway(MQTTS)
    let_in(device)
    for _ in range(3):
        accepted(device)
    assert spoken(device) == [f"telemetry{BAG}", f"telemetry//edge-1{BAG}", f"telemetry//AA:BB=2{BAG}"]


def test_a_name_that_no_level_of_a_topic_can_be_is_not_sent_over_mqtt() -> None:
    with pytest.raises(UsageError, match="got 'edge/2'"):
        HonoHand(MQTTS, edge_devices=EDGE)


def test_it_shows_its_own_credentials() -> None:
    device = gateway(HTTP, login=LOGIN)
    device.accept()
    assert device.request.header("authorization").startswith("Basic ")


def test_it_hears_the_errors_of_those_behind_it() -> None:
    device = gateway(MQTTS, ttd_s=5)
    device.connack()
    assert [one.topic_filter for one in device.request.subscriptions] == ["command//+/req/#", "error///#"]


@POSTED
@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_one_that_is_refused_does_not_keep_it_from_the_others(url: str, status: int) -> None:
    device = gateway(url, telemetry_messages=5)
    device.accept()
    device.refuse(status)
    assert device.request.path.endswith("edge%2F2")
    device.accept()
    assert isinstance(device.effect, Pause)
    assert device.stage == "online"


@POSTED
def test_one_that_stays_refused_is_left_alone_until_the_next_power_on(url: str) -> None:
    device = gateway(url)
    for _ in range(3):
        device.accept()
        device.refuse(404)
        device.accept()
        device.waited()
    device.accept()
    assert device.request.path.endswith("edge%2F2"), "three times are enough"
    device.power_cycle()
    device.accept()
    assert device.request.path.endswith("edge-1")


def test_one_that_is_let_in_later_counts_anew() -> None:
    device = gateway(HTTPS)
    for status in (404, 404, 202, 404, 404):
        device.accept()
        device.http(status)
        device.accept()
        device.waited()
    device.accept()
    assert device.request.path.endswith("edge-1")


@pytest.mark.parametrize("status", [401, 503, 429])
def test_what_speaks_of_the_gateway_or_the_server_holds_it_up_and_nothing_is_lost(status: int) -> None:
    device = gateway(HTTPS)
    device.accept()
    device.accept()
    before = device.request
    device.http(status)
    assert device.pause.why == "backoff"
    device.waited()
    assert device.request == before, "what was accepted is not said twice, what was not is said again"


def test_an_error_over_mqtt_is_told_before_the_puback() -> None:
    device = gateway(MQTTS, mqtt_version=MqttVersion.V5)
    let_in(device)
    accepted(device)
    error(device, 404)
    accepted(device, 0x80)
    assert spoken(device)[-1] == "telemetry//AA:BB=2"
    accepted(device)
    assert device.name == "idle"
    assert device.stage == "online"


@pytest.mark.parametrize("topic", ["error///telemetry/3/{code}", "error///odd"])
def test_an_error_after_which_the_connection_ends_is_still_that_of_the_other(topic: str) -> None:
    """Who may not act for a device is thrown out: it comes back, and goes on with the next one."""
    device = gateway(MQTTS)
    let_in(device)
    accepted(device)
    error(device, 403, topic)
    device.no_reply("closed")
    assert spoken(device)[-1] == f"telemetry//AA:BB=2{BAG}"
    device.no_reply("closed")
    assert device.pause.why == "backoff"
    device.waited()
    let_in(device)
    assert spoken(device)[-1] == f"telemetry//AA:BB=2{BAG}"


def test_an_error_about_its_own_message_is_trouble() -> None:
    device = gateway(MQTTS)
    let_in(device)
    error(device, 503)
    accepted(device)
    assert device.entered[-1] == ("backing_off", "error 503")


@pytest.mark.parametrize("payload", [b"no JSON", b"[]", b'{"code": "x"}', b'{"code": 9}'])
def test_an_error_that_says_nothing(payload: bytes) -> None:
    device = gateway(MQTTS)
    let_in(device)
    device.published("error///odd", payload, qos=0)
    accepted(device)
    assert device.entered[-1] == ("backing_off", "PUBLISH error///odd")


def test_a_server_that_says_good_bye_in_between() -> None:
    device = gateway(MQTTS)
    let_in(device)
    device.no_reply("closed")
    assert device.entered[-1] == ("backing_off", "closed")


@POSTED
def test_a_command_for_one_of_them_is_answered_for_it(url: str) -> None:
    device = gateway(url, ttd_s=5)
    if url == HTTPS:
        names = ("hono-command", "hono-cmd-req-id", "hono-cmd-target-device")
        device.http(200, {"on": True}, tuple(zip(names, ("switch", "7", "edge-1"), strict=True)))
        assert (device.request.method, device.request.path) == ("PUT", "/command/res//edge-1/7")
    else:
        parts = (b"command_response", b"", b"edge-1", b"7")
        device.coap("2.04", {"on": True}, (*((8, part) for part in parts), (20, b"hono-command=switch")))
        assert (device.request.method, device.request.path) == ("PUT", "/command_response//edge-1/7")
    assert device.body() == {"on": True}
    device.accept()
    assert device.name == "gateway-telemetry"
    assert "hono-ttd" not in device.request.query
    assert url == COAPS or device.request.header("hono-ttd") is None


def test_a_command_for_one_of_them_over_mqtt() -> None:
    device = gateway(MQTTS, ttd_s=5)
    let_in(device)
    for _ in range(3):
        accepted(device)
    device.published("command//edge-1/req/7/switch", {"on": True})
    assert (device.request.topic, json.loads(device.request.payload)) == ("command//edge-1/res/7/200", {"on": True})
