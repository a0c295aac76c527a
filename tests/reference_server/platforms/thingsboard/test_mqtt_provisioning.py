"""Sessions that provision (fact sheet 1.4 and 1.6): what they may do, what they are told, how and when they end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleetrig.reference_server.mqtt_limits import mqtt_limits_of
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.records import ProvisionType
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttAuth, MqttPublishAck, MqttVersion, PublishAckKind
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.reference_server.platforms.thingsboard.mqtt_rig import (
    REQUEST,
    RESPONSE,
    TELEMETRY,
    V5,
    MqttRig,
    of_generation,
)

V311 = MqttVersion.V311
NOT_FOUND = '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}'
PROTOBUF_FOR_NOBODY = bytes.fromhex("1a0b0a066e6f626f6479120178")


def ready(rig: MqttRig) -> MqttRig:
    rig.profile("A", ProvisionType.ALLOW_CREATE)
    rig.profile("X", ProvisionType.CERTIFICATE_CHAIN, "KX", "a certificate")
    return rig


@pytest.fixture
def rig() -> MqttRig:
    return ready(MqttRig())


def answer(line: str) -> dict[str, Any]:
    """The document in a line of an answer."""
    document: dict[str, Any] = json.loads(line[line.index("{") :])
    return document


@pytest.mark.parametrize(
    "fields",
    [
        {"user_name": "provision"},
        {"user_name": "provision", "password": "any", "client_id": "any"},
        {"client_id": "provision"},
        {"client_id": "provision", "user_name": "T"},
    ],
)
def test_who_may_provision(rig: MqttRig, fields: dict[str, Any]) -> None:
    rig.token("d", "T")
    assert rig.join(**fields) == ["1 CONNACK 0"]
    assert rig.request(key="nobody") == ["1 PUBACK", f"1 PUBLISH {RESPONSE} q1 {NOT_FOUND}"]


@pytest.mark.parametrize(("asked", "granted"), [(0, 0), (1, 1), (2, 1)])
def test_an_answer_has_the_qos_of_the_subscription(rig: MqttRig, asked: int, granted: int) -> None:
    rig.provision()
    assert rig.subscribe(qos=asked) == [f"1 SUBACK {granted}"]
    assert rig.request(key="nobody") == ["1 PUBACK", f"1 PUBLISH {RESPONSE} q{granted} {NOT_FOUND}"]


@pytest.mark.parametrize("other", ["#", "provision/response", "/provision/+", f"{RESPONSE}/#", TELEMETRY, "v1/+"])
@pytest.mark.parametrize(("version", "code"), [(V311, 0x80), (V5, 0x8F)])
def test_no_other_filter_is_granted(rig: MqttRig, other: str, version: MqttVersion, code: int) -> None:
    rig.provision(version=version)
    assert rig.subscribe(topic_filter=other) == [f"1 SUBACK {code}"]
    assert rig.request(qos=0, key="nobody") == [f"1 PUBLISH {RESPONSE} q1 {NOT_FOUND}"]


def test_a_subscription_ends(rig: MqttRig) -> None:
    rig.provision(version=V5)
    rig.subscribe(qos=0)
    assert [rig.unsubscribe(), rig.unsubscribe()] == [["1 UNSUBACK 0"], ["1 UNSUBACK 17"]]
    assert rig.request(qos=0, key="nobody") == [f"1 PUBLISH {RESPONSE} q1 {NOT_FOUND}"]


def test_a_device_gets_its_credentials_and_logs_in_with_them(rig: MqttRig) -> None:
    rig.provision()
    puback, reply = rig.request(deviceName="d")
    assert puback == "1 PUBACK"
    assert answer(reply)["status"] == "SUCCESS"
    assert rig.join(2, user_name=answer(reply)["credentialsValue"]) == ["2 CONNACK 0"]
    assert rig.publish(TELEMETRY, {"a": 1}, 2) == ["2 PUBACK"]


def test_the_trace_says_whose_session_it_was(rig: MqttRig) -> None:
    rig.provision()
    rig.request(deviceName="d")
    rig.request(key="nobody")
    said = [event.device for event in rig.events if event.kind in ("answered", "refused")]
    assert said == ["", *["d"] * 4]  # CONNACK, then each time PUBACK and answer
    assert rig.after(60) == ["1 closed"]
    assert rig.events[-1].device == "d"


def test_two_requests_get_two_answers(rig: MqttRig) -> None:
    rig.provision()
    statuses = [answer(rig.request(deviceName="d", qos=0)[0])["status"] for _ in range(2)]
    assert statuses == ["SUCCESS", "FAILURE"]


def test_qos_2_is_acknowledged_as_qos_1(rig: MqttRig) -> None:
    rig.provision()
    assert rig.request(qos=2, key="nobody")[0] == "1 PUBACK"
    assert rig.say(1, MqttPublishAck(PublishAckKind.PUBREL, 7)) == []


def test_nobody_hears_the_answer_to_another(rig: MqttRig) -> None:
    for session in (1, 2):
        rig.provision(session, client_id="provision")
        rig.subscribe(session)
    assert {line[0] for line in rig.request(1, deviceName="a")} == {"1"}
    assert {line[0] for line in rig.request(2, deviceName="b")} == {"2"}


@pytest.mark.parametrize("topic", [TELEMETRY, "provision/request", f"{REQUEST}/", "v1/gateway/connect"])
def test_any_other_topic_ends_it(rig: MqttRig, topic: str) -> None:
    rig.provision(1)
    assert rig.publish(topic, {}, 1) == ["1 PUBACK", "1 closed"]
    rig.provision(2, version=V5)
    assert rig.publish(topic, {}, 2) == ["2 PUBACK 144", "2 DISCONNECT 144", "2 closed"]
    rig.provision(3, version=V5)
    assert rig.publish(topic, {}, 3, qos=0) == ["3 DISCONNECT 144", "3 closed"]


MISSING = {"provisionDeviceSecret": "S"}
UNUSABLE: list[dict[str, Any]] = [
    MISSING,
    {"provisionDeviceKey": "K", "provisionDeviceSecret": "S", "token": None},
    {"provisionDeviceKey": "K", "provisionDeviceSecret": "S", "deviceName": {}},
    {"provisionDeviceKey": "K", "provisionDeviceSecret": "S", "credentialsType": "access_token"},
]
UNDECODABLE = [b"{", b"hello", b"[]", json.dumps({**UNUSABLE[1], "token": ["a", "b"]}).encode()]


@pytest.mark.parametrize("payload", UNDECODABLE)
def test_what_is_no_request_at_all(rig: MqttRig, payload: bytes) -> None:
    rig.provision(1)
    assert rig.publish(REQUEST, payload, 1) == ["1 closed"]
    rig.provision(2, version=V5)
    assert rig.publish(REQUEST, payload, 2) == ["2 PUBACK 153"]
    assert rig.publish(REQUEST, payload, 2, qos=0) == ["2 DISCONNECT 153", "2 closed"]
    assert len(rig.reasons()) >= 3


@pytest.mark.parametrize("document", UNUSABLE)
def test_a_request_with_a_member_that_is_no_value(rig: MqttRig, document: object) -> None:
    rig.provision(1)
    assert rig.publish(REQUEST, document, 1) == ["1 PUBACK", "1 closed"]
    rig.provision(2, version=V5)
    assert rig.publish(REQUEST, document, 2) == ["2 PUBACK 131", "2 DISCONNECT 131", "2 closed"]
    rig.provision(3, version=V5)
    assert rig.publish(REQUEST, document, 3, qos=0) == ["3 DISCONNECT 131", "3 closed"]


def test_protobuf_is_answered_in_protobuf_and_json_from_then_on_too(rig: MqttRig) -> None:
    rig.provision()
    assert rig.request(qos=0, key="nobody") == [f"1 PUBLISH {RESPONSE} q1 {NOT_FOUND}"]
    assert rig.publish(REQUEST, PROTOBUF_FOR_NOBODY) == ["1 PUBACK", f"1 PUBLISH {RESPONSE} q1 0802"]
    assert rig.request(qos=0, key="nobody") == [f"1 PUBLISH {RESPONSE} q1 0802"]


def test_no_payload_is_protobuf_too(rig: MqttRig) -> None:
    rig.provision()
    assert rig.publish(REQUEST, b"", qos=0) == [f"1 PUBLISH {RESPONSE} q1 0802"]


def test_it_ends_a_minute_after_its_first_answer(rig: MqttRig) -> None:
    rig.provision(version=V5)
    rig.request(key="nobody")
    assert rig.after(59.9) == []
    rig.request(key="nobody")
    assert rig.after(0.1) == ["1 closed"]


def test_without_a_request_it_does_not_end(rig: MqttRig) -> None:
    rig.provision(keep_alive_s=1)
    assert rig.after(86_400) == []


def test_a_session_that_has_gone_is_not_ended_again(rig: MqttRig) -> None:
    rig.provision()
    rig.request(key="nobody")
    rig.close(1)
    assert rig.server.next_due_us() is None


def test_a_request_that_gets_no_decision_ends_late(rig: MqttRig) -> None:
    rig.provision(1)
    rig.provision(2, version=V5)
    assert [rig.request(session, key="KX", secret="a certificate") for session in (1, 2)] == [[], []]
    assert rig.request(2, qos=0, key="KX", secret="a certificate") == []
    assert rig.after(9.9) == []
    assert rig.after(0.1) == ["1 PUBACK", "1 closed", "2 PUBACK 131", "2 DISCONNECT 131", "2 closed"]
    assert rig.after(100) == []


def test_whoever_goes_before_the_server_gives_up_hears_nothing(rig: MqttRig) -> None:
    rig.provision()
    rig.request(key="KX", secret="a certificate")
    rig.close(1)
    assert rig.server.next_due_us() is None


def test_what_comes_before_its_connect_is_never_answered(rig: MqttRig) -> None:
    rig.open(1)
    assert rig.request(key="nobody") + rig.subscribe(qos=0) == []
    assert rig.connects(1, user_name="provision") == ["1 CONNACK 0"]
    assert rig.request(qos=0, key="nobody") == [f"1 PUBLISH {RESPONSE} q1 {NOT_FOUND}"]


def test_who_has_provisioned_once_does_nothing_else_on_that_connection(rig: MqttRig) -> None:
    rig.token("d", "T")
    rig.provision()
    assert rig.connects(1, user_name="T") == ["1 CONNACK 0"]
    assert rig.request(key="nobody", qos=0) == [f"1 PUBLISH {RESPONSE} q1 {NOT_FOUND}"]
    assert rig.connects(1, user_name="nobody") == ["1 CONNACK 5", "1 closed"]


def test_packets_that_nothing_waits_for_are_looked_over(rig: MqttRig) -> None:
    rig.provision(version=V5)
    packets: list[Envelope] = [*(MqttPublishAck(kind, 9) for kind in PublishAckKind), MqttAuth(0x18)]
    for packet in packets:
        assert rig.say(1, packet) == []


def test_what_is_too_large_or_broken_ends_it(rig: MqttRig) -> None:
    rig.provision(1)
    assert rig.say(1, Undecodable(Flaw.TOO_LARGE, "")) == ["1 closed"]
    rig.provision(2, version=V5)
    assert rig.say(2, Undecodable(Flaw.TOO_LARGE, "")) == ["2 DISCONNECT 129", "2 closed"]
    rig.open(3)
    assert rig.say(3, Undecodable(Flaw.UNKNOWN_VERSION, "")) == ["3 closed"]


def test_the_largest_packet_has_64_kib_after_its_fixed_header(rig: MqttRig) -> None:
    assert mqtt_limits_of(rig.platform).packet_bytes == 1 + 3 + 65_536


# Older generations (1.7)


def test_before_3_9_nobody_hears_of_subscriptions() -> None:
    rig = ready(of_generation(Profile.OLD))
    rig.provision()
    assert rig.subscribe(qos=0) + rig.unsubscribe() == []
    assert rig.request(key="nobody") == ["1 PUBACK", f"1 PUBLISH {RESPONSE} q1 {NOT_FOUND}"]


def test_before_3_7_a_wrong_topic_or_payload_ends_it_without_a_word() -> None:
    rig = ready(of_generation(Profile.OLD))
    for session, (topic, payload) in enumerate([(TELEMETRY, b"{}"), (REQUEST, b"{"), (REQUEST, b"{}")], 1):
        rig.provision(session, version=V5)
        assert rig.publish(topic, payload, session) == [f"{session} closed"]


def test_before_3_3_it_does_not_end() -> None:
    rig = ready(of_generation(Profile.OLD))
    rig.provision()
    rig.request(key="nobody")
    assert rig.after(3_600) == []


def test_as_documented_the_answer_has_other_members() -> None:
    rig = ready(of_generation(Profile.AS_DOCUMENTED))
    rig.provision()
    assert set(answer(rig.request(deviceName="d", qos=0)[0])) == {
        "deviceId", "provisionDeviceStatus", "credentialsType", "accessToken",
    }  # fmt: skip
