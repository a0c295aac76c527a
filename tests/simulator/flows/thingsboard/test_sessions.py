"""A device that has credentials: logs in, sends telemetry, and what it does when they are accepted no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.simulator.backoff import Backoff, CircuitBreaker, Policy, RetryBudget
from fleetrig.simulator.contract.identity import ClientCertificate
from fleetrig.simulator.contract.mqtt import MqttDisconnect, MqttPublish, MqttVersion
from fleetrig.simulator.effects import Await, Reply
from fleetrig.simulator.flows.thingsboard.credentials import OwnCertificate
from tests.simulator.flows.thingsboard.hand import COAP, COAPS, FAILURE, HTTP, KEY, MQTT, MQTTS, SUCCESS, TOKEN, Hand

STORED = {"stage": "enrolled", "credentials": ["ACCESS_TOKEN", TOKEN]}
CERTIFICATE = {"stage": "enrolled", "credentials": ["X509_CERTIFICATE", None]}
TELEMETRY = "v1/devices/me/telemetry"
URLS = pytest.mark.parametrize("url", [MQTT, HTTP, COAP])


def stored(url: str = MQTT, remembered: Any = STORED, **settings: Any) -> Hand:
    """A device that has its credentials and is at its first call."""
    return Hand(url, remembered=remembered, **settings)


def refuse(device: Hand) -> None:
    match device.name, device.agent.stage:
        case "login", _:
            device.connack(5)
        case _ if device.request.origin.startswith("coap"):
            device.coap("4.01")
        case _:
            device.http(401)


def accept(device: Hand) -> None:
    if device.name == "login":
        device.connack()
    if isinstance(getattr(device.effect, "request", None), MqttPublish):
        device.puback()
    elif device.request.origin.startswith("coap"):
        device.coap("2.01")
    else:
        device.http(200)


def test_telemetry_over_mqtt() -> None:
    device = stored()
    device.connack()
    assert device.stage == "online"
    publish = device.request
    assert (publish.topic, publish.qos, json.loads(publish.payload)) == (TELEMETRY, 1, {"temperature": 21.5})
    device.puback()
    assert isinstance(device.effect, Await)


def test_telemetry_over_http_and_coap_has_the_token_in_its_path() -> None:
    token = "a/b c"
    memory = {"stage": "enrolled", "credentials": ["ACCESS_TOKEN", token]}
    for url in (HTTP, COAP):
        request = stored(url, memory).request
        assert (request.method, request.origin, request.target) == ("POST", url, "/api/v1/a%2Fb%20c/telemetry")


def test_over_dtls_a_certificate_takes_the_place_of_the_token() -> None:
    assert stored(COAPS, CERTIFICATE).request.target == "/api/v1/telemetry"


@URLS
def test_online_is_who_was_accepted(url: str) -> None:
    device = stored(url)
    assert device.stage == "enrolled"
    accept(device)
    assert device.stage == "online"


@URLS
def test_it_ends_when_all_is_said(url: str) -> None:
    device = stored(url, telemetry_messages=1)
    accept(device)
    assert device.has_ended
    assert device.log[-1] == "disconnect"
    assert device.told == ([MqttDisconnect()] if url == MQTT else [])


def test_it_pings_while_it_has_nothing_to_say() -> None:
    device = stored(telemetry_interval_s=70.0, keep_alive_s=60)
    accept(device)
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
    device = stored()
    accept(device)
    device.no_reply(why)
    assert (device.stage, device.name) == ("backing_off", "pause-backoff")
    assert device.log[-3] == "disconnect"
    device.waited()
    accept(device)
    assert device.stage == "online"
    device.no_reply(why)
    assert device.pause.at_most_s == 5.0, "what was accepted meanwhile ends the row of failures"


def test_a_device_without_a_token_waits_for_its_interval_and_one_whose_breaker_is_open_is_silent() -> None:
    backoff = Backoff(
        Policy.FIXED, base_s=8.0, budget=RetryBudget(share=1.0, burst=1), breaker=CircuitBreaker(3, 300.0, 60.0)
    )
    device = stored(telemetry_interval_s=60.0, backoff=backoff)
    spans = []
    for _ in range(4):
        device.no_reply("refused")
        spans.append((device.pause.at_least_s, device.pause.at_most_s))
        device.waited()
    assert spans == [(8.0, 8.0), (60.0, 60.0), (300.0, 360.0), (300.0, 360.0)]
    accept(device)
    device.no_reply("closed")
    assert device.pause.at_most_s == 8.0


def test_a_server_that_says_good_bye() -> None:
    device = stored(mqtt_version=MqttVersion.V5)
    accept(device)
    device.give(Reply(MqttDisconnect(0x98), 1.0))
    assert device.entered[-1] == ("backing_off", "DISCONNECT 152")


def test_a_server_that_accepts_and_hangs_up_is_called_less_and_less() -> None:
    """A login alone is no success: else it would come back every few seconds for good."""
    device = stored()
    waits = []
    for _ in range(4):
        device.connack()
        device.no_reply("closed")
        waits.append(device.pause.at_most_s)
        device.waited()
    assert waits == [5.0, 10.0, 20.0, 40.0]


@pytest.mark.parametrize("code", [3, 0x88, 0x9F])
def test_a_server_in_trouble_says_nothing_about_the_credentials(code: int) -> None:
    device = stored()
    for _ in range(5):
        device.connack(code)
        assert device.stage == "backing_off"
        device.waited()
    assert device.memory == STORED


def test_ping_and_telemetry_without_answer() -> None:
    device = stored(telemetry_interval_s=70.0)
    device.connack()
    device.no_reply()
    assert device.stage == "backing_off"
    device.waited()
    accept(device)
    device.no_reply()
    device.no_reply()
    assert device.log[-4:] == ["ping", "disconnect", "enter-backing_off", "pause-backoff"]


def test_telemetry_that_is_refused_by_mqtt_5() -> None:
    device = stored(mqtt_version=MqttVersion.V5)
    device.connack()
    device.puback(0x83)
    assert device.entered[-1] == ("backing_off", "PUBACK 131")


@pytest.mark.parametrize(("url", "status"), [(HTTP, 500), (HTTP, 503), (COAP, "5.00"), (COAP, "4.00")])
def test_a_failed_post_is_waited_out(url: str, status: Any) -> None:
    device = stored(url)
    device.http(status) if url == HTTP else device.coap(status)
    assert (device.stage, device.name) == ("backing_off", "pause-backoff")
    assert device.memory == STORED


def tries(device: Hand) -> int:
    """Is refused until it no longer tries to log in."""
    count = 0
    while device.name in ("login", "telemetry"):
        refuse(device)
        count += 1
        if not device.has_ended:
            assert device.stage == "refused"
            device.waited()
    return count


@URLS
def test_d21_refused_credentials_are_tried_a_few_times_then_asked_for_anew_once(url: str) -> None:
    device = stored(url)
    assert tries(device) == 3
    assert device.stage == "enrolling"
    assert device.memory["credentials"] == STORED["credentials"]
    device.answered({**SUCCESS, "credentialsValue": "another"})
    assert tries(device) == 3
    assert device.has_ended
    assert dict(device.memory) == {
        "stage": "enrolled", "credentials": ["ACCESS_TOKEN", "another"], "fault": "credentials_refused",
    }  # fmt: skip


def test_d21_failure_then_is_no_lost_answer() -> None:
    device = stored(HTTP)
    tries(device)
    for _ in range(3):
        device.answered(FAILURE)
        if not device.has_ended:
            device.waited()
    assert device.has_ended
    assert device.memory["fault"] == "failure"
    assert device.memory["credentials"] == STORED["credentials"]


def test_d21_what_works_again_is_no_fault_any_more() -> None:
    device = stored(HTTP, {**STORED, "asked": True, "fault": "credentials_refused"})
    accept(device)
    assert device.memory == STORED


def test_d21_one_good_login_counts_anew() -> None:
    device = stored(login_tries=2)
    for _ in range(4):
        device.connack(5)
        device.waited()
        accept(device)
        device.no_reply("closed")
        device.waited()
    assert device.name == "login"


def test_stored_credentials_that_another_program_cannot_use() -> None:
    device = stored(HTTP, CERTIFICATE)
    assert device.has_ended
    assert (device.stage, device.memory["fault"]) == ("refused", "credentials_unfit")


def test_d33_a_gateway_connects_its_children_and_speaks_for_them() -> None:
    device = stored(children=("k1", "k2"))
    device.connack()
    topics = []
    while device.name in ("gateway-connect", "telemetry", "gateway-telemetry"):
        topics.append((device.request.topic, json.loads(device.request.payload)))
        device.puback()
    assert topics == [
        ("v1/gateway/connect", {"device": "k1"}),
        ("v1/gateway/connect", {"device": "k2"}),
        (TELEMETRY, {"temperature": 21.5}),
        ("v1/gateway/telemetry", {"k1": [{"temperature": 21.5}], "k2": [{"temperature": 21.5}]}),
    ]


def test_a_gateway_that_is_none_on_the_server_backs_off() -> None:
    device = stored(children=("k1",))
    device.connack()
    device.no_reply()
    assert device.stage == "backing_off"


def test_a_chain_asks_for_nothing() -> None:
    device = Hand(MQTTS, key=None)
    assert (device.stage, device.name) == ("enrolling", "login")
    assert (device.hello.client_id, device.hello.user_name, device.hello.password) == ("dev-1", None, None)
    device.connack()
    assert device.memory == CERTIFICATE
    assert [stage for stage, _ in device.entered] == ["enrolling", "enrolled", "online"]


def test_a_chain_that_nobody_knows_is_final_after_a_few_tries() -> None:
    device = Hand(MQTTS, key=None)
    assert tries(device) == 3
    assert device.has_ended
    assert dict(device.memory) == {"fault": "credentials_refused"}
    device.power_cycle()
    device.no_reply("timeout")
    device.waited()
    device.connack()
    assert device.stage == "online"
    assert device.memory == CERTIFICATE


@pytest.mark.parametrize(
    ("version", "client_id"), [(MqttVersion.V31, "dev-1"), (MqttVersion.V311, "dev-1"), (MqttVersion.V5, "dev-1")]
)
def test_a_token_may_come_with_any_client_id(version: MqttVersion, client_id: str) -> None:
    hello = stored(mqtt_version=version).hello
    assert (hello.client_id, hello.user_name, hello.password, hello.version) == (client_id, TOKEN, None, version)


def test_the_certificate_that_it_tells_of_is_its_own() -> None:
    told = OwnCertificate.of(ClientCertificate((b"leaf", b"authority"), b"key"))
    assert told.leaf_pem == "-----BEGIN CERTIFICATE-----\nbGVhZg==\n-----END CERTIFICATE-----\n"
    device = Hand(MQTTS, told, KEY)
    assert device.name == "provision-connect"
