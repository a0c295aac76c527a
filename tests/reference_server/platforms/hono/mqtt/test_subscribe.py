"""SUBSCRIBE, UNSUBSCRIBE, and the commands that come of it (spec 4.2)."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.northbound import CommandRefused
from fleetrig.reference_server.platforms.hono.state.generations import Profile
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.mqtt import MqttPublish
from tests.conversation.talk import lines
from tests.reference_server.platforms.hono.adapter_rig import TENANT, V5, AdapterRig, messages_in, of_profile

EMPTY = "application/vnd.eclipse-hono-empty-notification"
FAILURE = "application/vnd.eclipse-hono-delivery-failure-notification+json"


@pytest.fixture
def rig() -> AdapterRig:
    rig = AdapterRig()
    rig.tenant()
    rig.password("sensor1")
    rig.password("gw", device={"authorities": ["auto-provisioning-enabled"]})
    rig.device("edge", via=["gw"])
    rig.join(1, "sensor1")
    rig.join(2, "gw")
    return rig


def ttds(rig: AdapterRig) -> list[tuple[str, str]]:
    """(device, ttd) of the notifications that applications have got."""
    return [(one.key, str(one.properties["ttd"])) for one in rig.northbound() if "ttd" in one.properties]


def advanced(rig: AdapterRig) -> list[MqttPublish]:
    return messages_in(list(rig.server.advance(rig.now_us)))


@pytest.mark.parametrize(
    ("topic_filter", "qos", "code"),
    [
        ("command///req/#", 0, 0),
        ("command///req/#", 1, 1),
        ("c///q/#", 1, 1),
        ("command///req/#", 2, 128),
        ("error///#", 0, 0),
        ("error///#", 1, 128),
        ("e//edge/#", 0, 128),
        ("c//edge/q/#", 0, 128),
        ("telemetry", 0, 128),
        ("#", 0, 128),
        ("", 0, 128),
    ],
)
def test_what_is_granted(rig: AdapterRig, topic_filter: str, qos: int, code: int) -> None:
    assert rig.wants(1, topic_filter, qos=qos) == [f"1 SUBACK {code}"]
    rig.join(3, "sensor1", version=V5)
    assert rig.wants(3, topic_filter, qos=qos) == [f"3 SUBACK {code}"]


def test_filters_of_one_packet_are_answered_in_their_order(rig: AdapterRig) -> None:
    assert rig.wants(1, "nosuch", "c///q/#", "error///#", "x") == ["1 SUBACK 128 0 0 128"]


def test_no_filters_are_answered_too(rig: AdapterRig) -> None:
    assert (rig.wants(1), rig.drops(1)) == (["1 SUBACK"], ["1 UNSUBACK"])


def test_two_filters_that_mean_the_same_count_once(rig: AdapterRig) -> None:
    rig.wants(1, "c///q/#", "command///req/#")
    assert ttds(rig) == [("sensor1", "-1")]
    rig.commands("sensor1", is_one_way=True)
    assert [one.topic for one in advanced(rig)] == ["command///req//on"]


def test_who_takes_commands_is_announced(rig: AdapterRig) -> None:
    rig.wants(1, "c///q/#")
    assert ttds(rig) == [("sensor1", "-1")]
    assert rig.drops(1, "command///req/#") == ["1 UNSUBACK"]
    assert ttds(rig) == [("sensor1", "-1"), ("sensor1", "0")]
    (first, _) = rig.northbound()
    assert (first.payload, first.properties["content-type"], first.properties["device_id"]) == (b"", EMPTY, "sensor1")


def test_who_leaves_takes_no_commands_any_more(rig: AdapterRig) -> None:
    rig.wants(1, "c///q/#")
    rig.gone(1)
    assert ttds(rig) == [("sensor1", "-1"), ("sensor1", "0")]
    with pytest.raises(CommandRefused):
        rig.commands("sensor1")


def test_a_later_subscription_of_another_connection_counts(rig: AdapterRig) -> None:
    """Then the end of the earlier one is announced to nobody."""
    rig.wants(1, "c///q/#")
    rig.join(3, "sensor1")
    rig.wants(3, "c///q/#")
    rig.gone(1)
    assert ttds(rig) == [("sensor1", "-1"), ("sensor1", "-1")]
    rig.commands("sensor1", is_one_way=True)
    assert rig.after(0) == ["3 PUBLISH c///q//on"]


def test_unsubscribing_from_nothing(rig: AdapterRig) -> None:
    assert rig.drops(1, "c///q/#") == ["1 UNSUBACK"]
    rig.join(3, "sensor1", version=V5)
    rig.wants(3, "error///#")
    assert rig.drops(3, "c///q/#", "e///#", "e///#") == ["3 UNSUBACK 128 0 128"]


@pytest.mark.parametrize(("profile", "said"), [(Profile.CURRENT, "1 UNSUBACK"), (Profile.JDBC, "1 UNSUBACK 0 128")])
def test_a_recorded_server_shows_mqtt_3_codes_that_it_has_no_room_for(profile: Profile, said: str) -> None:
    rig = of_profile(profile)
    rig.tenant()
    rig.password("sensor1")
    rig.join(1, "sensor1")
    rig.wants(1, "error///#")
    assert rig.drops(1, "error///#", "error///#") == [said]


# Commands


def test_a_command_and_its_response(rig: AdapterRig) -> None:
    rig.wants(1, "command///req/#")
    correlation_id = rig.commands("sensor1", "set", b'{"on":1}')
    (command,) = advanced(rig)
    assert (command.payload, command.qos) == (b'{"on":1}', 0)
    request_id = f"2{len(correlation_id):02x}{correlation_id}"
    assert command.topic == f"command///req/{request_id}/set"
    assert rig.publish(1, f"command///res/{request_id}/200", b'{"done":1}') == ["1 PUBACK"]
    response = rig.northbound()[-1]
    assert (response.topic, response.key, response.payload) == (
        f"hono.command_response.{TENANT}", "sensor1", b'{"done":1}'
    )  # fmt: skip
    told = {name: str(response.properties[name]) for name in ("correlation-id", "status", "device_id", "tenant_id")}
    assert told == {"correlation-id": correlation_id, "status": "200", "device_id": "sensor1", "tenant_id": TENANT}


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("c///s/203abc/200", ["1 PUBACK"]),
        ("c///what/203abc/404", ["1 PUBACK"]),
        ("c///s/203abc", ["1 closed"]),
        ("c///s/203abc/x", ["1 closed"]),
        ("c///s/203abc/300", ["1 closed"]),
        ("c///s/203abc/199", ["1 closed"]),
        ("c///s/2ffabc/200", ["1 closed"]),
        ("c///s//200", ["1 closed"]),
        ("c/other//s/203abc/200", ["1 closed"]),
    ],
)
def test_responses(rig: AdapterRig, topic: str, said: list[str]) -> None:
    assert rig.publish(1, topic) == said
    assert len(rig.northbound()) == (said == ["1 PUBACK"])


def test_a_response_of_qos_2_is_none(rig: AdapterRig) -> None:
    assert rig.publish(1, "c///s/203abc/200", qos=2) == ["1 closed"]


def test_an_error_of_a_response_has_a_name_of_its_own(rig: AdapterRig) -> None:
    rig.wants(1, "e///#")
    assert rig.publish(1, "c///s/203abc/x") == ["1 PUBLISH e///c-s/7/400", "1 PUBACK"]


def test_nobody_takes_it(rig: AdapterRig) -> None:
    with pytest.raises(CommandRefused, match="subscribe"):
        rig.commands("sensor1")


def test_a_command_of_qos_1_is_acknowledged_in_time(rig: AdapterRig) -> None:
    rig.wants(1, "c///q/#", qos=1)
    rig.commands("sensor1")
    (command,) = advanced(rig)
    assert (command.qos, command.packet_id) == (1, 1)
    rig.now_us += US_PER_S - 1
    assert rig.acknowledges(1, command.packet_id) == []
    rig.after(5)
    assert [one for _, one in rig.heard_by_applications()] == [EMPTY]


def test_a_command_that_is_not_acknowledged_has_failed(rig: AdapterRig) -> None:
    rig.wants(1, "c///q/#", qos=1)
    correlation_id = rig.commands("sensor1")
    assert len(advanced(rig)) == 1
    assert rig.after(1) == []
    failed = rig.northbound()[-1]
    assert failed.payload == b'{"error":"Temporarily unavailable"}'
    told = {name: str(failed.properties[name]) for name in ("content-type", "correlation-id", "status")}
    assert told == {"content-type": FAILURE, "correlation-id": correlation_id, "status": "503"}


def test_one_that_needs_no_response_fails_in_silence(rig: AdapterRig) -> None:
    rig.wants(1, "c///q/#", qos=1)
    rig.commands("sensor1", is_one_way=True)
    advanced(rig)
    rig.after(1)
    assert [one for _, one in rig.heard_by_applications()] == [EMPTY]


def test_who_is_gone_when_the_command_comes(rig: AdapterRig) -> None:
    rig.wants(1, "c///q/#")
    rig.commands("sensor1")
    rig.gone(1)
    assert advanced(rig) == []
    assert [one for _, one in rig.heard_by_applications()] == [EMPTY, EMPTY, FAILURE]


# Gateways


def test_a_gateway_takes_commands_of_all_its_devices(rig: AdapterRig) -> None:
    assert rig.wants(2, "c//+/q/#") == ["2 SUBACK 0"]
    rig.commands("edge", is_one_way=True)
    rig.commands("gw", is_one_way=True)
    assert [one.topic for one in advanced(rig)] == ["c//edge/q//on", "c///q//on"]


def test_a_gateway_that_subscribed_for_itself_gets_no_others(rig: AdapterRig) -> None:
    rig.wants(2, "c///q/#")
    rig.commands("edge")
    assert advanced(rig) == []
    assert rig.northbound()[-1].payload == b'{"error":"no consumer available"}'


def test_a_gateway_takes_commands_of_one_device(rig: AdapterRig) -> None:
    assert rig.wants(2, "c//edge/q/#") == ["2 SUBACK 0"]
    assert ttds(rig) == [("edge", "-1")]
    rig.commands("edge", is_one_way=True)
    assert [one.topic for one in advanced(rig)] == ["c//edge/q//on"]


def test_a_gateway_that_lost_its_right_gets_no_command(rig: AdapterRig) -> None:
    rig.wants(2, "c//edge/q/#")
    rig.api("PUT", f"devices/{TENANT}/edge", {"via": ["other"]})
    rig.commands("edge")
    assert advanced(rig) == []
    assert str(rig.northbound()[-1].properties["status"]) == "403"


def test_subscribing_for_an_unknown_device_provisions_it(rig: AdapterRig) -> None:
    assert rig.wants(2, "c//fresh/q/#") == ["2 SUBACK 0"]
    assert "fresh" in rig.device_ids()


def test_the_device_that_subscribes_itself_comes_before_its_gateway(rig: AdapterRig) -> None:
    rig.password("edge2", device={"via": ["gw"]})
    rig.join(3, "edge2")
    rig.wants(2, "c//+/q/#")
    rig.wants(3, "c///q/#")
    rig.commands("edge2", is_one_way=True)
    assert rig.after(0) == ["3 PUBLISH c///q//on"]


def test_of_several_gateways_the_one_that_was_heard_last(rig: AdapterRig) -> None:
    rig.password("gw2")
    rig.join(3, "gw2")
    rig.device("edge3", via=["gw", "gw2"])
    rig.wants(2, "c//+/q/#")
    rig.wants(3, "c//+/q/#")
    rig.publish(3, "t//edge3")
    rig.commands("edge3", is_one_way=True)
    assert rig.after(0) == ["3 PUBLISH c//edge3/q//on"]
    rig.publish(2, "t//edge3")
    rig.commands("edge3", is_one_way=True)
    assert rig.after(0) == ["2 PUBLISH c//edge3/q//on"]


def test_members_of_a_group_are_gateways_too(rig: AdapterRig) -> None:
    rig.api("PUT", f"devices/{TENANT}/gw", {"memberOf": ["g"]})
    rig.device("edge4", viaGroups=["g"])
    rig.wants(2, "c//+/q/#")
    rig.commands("edge4", is_one_way=True)
    assert lines(rig.server.advance(rig.now_us)) == ["2 PUBLISH c//edge4/q//on"]
