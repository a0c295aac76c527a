"""Commands that come over each transport, and what becomes of them (row D15)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.simulator.contract.coap import CoapResponse
from fleetrig.simulator.contract.mqtt import MqttPublish, MqttPublishAck, MqttSubscribe, PublishAckKind, Subscription
from fleetrig.simulator.effects import Await
from fleetrig.simulator.flows.hono.command import from_coap, from_mqtt
from tests.simulator.flows.hono.hand import COAPS, HTTPS, MQTTS, HonoHand

ID = "1010a7249aa5-f742"
HEADERS = (("hono-command", "setBrightness"), ("hono-cmd-req-id", ID))
LOCATION = ((8, b"command_response"), (8, ID.encode()), (20, b"hono-command=setBrightness"))
BRIGHTNESS = {"brightness": 87}


def hearing(url: str, **settings: Any) -> HonoHand:
    return HonoHand(url, ttd_s=10, telemetry_interval_s=60.0, **settings)


def command(device: HonoHand, name: str = "setBrightness", document: object = BRIGHTNESS, request_id: str = ID) -> None:
    """One that its own request brings, or that comes while it waits."""
    match device.effect:
        case Await():
            device.published(f"command///req/{request_id}/{name}", document)
        case _ if device.request.origin.startswith("coap"):
            path = [(8, b"command_response"), (8, request_id.encode())] if request_id else [(8, b"command")]
            device.coap("2.04", document, (*path, (20, f"hono-command={name}".encode())))
        case _:
            asked = (("hono-cmd-req-id", request_id),) if request_id else ()
            device.http(200, document, (("hono-command", name), *asked))


def at_a_command(url: str, **settings: Any) -> HonoHand:
    """Where a command can come."""
    device = hearing(url, **settings)
    if url == MQTTS:
        device.accept()
    return device


PLACES = pytest.mark.parametrize("url", [HTTPS, MQTTS, COAPS])


@pytest.mark.parametrize("url", [HTTPS, COAPS])
def test_it_says_how_long_it_waits_and_waits_so_long(url: str) -> None:
    device = hearing(url, timeout_s=5.0)
    asked = device.request.header("hono-ttd") if url == HTTPS else device.request.query
    assert asked in ("10", "hono-ttd=10")
    assert device.effect.within_s == 15.0  # type: ignore[union-attr]


def test_over_mqtt_it_subscribes() -> None:
    device = hearing(MQTTS)
    device.connack()
    assert device.request == MqttSubscribe((Subscription("command///req/#", 1),))
    device.suback(1)
    assert device.name == "telemetry"


def test_a_refused_subscription_ends_the_session() -> None:
    device = hearing(MQTTS)
    device.connack()
    device.suback(0x80)
    assert device.entered[-1] == ("backing_off", "SUBACK 128")


def test_the_answer_over_http() -> None:
    device = hearing(HTTPS)
    device.http(200, BRIGHTNESS, HEADERS)
    request = device.request
    assert (request.method, request.target) == ("POST", f"/command/res/{ID}?hono-cmd-status=200")
    assert (device.body(), device.name) == (BRIGHTNESS, "command-response")
    device.http(202)
    assert device.pause.why == "telemetry interval"


def test_the_answer_over_coap_goes_where_the_command_said() -> None:
    device = hearing(COAPS)
    device.coap("2.04", BRIGHTNESS, LOCATION)
    request = device.request
    assert (request.method, request.target) == ("POST", f"/command_response/{ID}?hono-cmd-status=200")
    assert request.confirmable
    device.coap("2.04")
    assert device.pause.why == "telemetry interval"


def test_over_mqtt_it_is_acknowledged_before_it_is_answered() -> None:
    device = at_a_command(MQTTS)
    command(device)
    assert device.told == [MqttPublishAck(PublishAckKind.PUBACK, 7)]
    assert (device.request.topic, device.request.qos) == (f"command///res/{ID}/200", 1)
    assert device.body() == BRIGHTNESS
    device.puback()
    assert isinstance(device.effect, Await)


@PLACES
def test_what_wants_no_answer_gets_none(url: str) -> None:
    device = at_a_command(url)
    command(device, request_id="")
    assert device.name != "command-response"
    assert device.stage == "online"


@PLACES
def test_a_command_that_is_carried_out(url: str) -> None:
    device = at_a_command(url, telemetry_messages=None)
    command(device, "setInterval", {"seconds": 20})
    device.puback() if url == MQTTS else device.accept()
    assert device.effect is not None
    waits: Any = device.effect
    assert waits.at_most_s == 20.0


@PLACES
@pytest.mark.parametrize("document", [b"no JSON", [], {"seconds": "20"}, {"seconds": 0}, {"seconds": True}, {"s": 1}])
def test_a_command_with_nonsense_in_it_is_refused_and_changes_nothing(url: str, document: object) -> None:
    device = at_a_command(url)
    command(device, "setInterval", document)
    asked = device.request.topic if url == MQTTS else device.request.query
    assert asked.endswith("400")
    device.puback() if url == MQTTS else device.accept()
    waits: Any = device.effect
    assert waits.at_most_s == (30.0 if url == MQTTS else 60.0)


@pytest.mark.parametrize("url", [HTTPS, COAPS])
def test_an_answer_that_nobody_takes_is_dropped_after_three_tries(url: str) -> None:
    device = hearing(url)
    command(device)
    for _ in range(3):
        assert device.name == "command-response"
        device.refuse(503)
        if device.pause.why == "backoff":
            device.waited()
    assert (device.stage, device.pause.why) == ("online", "telemetry interval")


@pytest.mark.parametrize("url", [HTTPS, COAPS])
def test_an_answer_that_is_refused_is_not_repeated(url: str) -> None:
    device = hearing(url)
    command(device)
    device.refuse(404)
    assert device.pause.why == "telemetry interval"


# Odd ones


@pytest.mark.parametrize("topic", ["command///req", "command///res/1/200", "error///telemetry/1/404", "command//req/1"])
def test_what_is_no_command(topic: str) -> None:
    assert from_mqtt(MqttPublish(topic)) is None
    device = at_a_command(MQTTS)
    if topic.startswith("command/"):
        device.published(topic, qos=0)
        assert isinstance(device.effect, Await)


def test_a_name_with_slashes_and_short_words() -> None:
    found = from_mqtt(MqttPublish("c//edge-1/q/7/a/b"))
    assert found is not None
    assert (found.name, found.request_id, found.device_id) == ("a/b", "7", "edge-1")


def test_a_response_without_a_command() -> None:
    assert from_coap(CoapResponse("2.04", options=((8, b"command"),))) is None


def test_a_command_for_a_device_behind_a_gateway_over_coap() -> None:
    parts = (b"command_response", b"", b"edge 1", ID.encode())
    options = (*((8, part) for part in parts), (20, b"hono-command=on"))
    found = from_coap(CoapResponse("2.04", options=options))
    assert found is not None
    assert (found.device_id, found.answer_path) == ("edge 1", f"/command_response//edge%201/{ID}")
    one_way = from_coap(CoapResponse("2.04", options=((8, b"command"), (8, b""), (8, b"e"), (20, b"hono-command=on"))))
    assert one_way is not None
    assert (one_way.request_id, one_way.device_id) == ("", "e")


def test_json_is_what_is_said_back() -> None:
    device = hearing(HTTPS)
    device.http(200, json.dumps(BRIGHTNESS).encode(), HEADERS)
    assert device.request.header("Content-Type") == "application/json"
