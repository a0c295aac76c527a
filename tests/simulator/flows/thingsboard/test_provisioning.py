"""A device asks for credentials, against every kind of answer: rows D01 to D34 of the spec, effect by effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.simulator.contract.coap import CoapRequest, CoapReset
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.mqtt import (
    MqttDisconnect,
    MqttPublish,
    MqttPublishAck,
    MqttSubscribe,
    MqttVersion,
    PublishAckKind,
)
from fleetrig.simulator.effects import NoReply, Pause, Reply
from fleetrig.simulator.flows.thingsboard.credentials import AccessToken, MqttBasic, OwnCertificate, ProvisionKey
from fleetrig.simulator.flows.thingsboard.flow import ThingsBoardDevice
from fleetrig.simulator.flows.thingsboard.settings import ThingsBoardSettings
from tests.simulator.flows.thingsboard.hand import (
    COAP,
    FAILURE,
    HTTP,
    KEY,
    MQTT,
    MQTTS,
    NOT_FOUND,
    SUCCESS,
    TOKEN,
    Hand,
)

URLS = pytest.mark.parametrize("url", [MQTT, HTTP, COAP])
LEAF = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def asked(url: str = MQTT, own: Any = None, **settings: Any) -> Hand:
    """A device whose request is out."""
    device = Hand(url, own, **settings)
    if url.startswith("mqtt"):
        device.connack()
    return device


def test_d01_a_session_of_the_service_without_any_secret() -> None:
    hello = Hand().hello
    assert (hello.user_name, hello.password, hello.client_id) == ("provision", None, "")
    assert Hand(mqtt_version=MqttVersion.V31).hello.client_id == "provision"


def test_d02_d03_d34_subscribes_and_asks_without_waiting() -> None:
    device = asked()
    subscribe, request = device.told
    assert isinstance(subscribe, MqttSubscribe)
    assert [one.topic_filter for one in subscribe.subscriptions] == ["/provision/response"]
    assert isinstance(request, MqttPublish)
    assert request.topic == "/provision/request"
    assert device.name == "provision"


@URLS
def test_d04_the_request(url: str) -> None:
    keys = {"provisionDeviceKey": KEY.key, "provisionDeviceSecret": KEY.secret}
    assert asked(url).document() == {"deviceName": "dev-1", **keys}
    assert asked(url, names_itself=False).document() == keys


@pytest.mark.parametrize(
    ("own", "members"),
    [
        (AccessToken("mine"), {"credentialsType": "ACCESS_TOKEN", "token": "mine"}),
        (MqttBasic("c", "u", "p"),
         {"credentialsType": "MQTT_BASIC", "clientId": "c", "username": "u", "password": "p"}),
        (MqttBasic("", "u"), {"credentialsType": "MQTT_BASIC", "username": "u"}),
        (OwnCertificate(LEAF), {"credentialsType": "X509_CERTIFICATE", "hash": LEAF}),
    ],
)  # fmt: skip
def test_d04_credentials_of_its_own(own: Any, members: dict[str, str]) -> None:
    document = asked(MQTTS, own).document()
    for name in ("deviceName", "provisionDeviceKey", "provisionDeviceSecret"):
        del document[name]
    assert document == members


def test_d33_a_gateway_says_so() -> None:
    assert asked(children=("k1",)).document()["gateway"] is True


@URLS
def test_d05_stores_first_then_leaves_then_logs_in(url: str) -> None:
    device = asked(url, telemetry_url=MQTT)
    device.answered(SUCCESS)
    kept = device.log.index("remember-asked-credentials-fault-stage")
    assert not [name for name in device.log[:kept] if name in ("puback", "provision-leave", "disconnect")]
    assert device.memory == {"stage": "enrolled", "credentials": ["ACCESS_TOKEN", TOKEN]}
    assert device.entered == [("enrolling", "power on"), ("enrolled", "provisioned")]
    assert (device.name, device.hello.user_name) == ("login", TOKEN)


def test_d05_says_good_bye_over_mqtt() -> None:
    device = asked()
    device.answered(SUCCESS)
    assert device.told[-2:] == [MqttPublishAck(PublishAckKind.PUBACK, 7), MqttDisconnect()]
    assert device.log[-4:] == ["provision-leave", "disconnect", "enter-enrolled", "login"]


@pytest.mark.parametrize("own", [None, AccessToken("mine")])
def test_d06_d08_what_the_reply_says_counts(own: Any) -> None:
    device = asked(own=own)
    value = {"clientId": "c1", "userName": "u1", "password": "p1"}
    device.answered({"status": "SUCCESS", "credentialsType": "MQTT_BASIC", "credentialsValue": value})
    hello = device.hello
    assert (hello.client_id, hello.user_name, hello.password) == ("c1", "u1", b"p1")


def test_d06_parts_that_are_missing_or_null() -> None:
    device = asked()
    value = {"clientId": None, "userName": "u1", "password": ""}
    device.answered({"status": "SUCCESS", "credentialsType": "MQTT_BASIC", "credentialsValue": value})
    assert (device.hello.client_id, device.hello.user_name, device.hello.password) == ("dev-1", "u1", None)


def test_d07_its_own_certificate_and_not_the_echoed_text() -> None:
    device = asked(MQTTS, OwnCertificate(LEAF))
    device.answered({"status": "SUCCESS", "credentialsType": "X509_CERTIFICATE", "credentialsValue": "MIIB"})
    assert (device.hello.user_name, device.hello.password) == (None, None)
    assert device.memory["credentials"] == ["X509_CERTIFICATE", None]


def test_d08_what_cannot_be_used_here_is_a_fault_that_is_told() -> None:
    device = asked(HTTP)
    device.answered({"status": "SUCCESS", "credentialsType": "X509_CERTIFICATE", "credentialsValue": "MIIB"})
    assert device.has_ended
    assert (device.stage, dict(device.memory)) == ("refused", {"fault": "credentials_unfit"})
    device.power_cycle()
    device.answered(SUCCESS)  # somebody has changed them
    assert (device.name, device.memory["credentials"]) == ("telemetry", ["ACCESS_TOKEN", TOKEN])


@URLS
def test_d09_other_members_another_order_blanks(url: str) -> None:
    device = asked(url)
    text = f' {{ "extra": [1], "status" : "SUCCESS", "credentialsType":"ACCESS_TOKEN", "credentialsValue":"{TOKEN}" }} '
    device.answered(text.encode()) if url != COAP else device.coap("2.01", text.encode())
    assert device.memory["credentials"] == ["ACCESS_TOKEN", TOKEN]


@URLS
@pytest.mark.parametrize("more", [{}, {"notes": "n" * 5_000, "list": [[1] * 500]}], ids=["a token", "and more"])
def test_d22_a_reply_of_many_kilobytes(url: str, more: dict[str, Any]) -> None:
    token = "t" * 4_000
    device = asked(url)
    device.answered({**SUCCESS, "credentialsValue": token, **more})
    assert device.memory["credentials"] == ["ACCESS_TOKEN", token]


def test_d22_a_long_certificate_is_sent_and_comes_back() -> None:
    leaf = f"-----BEGIN CERTIFICATE-----\n{'MIIB' * 800}\n-----END CERTIFICATE-----\n"
    device = asked(MQTTS, OwnCertificate(leaf))
    assert device.document()["hash"] == leaf
    device.answered({"status": "SUCCESS", "credentialsType": "X509_CERTIFICATE", "credentialsValue": "MIIB" * 800})
    assert device.memory["credentials"] == ["X509_CERTIFICATE", None]


def test_d27_one_request_of_coap_is_waited_for_to_the_end() -> None:
    """An empty acknowledgement is the transport's affair: the flow asks once, and confirmable."""
    device = asked(COAP)
    assert isinstance(device.request, CoapRequest)
    assert device.request.confirmable
    device.coap("2.01", SUCCESS)
    assert device.log.count("provision") == 1


