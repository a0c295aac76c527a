"""What a device shows, how it says what it measures, and what a refusal makes it do (rows D01 to D13 and D16)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fleetrig.simulator.backoff import Backoff, Policy, RetryBudget
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.identity import UserPassword
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttDisconnect, MqttPublish, MqttVersion
from fleetrig.simulator.effects import Await, Connect, Pause, Reply
from fleetrig.simulator.flows.hono.flow import HonoDevice
from fleetrig.simulator.flows.hono.settings import Endpoint, HonoSettings
from tests.simulator.flows.hono.hand import COAPS, ENROLLED, HTTP, HTTPS, LOGIN, MQTT, MQTTS, HonoHand

PLACES = pytest.mark.parametrize("url", [HTTPS, MQTTS, COAPS])
REFUSALS = pytest.mark.parametrize(
    ("url", "status", "fault"),
    [
        (HTTPS, 401, "bad_credentials"),
        (HTTPS, 403, "not_authorized"),
        (HTTPS, 404, "unknown"),
        (MQTTS, 401, "bad_credentials"),
        (MQTTS, 403, "not_authorized"),
        (COAPS, 403, "not_authorized"),
        (COAPS, 404, "unknown"),
    ],
)
BAG = "/?content-type=application%2Fjson"


# What it shows and says


def test_a_certificate_takes_the_place_of_any_login() -> None:
    assert HonoHand(HTTPS).request.header("Authorization") is None
    hello = HonoHand(MQTTS).hello
    assert (hello.client_id, hello.user_name, hello.password) == ("dev-1", None, None)


def test_user_name_and_password() -> None:
    basic = base64.b64encode(b"sensor1@acme:hono-secret").decode()
    assert HonoHand(HTTP, LOGIN).request.header("authorization") == f"Basic {basic}"
    hello = HonoHand(MQTT, LOGIN).hello
    assert (hello.user_name, hello.password) == ("sensor1@acme", b"hono-secret")


def test_telemetry_over_http() -> None:
    request = HonoHand(HTTPS).request
    assert (request.method, request.url) == ("POST", f"{HTTPS}/telemetry")
    assert (request.header("Content-Type"), request.header("qos-level")) == ("application/json", "1")
    assert HonoHand(HTTPS, at_least_once=False).request.header("qos-level") == "0"


def test_events_have_no_qos_level() -> None:
    request = HonoHand(HTTPS, endpoint=Endpoint.EVENT).request
    assert (request.target, request.header("qos-level")) == ("/event", None)


def test_telemetry_over_mqtt() -> None:
    device = HonoHand(MQTTS)
    device.connack()
    assert (device.request.topic, device.request.qos) == (f"telemetry{BAG}", 1)
    assert device.body() == {"temperature": 21.5, "n": 1}


def test_mqtt_5_has_a_property_for_the_content_type() -> None:
    device = HonoHand(MQTTS, mqtt_version=MqttVersion.V5, endpoint=Endpoint.EVENT)
    assert device.hello.version is MqttVersion.V5
    device.connack()
    assert (device.request.topic, device.request.properties) == ("event", (("content_type", "application/json"),))


def test_telemetry_over_coap() -> None:
    request = HonoHand(COAPS).request
    assert (request.method, request.origin, request.target, request.confirmable) == ("POST", COAPS, "/telemetry", True)
    assert request.options == ((12, b"\x32"),)
    assert not HonoHand(COAPS, at_least_once=False).request.confirmable


@pytest.mark.parametrize(
    ("settings", "login"),
    [
        ({"url": "amqp://h"}, LOGIN),
        ({"url": "https://"}, None),
        ({"url": HTTP}, None),
        ({"url": MQTT}, None),
        ({"url": COAPS}, LOGIN),
        ({"url": HTTPS, "endpoint": Endpoint.EVENT, "at_least_once": False}, None),
        ({"url": MQTTS, "mqtt_version": MqttVersion.V31}, None),
        ({"url": HTTPS, "timeout_s": 0}, None),
        ({"url": HTTPS, "ttd_s": 0}, None),
    ],
)
def test_what_no_device_could_do(settings: dict[str, Any], login: UserPassword | None) -> None:
    with pytest.raises(UsageError):
        HonoDevice(HonoSettings(**settings), login)


# It is let in


@PLACES
def test_who_is_let_in_is_enrolled_and_says_so_once(url: str) -> None:
    device = HonoHand(url)
    assert (device.stage, device.memory) == ("enrolling", {})
    device.accept()
    assert (device.stage, device.memory) == ("online", ENROLLED)
    assert [stage for stage, _ in device.entered] == ["enrolling", "enrolled", "online"]


@PLACES
def test_after_a_power_cycle_it_shows_the_same_again(url: str) -> None:
    device = HonoHand(url)
    first = device.effect
    device.accept()
    device.power_cycle()
    assert device.effect == first, "who it is does not change (D13)"
    assert device.stage == "enrolled"


@PLACES
def test_it_numbers_what_it_says_and_ends_when_all_is_said(url: str) -> None:
    device = HonoHand(url, telemetry_messages=2)
    device.accept()
    waited(device)
    assert device.body()["n"] == 2
    device.accept()
    assert device.has_ended
    assert device.log[-1] == "disconnect"
    assert device.told == ([MqttDisconnect()] if url == MQTTS else [])


def test_a_device_that_stays_on_waits_for_its_power_to_be_cut() -> None:
    device = HonoHand(telemetry_messages=1, stays_on=True)
    device.accept()
    assert device.pause.why == "nothing to do"


def test_the_first_connect_has_all_its_time_and_no_second_begins_beside_it() -> None:
    device = HonoHand(MQTTS, timeout_s=30.0)
    assert isinstance(device.effect, Connect)
    assert device.effect.within_s == 30.0
    assert [name for name in device.log if name == "login"] == ["login"], "D11"
    device.connack()
    assert device.name == "telemetry"


def test_it_spreads_its_start() -> None:
    pause = HonoHand(start_spread_s=4.0).pause
    assert (pause.at_least_s, pause.at_most_s, pause.why) == (0.0, 4.0, "start spread")


# It is refused


@REFUSALS
def test_refused_again_and_again_it_waits_longer_and_then_gives_up(url: str, status: int, fault: str) -> None:
    device = HonoHand(url, refused_tries=4, backoff=Backoff(base_s=2.0))
    waits = []
    for _ in range(3):
        device.refuse(status)
        assert device.entered[-1][0] == "refused"
        waits.append((device.pause.at_least_s, device.pause.at_most_s))
        device.waited()
    device.refuse(status)
    assert waits == [(1.0, 2.0), (2.0, 4.0), (4.0, 8.0)]
    assert (device.has_ended, device.memory) == (True, {"fault": fault})


@REFUSALS
def test_who_was_refused_keeps_its_identity_and_comes_back(url: str, status: int, fault: str) -> None:
    device = HonoHand(url, remembered=ENROLLED, refused_tries=1)
    device.refuse(status)
    assert device.memory == {**ENROLLED, "fault": fault}
    device.power_cycle()
    device.accept()
    assert (device.memory, device.stage) == (ENROLLED, "online"), "what was reported is over"


@pytest.mark.parametrize(
    ("version", "code", "stage"),
    [
        (MqttVersion.V311, 3, "backing_off"),
        (MqttVersion.V311, 4, "refused"),
        (MqttVersion.V311, 5, "refused"),
        (MqttVersion.V5, 0x80, "backing_off"),
        (MqttVersion.V5, 0x86, "refused"),
        (MqttVersion.V5, 0x87, "refused"),
        (MqttVersion.V5, 0x88, "backing_off"),
        (MqttVersion.V5, 0x97, "backing_off"),
        (MqttVersion.V5, 0x9C, "backing_off"),
    ],
)
def test_connacks_are_kept_apart(version: MqttVersion, code: int, stage: str) -> None:
    device = HonoHand(MQTTS, remembered=ENROLLED, mqtt_version=version)
    device.connack(code)
    assert device.entered == [(stage, f"CONNACK {code}")]


def test_a_server_that_is_down_is_no_refusal_however_long() -> None:
    device = HonoHand(MQTTS, refused_tries=2)
    for _ in range(10):
        device.connack(3)
        device.waited()
    assert device.name == "login"
    assert device.memory == {}


def test_the_tries_count_only_in_a_row() -> None:
    device = HonoHand(HTTPS, refused_tries=2)
    for _ in range(5):
        device.refuse(401)
        device.waited()
        device.accept()
        device.waited()
    assert not device.has_ended


@pytest.mark.parametrize("url", [HTTPS, COAPS])
def test_who_lost_a_race_comes_back_soon_and_not_with_the_others(url: str) -> None:
    device = HonoHand(url, conflict_tries=2)
    device.refuse(409)
    assert (device.pause.at_least_s, device.pause.at_most_s, device.pause.why) == (0.2, 2.0, "lost race")
    device.waited()
    device.refuse(409)
    device.waited()
    device.refuse(409)
    assert device.pause.why == "backoff", "a conflict that stays is no race"
    device.waited()
    device.accept()
    assert device.stage == "online"


@pytest.mark.parametrize("url", [HTTPS, COAPS])
def test_what_a_busy_server_asks_for_is_the_least(url: str) -> None:
    device = HonoHand(url, backoff=Backoff(base_s=1.0, retry_after_spread_s=3.0))
    if url == HTTPS:
        device.http(503, headers=(("Retry-After", "20"),))
    else:
        device.coap("5.03", options=((14, b"\x14"),))
    assert (device.pause.at_least_s, device.pause.at_most_s) == (20.0, 23.0)


def test_a_busy_server_that_asks_for_little_does_not_end_the_back_off() -> None:
    device = HonoHand(HTTPS, backoff=Backoff(base_s=8.0, retry_after_spread_s=3.0))
    device.http(503, headers=(("Retry-After", "2"),))
    assert (device.pause.at_least_s, device.pause.at_most_s) == (4.0, 8.0)


def test_a_device_without_a_token_waits_for_its_interval_and_for_what_was_asked() -> None:
    backoff = Backoff(Policy.FIXED, base_s=8.0, retry_after_spread_s=3.0, budget=RetryBudget(share=1.0, burst=1))
    device = HonoHand(HTTPS, backoff=backoff, telemetry_interval_s=60.0)
    spans = []
    for asked in ("", "", "2", "90"):
        device.http(503, headers=(("Retry-After", asked),))
        spans.append((device.pause.at_least_s, device.pause.at_most_s))
        waited(device)
    assert spans == [(8.0, 8.0), (60.0, 60.0), (60.0, 60.0), (90.0, 93.0)]
    device.http(202)
    waited(device)
    device.http(503)
    assert device.pause.at_most_s == 8.0, "a whole answer has earned a whole token"


@PLACES
@pytest.mark.parametrize("trouble", ["timeout", "closed", "reset"])
def test_what_was_not_accepted_is_said_again(url: str, trouble: str) -> None:
    device = HonoHand(url)
    device.accept()
    waited(device)
    unheard = device.body()
    device.no_reply(trouble)
    assert device.stage == "backing_off"
    device.waited()
    if url == MQTTS:
        device.connack()
    assert device.body() == unheard == {"temperature": 21.5, "n": 2}


@pytest.mark.parametrize("url", [HTTPS, COAPS])
def test_429_slows_it_down_until_it_is_accepted_again(url: str) -> None:
    device = HonoHand(url, telemetry_interval_s=10.0)
    device.accept()
    assert device.pause.at_most_s == 10.0
    device.waited()
    for _ in range(2):
        device.refuse(429)
        device.waited()
    paces = []
    for _ in range(3):
        device.accept()
        paces.append(device.pause.at_most_s)
        device.waited()
    assert paces == [20.0, 10.0, 10.0]


@PLACES
def test_a_handshake_that_fails_is_reported(url: str) -> None:
    device = HonoHand(url, remembered=ENROLLED, refused_tries=2)
    for _ in range(2):
        device.no_reply("tls")
        if device.effect is not None:
            device.waited()
    assert device.memory == {**ENROLLED, "fault": "no_handshake"}


def test_a_message_that_is_wrong_is_not_said_for_ever() -> None:
    device = HonoHand(HTTPS, refused_tries=2)
    device.refuse(413)
    device.waited()
    device.refuse(400)
    assert (device.has_ended, device.memory["fault"]) == (True, "unfit_message")


def test_let_in_and_thrown_out_at_once_it_backs_off() -> None:
    """D10: its record was deleted; CONNACK 0 alone does not end the row of failures."""
    device = HonoHand(MQTTS, backoff=Backoff(base_s=2.0))
    waits = []
    for _ in range(3):
        device.connack()
        device.no_reply("closed")
        waits.append(device.pause.at_most_s)
        device.waited()
    assert waits == [2.0, 4.0, 8.0]
    device.accept()
    assert device.stage == "online"


# While it has nothing to say


def test_it_pings_while_it_has_nothing_to_say() -> None:
    device = HonoHand(MQTTS, telemetry_interval_s=70.0, keep_alive_s=60)
    device.accept()
    spans = []
    while device.name != "telemetry":
        assert isinstance(device.effect, Await)
        spans.append(device.effect.at_most_s)
        device.no_reply()
        if device.name == "ping":
            device.pong()
    assert spans == [30.0, 30.0, 10.0]


@pytest.mark.parametrize("why", ["closed", "reset"])
def test_a_connection_that_ends_is_opened_again_after_a_wait(why: str) -> None:
    device = HonoHand(MQTTS)
    device.accept()
    device.no_reply(why)
    assert (device.stage, device.name) == ("backing_off", "pause-backoff")
    device.waited()
    assert isinstance(device.hello, MqttConnect)


def test_a_server_that_says_good_bye() -> None:
    device = HonoHand(MQTTS, mqtt_version=MqttVersion.V5)
    device.accept()
    device.give(Reply(MqttDisconnect(0x8B), 1.0))
    assert device.entered[-1] == ("backing_off", "DISCONNECT 139")


# At most once


def test_at_most_once_over_mqtt_waits_for_nothing() -> None:
    device = HonoHand(MQTTS, at_least_once=False)
    device.connack()
    assert isinstance(device.effect, Await)
    (publish,) = device.told
    assert isinstance(publish, MqttPublish)
    assert publish.qos == 0


def test_at_most_once_over_coap_may_stay_without_answer_once_it_was_let_in() -> None:
    device = HonoHand(COAPS, at_least_once=False)
    device.no_reply()
    assert device.pause.why == "backoff", "who was never let in cannot know"
    device.waited()
    device.accept()
    device.waited()
    device.no_reply()
    assert (device.stage, device.pause.why) == ("online", "telemetry interval")


def waited(device: HonoHand) -> None:
    """Until it says something again."""
    while device.name != "telemetry":
        match device.effect:
            case Await():
                device.no_reply()
            case Pause():
                device.waited()
            case _:
                device.pong()
