"""The login table of MQTT (fact sheet 3.1), with the codes of all three versions."""

from __future__ import annotations

from typing import Any

import pytest

from fleetrig.reference_server.platforms.thingsboard.state.attributes import latest_of
from fleetrig.reference_server.platforms.thingsboard.state.devices import delete_device
from fleetrig.reference_server.platforms.thingsboard.state.generations import Profile
from fleetrig.simulator.contract.mqtt import MqttDisconnect, MqttVersion, MqttWill
from tests.reference_server.platforms.thingsboard.mqtt_rig import TELEMETRY, V5, MqttRig, of_generation


@pytest.fixture
def rig() -> MqttRig:
    rig = MqttRig()
    rig.token("by-token", "T")
    rig.basic("by-all", "c", "u", "p")
    rig.basic("by-user", user_name="only-user")
    rig.basic("by-user-and-password", user_name="guarded", password="p")
    rig.basic("by-client-id", client_id="only-client")
    return rig


@pytest.mark.parametrize(
    ("fields", "device"),
    [
        ({"user_name": "T"}, "by-token"),
        ({"user_name": "T", "client_id": "any", "password": "whatever"}, "by-token"),
        ({"user_name": "u", "client_id": "c", "password": "p"}, "by-all"),
        ({"user_name": "only-user"}, "by-user"),
        ({"user_name": "only-user", "client_id": "any", "password": "any"}, "by-user"),
        ({"user_name": "guarded", "password": "p"}, "by-user-and-password"),
        ({"client_id": "only-client"}, "by-client-id"),
        ({"client_id": "only-client", "user_name": "", "password": "x"}, "by-client-id"),
    ],
)
def test_a_device_logs_in(rig: MqttRig, fields: dict[str, Any], device: str) -> None:
    assert rig.join(**fields) == ["1 CONNACK 0"]
    assert rig.events[-1].device == device


@pytest.mark.parametrize(
    ("fields", "code_v3", "code_v5"),
    [
        ({"user_name": "nobody", "client_id": "x"}, 5, 0x86),
        ({"user_name": "nobody", "client_id": "x", "password": "p"}, 5, 0x86),
        ({"user_name": "nobody", "password": "p"}, 5, 0x86),
        ({"password": "p", "client_id": "x"}, 5, 0x86),
        ({"client_id": "x"}, 2, 0x85),
        ({"client_id": " "}, 5, 0x87),
        ({}, 5, 0x87),
        ({"user_name": "u", "client_id": "c", "password": "bad"}, 5, 0x86),
        ({"user_name": "u", "client_id": "c"}, 5, 0x86),
        ({"user_name": "u", "client_id": "other", "password": "p"}, 5, 0x86),
        ({"user_name": "guarded"}, 5, 0x86),
        ({"user_name": "Provision"}, 5, 0x86),
        ({"user_name": "t"}, 5, 0x86),
    ],
)
def test_nobody_logs_in(rig: MqttRig, fields: dict[str, Any], code_v3: int, code_v5: int) -> None:
    assert rig.join(1, **fields) == [f"1 CONNACK {code_v3}", "1 closed"]
    assert rig.join(2, version=V5, **fields) == [f"2 CONNACK {code_v5}", f"2 DISCONNECT {code_v5}", "2 closed"]
    assert all(rig.reasons())


def test_before_3_7_version_5_hears_what_version_3_hears() -> None:
    rig = of_generation(Profile.OLD)
    assert rig.join(version=V5, user_name="nobody") == ["1 CONNACK 5", "1 closed"]


def test_a_session_that_is_not_clean_is_said_to_be_present(rig: MqttRig) -> None:
    rig.open(1)
    connack = rig.connack(1, user_name="T", clean_start=False)
    assert connack.session_present


def test_version_3_1_needs_a_client_id_and_hears_nothing_without(rig: MqttRig) -> None:
    assert rig.join(version=MqttVersion.V31, user_name="T") == ["1 closed"]


def test_several_sessions_of_one_device_live_side_by_side(rig: MqttRig) -> None:
    rig.join(1, user_name="T", client_id="same")
    rig.join(2, user_name="T", client_id="same")
    assert [rig.publish(TELEMETRY, {"a": 1}, session) for session in (1, 2)] == [["1 PUBACK"], ["2 PUBACK"]]


def test_nobody_is_asked_to_speak(rig: MqttRig) -> None:
    """Not within ten minutes (`test_mqtt_limits`): its keep-alive counts nowhere."""
    rig.join(user_name="T", keep_alive_s=1)
    assert rig.after(599) == []


def test_a_second_connect_is_another_login(rig: MqttRig) -> None:
    first = rig.token("first", "F")
    rig.join(1, user_name="F")
    assert rig.connects(1, user_name="T") == ["1 CONNACK 0"]
    delete_device(rig.registry, first)
    assert rig.after(1) == []
    assert rig.publish(TELEMETRY, {"a": 1}) == ["1 PUBACK"]
    assert rig.connects(1, user_name="F") == ["1 CONNACK 5", "1 closed"]


def test_properties_of_a_connect_are_looked_over(rig: MqttRig) -> None:
    properties = (("authentication_method", "x"), ("maximum_packet_size", 20))
    assert rig.join(1, user_name="T", version=V5, properties=properties) == ["1 CONNACK 0"]
    assert len(rig.publish("v1/devices/me/rpc/request/1", {"method": "getSessionLimits"})) == 2


def test_who_leaves_in_version_5_hears_the_end_too(rig: MqttRig) -> None:
    rig.join(1, user_name="T")
    rig.join(2, user_name="provision", version=V5)
    assert [rig.say(session, MqttDisconnect()) for session in (1, 2)] == [["1 closed"], ["2 DISCONNECT", "2 closed"]]


def test_who_has_gone_is_forgotten(rig: MqttRig) -> None:
    device = rig.token("d", "D")
    live = rig.platform._mqtt._live
    rig.join(1, user_name="D")
    assert [one.session for one in live.of_device(device.id)] == [1]
    rig.close(1)
    assert live.of_device(device.id) == []


def test_a_will_is_nobodys_message(rig: MqttRig) -> None:
    device = rig.token("d", "D")
    rig.join(1, user_name="D", will=MqttWill(TELEMETRY, b'{"a":1}'))
    assert rig.close(1) == []
    assert latest_of(rig.registry, device.id) == []
    assert "will published" not in [event.name for event in rig.events]


def test_what_comes_before_a_connect_waits_for_it(rig: MqttRig) -> None:
    rig.open(1)
    assert rig.publish(TELEMETRY, {"a": 1}) == []
    assert rig.connects(1, user_name="T") == ["1 CONNACK 0", "1 PUBACK"]