def test_d29_a_session_that_has_ended_troubles_nobody_who_has_a_reply() -> None:
    """The acknowledgement and the good-bye come to nothing, as after the 60 s of the server."""
    device = asked()
    device.tells = NoReply("closed", 0.0)
    device.answered(SUCCESS)
    assert device.entered == [("enrolling", "power on"), ("enrolled", "provisioned")]
    assert (device.name, device.hello.user_name) == ("login", TOKEN)


@pytest.mark.parametrize("stays_on", [False, True])
def test_a_device_that_stays_on_waits_where_others_end(stays_on: bool) -> None:
    device = asked(HTTP, stays_on=stays_on)
    device.answered(NOT_FOUND)
    for _ in range(2 * stays_on):
        assert device.name == "pause-nothing-to-do"
        device.waited()
    assert device.has_ended is not stays_on
    assert device.log.count("provision") == 1


@pytest.mark.parametrize(
    "reply",
    [
        {"status": "SUCCESS", "credentialsType": "ACCESS_TOKEN"},
        {"status": "SUCCESS", "credentialsType": "ACCESS_TOKEN", "credentialsValue": ""},
        {"status": "SUCCESS", "credentialsType": "FOO", "credentialsValue": "x"},
        {"status": "SUCCESS", "credentialsType": "LWM2M_CREDENTIALS"},
        {"status": "SUCCESS", "credentialsType": "MQTT_BASIC", "credentialsValue": {"password": "p"}},
        {"status": "WELL"},
        {"provisionDeviceStatus": "SUCCESS", "credentialsType": "ACCESS_TOKEN", "accessToken": "as documented"},
        {},
        [],
        b"",
        b"{",
        b'{"status":"SUCCESS","credentialsType":"ACCESS_TOKEN","credentialsVal',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
@URLS
def test_d10_d23_what_is_no_reply_stores_nothing(url: str, reply: Any) -> None:
    device = asked(url)
    device.coap("2.01", reply) if url == COAP else device.answered(reply)
    assert device.memory == {"asked": True}
    assert (device.stage, device.name) == ("backing_off", "pause-backoff")


@URLS
@pytest.mark.parametrize("reply", [NOT_FOUND, {"status": "NOT_FOUND"}])
def test_d11_d13_d25_a_wrong_secret_is_final(url: str, reply: Any) -> None:
    device = asked(url)
    device.answered(reply)
    assert device.has_ended
    assert (device.stage, dict(device.memory)) == ("refused", {"fault": "not_found"})
    assert device.entered[-1][1].startswith("NOT_FOUND")


@URLS
def test_d12_failure_is_heard_a_few_times_with_waits_and_always_for_the_same_name(url: str) -> None:
    device = asked(url)
    pauses: list[Pause] = []
    while True:
        assert device.document()["deviceName"] == "dev-1"
        device.answered(FAILURE)
        if device.has_ended:
            break
        assert device.stage == "refused"
        pauses.append(device.pause)
        device.told.clear()
        device.waited()
        if url == MQTT:
            device.connack()
    assert [pause.at_most_s for pause in pauses] == [5.0, 10.0]
    assert dict(device.memory) == {"fault": "failure"}


def test_after_a_fault_the_next_power_on_asks_anew() -> None:
    device = asked(HTTP)
    device.answered(NOT_FOUND)
    device.power_cycle()
    device.answered(SUCCESS)
    assert device.memory == {"stage": "enrolled", "credentials": ["ACCESS_TOKEN", TOKEN]}


@pytest.mark.parametrize("why", ["closed", "reset", "timeout", "malformed"])
@URLS
def test_d14_d17_d26_no_answer_is_waited_out_longer_and_longer(url: str, why: str) -> None:
    device = asked(url)
    spans = []
    for _ in range(4):
        device.no_reply(why)
        assert device.stage == "backing_off"
        spans.append((device.pause.at_least_s, device.pause.at_most_s))
        device.waited()
        assert device.stage == "enrolling"
        if url == MQTT:
            device.connack()
    assert spans == [(2.5, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 40.0)]


@URLS
def test_d15_failure_after_a_lost_answer_is_a_dead_end_of_its_own(url: str) -> None:
    device = asked(url)
    device.no_reply("closed")
    device.waited()
    device.answered(FAILURE)
    assert device.has_ended
    assert dict(device.memory) == {"asked": True, "fault": "lost_answer"}
    assert "did not come" in device.entered[-1][1]


@URLS
def test_d15_also_after_a_power_cut_and_still_at_the_next(url: str) -> None:
    device = asked(url)
    for _ in range(2):
        device.power_cycle()
        device.answered(FAILURE)
        assert device.has_ended
        assert device.memory["fault"] == "lost_answer"
    device.power_cycle()
    device.answered(SUCCESS)  # its operator has seen to it
    assert device.memory == {"stage": "enrolled", "credentials": ["ACCESS_TOKEN", TOKEN]}


def test_a_wrong_key_in_between_does_not_hide_a_dead_end() -> None:
    device = asked(HTTP)
    device.no_reply("closed")
    device.waited()
    device.answered(NOT_FOUND)
    device.power_cycle()
    device.answered(FAILURE)
    assert device.memory["fault"] == "lost_answer"


@pytest.mark.parametrize("why", ["refused", "unreachable", "tls"])
@URLS
def test_what_never_left_cannot_be_lost(url: str, why: str) -> None:
    device = Hand(url)
    device.no_reply(why)
    assert device.memory == {}
    device.waited()
    device.answered(FAILURE)
    assert not device.has_ended
    assert device.stage == "refused"


def test_a_session_that_ends_before_the_request_has_asked_nothing() -> None:
    device = Hand()
    device.tells = NoReply("closed", 0.0)
    device.connack()
    assert (device.stage, device.memory) == ("backing_off", {})
    assert "provision-request" not in device.log


@pytest.mark.parametrize(("status", "may_have"), [(500, True), (502, True), (504, True), (413, False), (503, False)])
def test_d26_http_that_is_no_answer(status: int, may_have: bool) -> None:
    device = asked(HTTP)
    device.http(status)
    assert (device.stage, device.name) == ("backing_off", "pause-backoff")
    assert bool(device.memory.get("asked")) is may_have


@pytest.mark.parametrize(("code", "may_have"), [("5.00", True), ("4.00", False), ("4.05", False), ("5.03", False)])
def test_coap_that_is_no_answer(code: str, may_have: bool) -> None:
    device = asked(COAP)
    device.coap(code)
    assert device.stage == "backing_off"
    assert bool(device.memory.get("asked")) is may_have


def test_a_reset_of_coap_is_no_answer() -> None:
    device = asked(COAP)
    device.give(Reply(CoapReset(), 0.01))
    assert (device.stage, dict(device.memory)) == ("backing_off", {})


@pytest.mark.parametrize("code", [3, 5, 0x88])
def test_d16_a_session_that_is_refused(code: int) -> None:
    device = Hand()
    device.connack(code)
    assert (device.stage, device.told, device.memory) == ("backing_off", [], {})
    assert device.log[-3:] == ["disconnect", "enter-backing_off", "pause-backoff"]


@pytest.mark.parametrize("line", [MqttDisconnect(0x83), MqttPublishAck(PublishAckKind.PUBACK, 2, 0x99)])
def test_mqtt_5_says_that_nothing_will_come(line: Any) -> None:
    device = asked(mqtt_version=MqttVersion.V5)
    device.give(Reply(line, 0.01))
    assert device.stage == "backing_off"
    assert device.entered[-1][1] == line.line


def test_d19_d20_power_goes_before_and_after_it_has_stored() -> None:
    device = asked(HTTP, telemetry_url=MQTT)
    device.power_cycle()
    assert device.name == "provision"
    device.answered(SUCCESS)
    device.power_cycle()
    assert (device.name, device.stage, device.hello.user_name) == ("login", "enrolled", TOKEN)


def test_d24_whom_it_does_not_trust_is_told_nothing() -> None:
    device = Hand(MQTTS)
    device.no_reply("tls")
    assert device.told == []
    assert device.stage == "backing_off"


def test_d28_coap_calls_a_reply_text_and_it_is_read_all_the_same() -> None:
    device = asked(COAP)
    device.coap("4.00", NOT_FOUND)
    assert device.memory["fault"] == "not_found"
    assert device.log.count("disconnect") == 1


def test_d30_a_factory_reset_asks_again_for_the_same_name() -> None:
    first = asked(HTTP)
    first.answered(SUCCESS)
    reset = asked(HTTP)
    assert reset.document()["deviceName"] == "dev-1"


def test_d31_no_repr_shows_a_secret() -> None:
    for shown in (KEY, AccessToken("secret-token"), MqttBasic("c", "u", "secret-word")):
        text = repr(shown)
        assert KEY.secret not in text
        assert KEY.key not in text
        assert "secret-" not in text.replace("secret:", "")


def test_d32_devices_that_start_together_spread() -> None:
    device = Hand(start_spread_s=30.0)
    assert device.pause == Pause(0.0, 30.0, "start spread")
    device.waited()
    assert device.name == "provision-connect"


@pytest.mark.parametrize(
    ("settings", "key", "own"),
    [
        ({"provision_url": "ftp://tb"}, KEY, None),
        ({"provision_url": "mqtt:tb"}, KEY, None),
        ({"provision_url": "mqtt://"}, KEY, None),
        ({"provision_url": HTTP, "telemetry_url": "tb"}, KEY, None),
        ({"provision_url": MQTT, "timeout_s": 0}, KEY, None),
        ({"provision_url": HTTP, "children": ("k",)}, KEY, None),
        ({"provision_url": HTTP}, KEY, MqttBasic("c", "u", "p")),
        ({"provision_url": MQTT}, KEY, OwnCertificate(LEAF)),
        ({"provision_url": COAP}, KEY, OwnCertificate(LEAF)),
        ({"provision_url": MQTT}, None, None),
    ],
)
def test_what_no_device_could_do(settings: dict[str, Any], key: ProvisionKey | None, own: Any) -> None:
    with pytest.raises(UsageError):
        ThingsBoardDevice(ThingsBoardSettings(**settings), key, own)


def test_what_it_says_is_short() -> None:
    (publish,) = [one for one in asked().told if isinstance(one, MqttPublish)]
    assert b" " not in publish.payload
    assert json.loads(publish.payload)
