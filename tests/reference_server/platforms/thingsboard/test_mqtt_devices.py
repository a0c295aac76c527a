"""Sessions of devices and gateways (fact sheet 3.2, 2): topics, answers, pushes, and what ends them from outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.attributes import (
    attributes_of,
    delete_attributes,
    latest_of,
    put_attributes,
)
from fleetrig.reference_server.platforms.thingsboard.state.credential_forms import FormedCredentials
from fleetrig.reference_server.platforms.thingsboard.state.devices import delete_device, save_credentials, save_device
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.reference_server.platforms.thingsboard.state.message_limits import read_limits
from fleetrig.reference_server.platforms.thingsboard.state.records import (
    CLAIM_OFFER,
    INSTALLATION,
    CredentialsType,
    Device,
    Scope,
)
from fleetrig.reference_server.platforms.thingsboard.state.registry import Notice, NoticeKind
from fleetrig.reference_server.platforms.thingsboard.state.settings import Settings
from fleetrig.simulator.contract.mqtt import MqttPingreq, MqttVersion
from tests.reference_server.platforms.thingsboard.mqtt_rig import TELEMETRY, V5, MqttRig, of_generation

ATTRIBUTES = "v1/devices/me/attributes"
RPC = "v1/devices/me/rpc/request/"


@pytest.fixture
def rig() -> MqttRig:
    """Sessions 1 and 2 are of one device, 3 is of a gateway."""
    rig = MqttRig(settings=Settings(sessions_per_device=3))
    rig.token("d", "T")
    rig.token("gw", "G", additional_info={"gateway": True})
    rig.join(1, user_name="T")
    rig.join(2, user_name="T", version=V5)
    rig.join(3, user_name="G")
    return rig


def device(rig: MqttRig, name: str = "d") -> Device:
    found = rig.named(name)
    assert found is not None
    return found


def latest(rig: MqttRig, name: str = "d") -> dict[str, object]:
    return {one.key: one.value for one in latest_of(rig.registry, device(rig, name).id)}


def attributes(rig: MqttRig, name: str = "d", scope: Scope = Scope.CLIENT) -> dict[str, object]:
    return {one.key: one.value for one in attributes_of(rig.registry, device(rig, name).id, scope)}


class Undone(Exception):
    """Ends a transaction."""


# Topics


@pytest.mark.parametrize("topic", [TELEMETRY, "v2/t", "v2/t/j"])
def test_telemetry_is_kept(rig: MqttRig, topic: str) -> None:
    assert rig.publish(topic, {"a": 1, "fw": "1.0"}) == ["1 PUBACK"]
    assert rig.publish(topic, {"b": 2}, qos=0) == []
    assert latest(rig) == {"a": 1, "b": 2, "fw": 1.0}


@pytest.mark.parametrize("topic", [ATTRIBUTES, "v2/a", "v2/a/j"])
def test_attributes_are_kept(rig: MqttRig, topic: str) -> None:
    assert rig.publish(topic, {"serial": "007", "hw": "1.0b"}, 2) == ["2 PUBACK"]
    assert attributes(rig) == {"serial": 7, "hw": "1.0b"}


@pytest.mark.parametrize("topic", ["no/such/topic", "/provision/request", "v1/devices/me", f"{TELEMETRY}/", "v2/x"])
def test_an_unknown_topic_is_acknowledged_and_forgotten(rig: MqttRig, topic: str) -> None:
    assert rig.publish(topic, {"a": 1}, 1) == ["1 PUBACK"]
    assert rig.publish(topic, {"a": 1}, 2) == ["2 PUBACK 144"]
    assert rig.publish(TELEMETRY, {"a": 1}, 2) == ["2 PUBACK"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TELEMETRY, b"{bad"),
        (TELEMETRY, b"5"),
        (TELEMETRY, b""),
        (ATTRIBUTES, b"[]"),
        ("v1/devices/me/claim", b"[]"),
        ("v1/devices/me/attributes/request/x", b"{}"),
        ("v1/devices/me/attributes/request/1", b"[]"),
        ("v2/t/p", b"\x08\x01"),
    ],
)
def test_what_cannot_be_read(rig: MqttRig, topic: str, payload: bytes) -> None:
    assert rig.publish(topic, payload, 1) == ["1 closed"]
    assert rig.publish(topic, payload, 2) == ["2 PUBACK 153"]
    assert rig.publish(topic, payload, 2, qos=0) == ["2 DISCONNECT 153", "2 closed"]
    assert len(rig.reasons()) == 3


@pytest.mark.parametrize(("number", "payload"), [("x", b'{"method":"m"}'), ("1", b"{}")])
def test_an_rpc_that_comes_upon_a_bug_of_the_server(rig: MqttRig, number: str, payload: bytes) -> None:
    assert rig.publish(f"{RPC}{number}", payload, 2) == ["2 DISCONNECT 139", "2 closed"]


def test_which_filters_are_granted(rig: MqttRig) -> None:
    wanted = ["#", ATTRIBUTES, f"{RPC}+", f"{ATTRIBUTES}/response/+", "v2/fw/response/+", "v2/fw/response/+/chunk/+"]
    codes = [rig.subscribe(1, one, qos=2)[0].removeprefix("1 SUBACK ") for one in wanted]
    assert codes == ["128", "1", "1", "1", "128", "1"]
    assert rig.subscribe(2, "$share/g/v1") == rig.subscribe(2, "/provision/response") == ["2 SUBACK 143"]


# Answers

LIMITS = (
    '{"maxPayloadSize":65536,"maxInflightMessages":100,'
    '"rateLimits":{"messages":null,"telemetryMessages":null,"telemetryDataPoints":null}'
)


def test_the_limits_of_a_session(rig: MqttRig) -> None:
    asks = {"method": "getSessionLimits", "params": {}}
    answer = f"1 PUBLISH v1/devices/me/rpc/response/1 q1 {LIMITS}}}"
    assert rig.publish(f"{RPC}1", asks, 1) == ["1 PUBACK", answer]
    more = ',"gatewayRateLimits":{"messages":null,"telemetryMessages":null,"telemetryDataPoints":null}}'
    assert rig.publish("v2/r/req/5", asks, 3, qos=0) == [f"3 PUBLISH v2/r/res/5 q1 {LIMITS}{more}"]


def test_other_rpcs_are_acknowledged_and_not_answered(rig: MqttRig) -> None:
    assert rig.publish(f"{RPC}1", {"method": "m"}) == ["1 PUBACK"]
    assert rig.publish("v1/devices/me/rpc/response/1", b"anything") == ["1 PUBACK"]


def test_attributes_are_read_back(rig: MqttRig) -> None:
    rig.publish(ATTRIBUTES, {"fw": "1.0", "hw": "1.0b"})
    put_attributes(rig.registry, device(rig).id, Scope.SHARED, {"interval": 5}, rig.now_us)
    rig.subscribe(1, f"{ATTRIBUTES}/response/+", qos=0)
    everything = '{"client":{"fw":1.0,"hw":"1.0b"},"shared":{"interval":5}}'
    asked = [
        ({"clientKeys": "fw,hw", "sharedKeys": "interval"}, everything),
        ({"clientKeys": "hw"}, '{"client":{"hw":"1.0b"}}'),
        ({"sharedKeys": "nothing"}, "{}"),
        ({}, everything),
    ]
    for body, answer in asked:
        heard = rig.publish(f"{ATTRIBUTES}/request/7", body)
        assert heard == ["1 PUBACK", f"1 PUBLISH {ATTRIBUTES}/response/7 q0 {answer}"]


def test_a_device_offers_to_be_claimed(rig: MqttRig) -> None:
    assert rig.publish("v1/devices/me/claim", {"secretKey": "k", "durationMs": 60_000}) == ["1 PUBACK"]
    offer = rig.store.get(CLAIM_OFFER, INSTALLATION, device(rig).id)
    assert offer is not None
    assert (offer.secret_key, offer.until_ms - rig.now_us // 1000) == ("k", 60_000)
    assert rig.publish("v1/devices/me/claim", b"") == ["1 PUBACK"]


TELEMETRY_LIMIT = "transportDeviceTelemetryMsgRateLimit"


def test_who_sends_more_than_it_may_is_closed(rig: MqttRig) -> None:
    limited = MqttRig(settings=replace(rig.settings, tenant_configuration={TELEMETRY_LIMIT: "5:60,100:600"}))
    limited.token("d", "T")
    limited.token("other", "T2")
    for session in (1, 2):
        limited.join(session, user_name="T", version=V5)
    limited.join(3, user_name="T2")
    assert [limited.publish(TELEMETRY, {"a": 1}) for _ in range(5)] == [["1 PUBACK"]] * 5
    assert limited.publish(ATTRIBUTES, {"a": 1}) == ["1 DISCONNECT 131", "1 closed"]
    assert limited.publish(TELEMETRY, {"a": 1}, 3) == ["3 PUBACK"]
    limited.after(12)
    assert limited.publish(TELEMETRY, {"a": 1}, 2) == ["2 PUBACK"]
    assert limited.publish(TELEMETRY, {"a": 1}, 2) == ["2 DISCONNECT 131", "2 closed"]


def test_its_limits_are_told_to_who_asks() -> None:
    said = {"transportDeviceMsgRateLimit": "5:60", "transportGatewayDeviceTelemetryMsgRateLimit": "6:60"}
    limited = MqttRig(settings=replace(Settings(), tenant_configuration=said))
    limited.token("d", "T")
    limited.join(1, user_name="T")
    answer = limited.publish(f"{RPC}1", {"method": "getSessionLimits"}, qos=0)[0]
    assert '"rateLimits":{"messages":"5:60","telemetryMessages":null' in answer
    limited.token("gw", "G", additional_info={"gateway": True})
    limited.join(2, user_name="G")
    told = limited.publish(f"{RPC}1", {"method": "getSessionLimits"}, 2, qos=0)[0]
    assert '"rateLimits":{"messages":null,"telemetryMessages":"6:60"' in told
    assert [limited.publish(TELEMETRY, {"a": 1}, 2) for _ in range(6)] == [["2 PUBACK"]] * 6
    assert limited.publish(TELEMETRY, {"a": 1}, 2) == ["2 closed"]


@pytest.mark.parametrize("text", ["5", "a:b", "0:60", "5:0", "5:60:7"])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|expected capacity"):
        read_limits(text)


# What is pushed


def test_updates_of_shared_attributes_go_to_who_has_subscribed(rig: MqttRig) -> None:
    rig.subscribe(1, ATTRIBUTES)
    rig.subscribe(2, "v2/a", qos=0)
    rig.subscribe(3, ATTRIBUTES)
    device_id = device(rig).id
    put_attributes(rig.registry, device_id, Scope.SHARED, {"a": 1}, rig.now_us)
    put_attributes(rig.registry, device_id, Scope.SERVER, {"b": 1}, rig.now_us)
    assert rig.after(0) == [f"1 PUBLISH {ATTRIBUTES}", "2 PUBLISH v2/a"]
    rig.unsubscribe(2, "v2/a")
    delete_attributes(rig.registry, device_id, Scope.SHARED, ["a", "b"])
    assert [json.loads(one.envelope.payload) for one in rig.server.advance(rig.now_us)] == [{"deleted": ["a"]}]  # type: ignore[union-attr]


def test_rpcs_are_numbered_by_device(rig: MqttRig) -> None:
    rig.subscribe(1, f"{RPC}+")
    for name in ("d", "d", "gw"):
        body = {"method": "ping", "params": {"a": 1}}
        rig.registry.notify(Notice(NoticeKind.RPC_REQUESTED, device(rig, name).id, body))
    pushed = rig.server.advance(rig.now_us)
    assert [one.envelope.topic for one in pushed] == [f"{RPC}0", f"{RPC}1"]  # type: ignore[union-attr]
    assert pushed[0].envelope.payload == b'{"method":"ping","params":{"a":1}}'  # type: ignore[union-attr]


# What ends sessions


def deleted(rig: MqttRig) -> None:
    delete_device(rig.registry, device(rig))


def with_another_token(rig: MqttRig) -> None:
    other = FormedCredentials(CredentialsType.ACCESS_TOKEN, "T2")
    save_credentials(rig.registry, rig.credentials(device(rig)), other)


@pytest.mark.parametrize("change", [deleted, with_another_token])
def test_all_sessions_of_a_device_end_when_it_cannot_log_in_any_more(
    rig: MqttRig, change: Callable[[MqttRig], None]
) -> None:
    change(rig)
    assert rig.after(0) == ["1 closed", "2 DISCONNECT 152", "2 closed"]
    assert rig.join(4, user_name="T") == ["4 CONNACK 5", "4 closed"]
    assert rig.say(3, MqttPingreq()) == ["3 PINGRESP"]


@pytest.mark.parametrize(
    ("version", "ending"), [(MqttVersion.V311, ["1 closed"]), (V5, ["1 DISCONNECT 142", "1 closed"])]
)
def test_a_second_login_of_a_device_ends_the_first_a_little_later(version: MqttVersion, ending: list[str]) -> None:
    """Whatever their client ids are: the credentials count. Until then both are heard (L08)."""
    rig = MqttRig()
    rig.token("d", "T")
    rig.token("e", "U")
    rig.join(1, user_name="T", version=version, client_id="a")
    rig.join(2, user_name="U", client_id="a")
    assert rig.after(10) == []

    rig.join(3, user_name="T", client_id="b")

    assert rig.publish(TELEMETRY, {"a": 1}, 1) == ["1 PUBACK"]
    assert rig.after(0.1) == ending
    assert rig.after(10) == []
    assert [rig.say(session, MqttPingreq()) for session in (2, 3)] == [["2 PINGRESP"], ["3 PINGRESP"]]


def test_a_device_that_leaves_in_time_is_not_ended() -> None:
    rig = MqttRig()
    rig.token("d", "T")
    rig.join(1, user_name="T")
    rig.join(2, user_name="T")
    rig.close(1)

    assert rig.after(10) == []
    assert rig.say(2, MqttPingreq()) == ["2 PINGRESP"]


def test_credentials_that_are_saved_unchanged_end_nothing(rig: MqttRig) -> None:
    stored = rig.credentials(device(rig))
    save_credentials(rig.registry, stored, FormedCredentials(stored.type, stored.credentials_id, stored.value))
    assert rig.after(1) == []


def test_a_deleted_device_that_speaks_first_is_closed_too(rig: MqttRig) -> None:
    deleted(rig)
    assert rig.publish(TELEMETRY, {"a": 1}, 2) == ["2 DISCONNECT 152", "2 closed"]
    assert rig.after(0) == ["1 closed"]


def test_a_deletion_that_is_undone_ends_nothing(rig: MqttRig) -> None:
    with suppress(Undone), rig.store.transaction():
        deleted(rig)
        raise Undone
    assert rig.after(1) == []


def test_before_3_7_version_5_is_closed_without_a_word() -> None:
    rig = of_generation(Profile.OLD)
    rig.token("d", "T")
    rig.join(1, user_name="T", version=V5)
    assert rig.publish("no/such/topic", {}) == ["1 PUBACK"]
    assert rig.subscribe(1, "#") == ["1 SUBACK 128"]
    deleted(rig)
    assert rig.after(0) == ["1 closed"]


# Gateways


def test_a_gateway_connects_a_device_that_was_not_there(rig: MqttRig) -> None:
    assert rig.publish("v1/gateway/connect", {"device": "child", "type": "sensor"}, 3) == ["3 PUBACK"]
    assert device(rig, "child").type == "sensor"
    assert rig.publish("v1/gateway/connect", {"device": "child"}, 3) == ["3 PUBACK"]
    assert rig.publish("v1/gateway/disconnect", {"device": "child"}, 3) == ["3 PUBACK"]


def test_a_gateway_speaks_for_its_devices(rig: MqttRig) -> None:
    assert rig.publish("v1/gateway/telemetry", {"a": [{"ts": 1, "values": {"t": 1}}]}, 3) == ["3 PUBACK"]
    assert rig.publish("v1/gateway/attributes", {"a": {"hw": 2}}, 3) == ["3 PUBACK"]
    assert (latest(rig, "a"), attributes(rig, "a")) == ({"t": 1}, {"hw": 2})


@pytest.mark.parametrize("topic", ["v1/gateway/connect", "v1/gateway/telemetry", "v1/gateways"])
def test_a_device_that_is_no_gateway_is_not_even_acknowledged(rig: MqttRig, topic: str) -> None:
    assert rig.publish(topic, {"device": "child"}, 1) == []
    assert rig.publish(TELEMETRY, {"a": 1}) == ["1 PUBACK"]
    assert rig.named("child") is None


def test_whether_it_is_a_gateway_is_looked_up_at_the_login(rig: MqttRig) -> None:
    save_device(rig.registry, replace(device(rig), additional_info={"gateway": True}))
    assert rig.publish("v1/gateway/connect", {"device": "child"}, 1) == []
    rig.join(4, user_name="T")
    assert rig.publish("v1/gateway/connect", {"device": "child"}, 4) == ["4 PUBACK"]


@pytest.mark.parametrize("payload", [b'{"device":""}', b"{}"])
def test_a_gateway_that_names_no_device(rig: MqttRig, payload: bytes) -> None:
    assert rig.publish("v1/gateway/connect", payload, 3) == ["3 PUBACK", "3 closed"]


def test_what_a_gateway_sends_that_is_no_json_or_no_topic(rig: MqttRig) -> None:
    assert rig.publish("v1/gateway/nothing", {}, 3) == ["3 PUBACK"]
    assert rig.publish("v1/gateway/connect", b"{", 3) == ["3 closed"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("connect", b""),
        ("connect", b"[]"),
        ("connect", b"hello"),
        ("disconnect", b'{"x":1}'),
        ("telemetry", b"{}"),
        ("telemetry", b'{"child":{"a":1}}'),
        ("attributes", b"{}"),
        ("attributes", b'{"child":[]}'),
        ("attributes/request", b'{"device":"child"}'),
        ("rpc", b"{}"),
        ("rpc", b'{"device":" "}'),
        ("claim", b'{"child":1}'),
    ],
)
def test_what_a_gateway_sends_in_another_form_ends_its_session(rig: MqttRig, topic: str, payload: bytes) -> None:
    rig.join(5, user_name="G", version=V5)
    assert rig.publish(f"v1/gateway/{topic}", payload, 5) == ["5 PUBACK 131", "5 DISCONNECT 131", "5 closed"]


@pytest.mark.parametrize("topic", ["connect", "telemetry", "attributes", "attributes/request", "rpc", "claim"])
def test_what_a_gateway_sends_that_is_no_json_does_not(rig: MqttRig, topic: str) -> None:
    rig.join(5, user_name="G", version=V5)
    assert rig.publish(f"v1/gateway/{topic}", b"{", 5) == ["5 PUBACK 153"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("connect", {"device": " "}),
        ("connect", {"device": "child", "type": ""}),
        ("connect", {"device": "x" * 256}),
        ("telemetry", {"child": []}),
    ],
    ids=["blank", "type", "length", "nothing"],
)
def test_a_child_that_cannot_be_made_or_has_nothing_to_say_is_never_acknowledged(
    rig: MqttRig, topic: str, payload: dict[str, object]
) -> None:
    assert rig.publish(f"v1/gateway/{topic}", payload, 3) == []
    assert rig.say(3, MqttPingreq()) == ["3 PINGRESP"]


def test_a_name_may_stand_in_an_array(rig: MqttRig) -> None:
    assert rig.publish("v1/gateway/connect", {"device": ["child"]}, 3) == ["3 PUBACK"]
    assert device(rig, "child").type == "default"


def test_a_gateway_asks_for_attributes_of_its_devices(rig: MqttRig) -> None:
    rig.publish("v1/gateway/attributes", {"child": {"a": 1, "b": 2}}, 3)
    topic, answer = "v1/gateway/attributes/request", "3 PUBLISH v1/gateway/attributes/response q1"
    asked = {"id": 7, "device": "child", "client": True}

    assert rig.publish(topic, asked | {"key": "a"}, 3)[1] == f'{answer} {{"id":7,"device":"child","value":1}}'
    assert rig.publish(topic, asked | {"keys": ["a", "b"]}, 3)[1] == (
        f'{answer} {{"id":7,"device":"child","values":{{"a":1,"b":2}}}}'
    )
    assert rig.publish(topic, asked | {"key": "a", "client": False}, 3)[1] == f'{answer} {{"id":7,"device":"child"}}'


def test_a_gateway_offers_its_devices_and_answers_for_them(rig: MqttRig) -> None:
    assert rig.publish("v1/gateway/claim", {"child": {"secretKey": "s"}}, 3) == ["3 PUBACK"]
    assert rig.store.get(CLAIM_OFFER, INSTALLATION, device(rig, "child").id) is not None
    assert rig.publish("v1/gateway/rpc", {"device": "child", "id": 1, "data": {}}, 3) == ["3 PUBACK"]


def test_a_request_with_an_empty_key_is_acknowledged_and_never_answered(rig: MqttRig) -> None:
    for keys in ("a,", ",a", ""):
        assert rig.publish(f"{ATTRIBUTES}/request/1", {"clientKeys": keys}, 1) == ["1 PUBACK"]


def test_keys_may_stand_in_an_array(rig: MqttRig) -> None:
    rig.publish(ATTRIBUTES, {"a": 1}, 1)
    answer = rig.publish(f"{ATTRIBUTES}/request/1", {"clientKeys": ["a"]}, 1)[1]
    assert answer == f'1 PUBLISH {ATTRIBUTES}/response/1 q1 {{"client":{{"a":1}}}}'


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_refusal_too_says_that_there_is_a_session_unless_it_starts_clean(rig: MqttRig, is_clean: bool) -> None:
    rig.open(9)
    refusal = rig.connack(9, user_name="nobody", clean_start=is_clean)
    assert (refusal.code, refusal.session_present) == (5, not is_clean)


@pytest.mark.parametrize("ts", ["x", None, {}])
def test_a_time_that_is_no_number_ends_the_session_without_a_puback(rig: MqttRig, ts: object) -> None:
    telemetry = {"ts": ts, "values": {"a": 1}}
    assert rig.publish(TELEMETRY, telemetry, 2) == ["2 DISCONNECT 139", "2 closed"]
    assert rig.publish(TELEMETRY, telemetry, 1) == ["1 closed"]


def test_an_empty_array_is_never_acknowledged(rig: MqttRig) -> None:
    assert rig.publish(TELEMETRY, b"[]", 2) == []
    assert rig.publish(TELEMETRY, b"{}", 2) == ["2 PUBACK"]
