"""CONNECT: what is accepted and refused, in whose words, and what may come before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.reference_server.mqtt_sessions.session_rules import UnknownLevel
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPublish,
    MqttSubscribe,
    MqttUnsubscribe,
    MqttVersion,
    MqttWill,
    Properties,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.brokering.broker_talk import V5, V31, BrokerTalk, connect, sent
from tests.brokering.rule_sets import BROKER, HONO_LIKE, KURA_LIKE, RULE_SETS, THINGSBOARD_LIKE

WRONG = {"password": b"wrong"}


def session_present(rules: str, *, clean: bool, again: bool = False) -> bool:
    talk = BrokerTalk(RULE_SETS[rules])
    if again:
        talk.join(1, "gw-1", clean_start=False)
        talk.gone(1)
    connack = talk.connack(2, "gw-1", clean_start=clean)
    assert connack.code == 0
    return connack.session_present


@pytest.mark.parametrize(
    ("rules", "new", "new_clean", "again", "again_clean"),
    [
        ("broker", False, False, True, False),
        ("kura", False, False, True, False),
        ("hono", False, False, False, False),
        ("thingsboard", True, False, True, False),  # whatever is kept, which is nothing
    ],
)
def test_session_present(rules: str, new: bool, new_clean: bool, again: bool, again_clean: bool) -> None:
    assert session_present(rules, clean=False) is new
    assert session_present(rules, clean=True) is new_clean
    assert session_present(rules, clean=False, again=True) is again
    assert session_present(rules, clean=True, again=True) is again_clean


@pytest.mark.parametrize(
    ("rules", "version", "said"),
    [
        ("broker", MqttVersion.V311, ["1 CONNACK 4", "1 closed"]),
        ("broker", V31, ["1 CONNACK 4", "1 closed"]),
        ("broker", V5, ["1 CONNACK 134", "1 closed"]),
        ("hono", MqttVersion.V311, ["1 CONNACK 4", "1 closed"]),
        ("thingsboard", MqttVersion.V311, ["1 CONNACK 5", "1 closed"]),
        ("thingsboard", V5, ["1 CONNACK 134", "1 DISCONNECT 134", "1 closed"]),
    ],
)
def test_a_wrong_password(rules: str, version: MqttVersion, said: list[str]) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    assert talk.join(1, "gw-1", version=version, **WRONG) == said
    (refused,) = [event for event in talk.events if event.kind == "refused"]
    assert (refused.device, refused.reason) == ("gw-1", "user name or password differ")
    assert talk.say(1, MqttPingreq()) == []


@pytest.mark.parametrize(
    ("rules", "client_id", "version", "clean", "said"),
    [
        ("broker", "", MqttVersion.V311, True, ["1 CONNACK 0"]),
        ("broker", "", MqttVersion.V311, False, ["1 CONNACK 2", "1 closed"]),
        ("broker", "", V5, False, ["1 CONNACK 0"]),
        ("broker", "", V31, True, ["1 CONNACK 2", "1 closed"]),
        ("broker", "x" * 23, V31, True, ["1 CONNACK 0"]),
        ("broker", "x" * 24, V31, True, ["1 CONNACK 2", "1 closed"]),
        ("broker", "x" * 1_024, MqttVersion.V311, True, ["1 CONNACK 0"]),
        ("broker", "x" * 65_535, MqttVersion.V311, True, ["1 CONNACK 2", "1 closed"]),
        ("broker", "x" * 65_535, V5, True, ["1 CONNACK 133", "1 closed"]),
        ("thingsboard", "", MqttVersion.V311, False, ["1 CONNACK 0"]),
        ("thingsboard", "", V31, True, ["1 closed"]),
        ("thingsboard", "x" * 24, V31, True, ["1 closed"]),
    ],
)
def test_client_ids(rules: str, client_id: str, version: MqttVersion, clean: bool, said: list[str]) -> None:
    assert BrokerTalk(RULE_SETS[rules]).join(1, client_id, version=version, clean_start=clean) == said


def connack_properties(
    talk: BrokerTalk, client_id: str, wanted: Properties = (), **fields: object
) -> dict[str, object]:
    connack = talk.connack(1, client_id, version=V5, properties=wanted, **fields)
    assert connack.code == 0
    return dict(connack.properties)


def test_an_mqtt_5_client_learns_what_differs_from_what_it_takes_for_granted() -> None:
    rules = replace(BROKER, retains=False, server_keep_alive_s=60)
    assert connack_properties(BrokerTalk(rules), "", (("session_expiry_interval", 0xFFFFFFFF),)) == {
        "session_expiry_interval": 7 * 86_400,
        "receive_maximum": 100,
        "retain_available": 0,
        "assigned_client_identifier": "auto-1",
        "subscription_identifier_available": 0,
        "shared_subscription_available": 0,
        "server_keep_alive": 60,
    }


def test_and_no_more_than_that() -> None:
    talk = BrokerTalk(replace(BROKER, server_keep_alive_s=60))
    told = connack_properties(talk, "gw-1", (("session_expiry_interval", 10),), keep_alive_s=30)
    assert set(told) == {"receive_maximum", "subscription_identifier_available", "shared_subscription_available"}


def test_and_what_it_may_send() -> None:
    told = connack_properties(BrokerTalk(replace(BROKER, topic_aliases=10, packet_bytes=65_536)), "gw-1")
    assert (told["topic_alias_maximum"], told["maximum_packet_size"]) == (10, 65_536)


def test_where_ids_do_not_count_a_client_is_told_one_all_the_same() -> None:
    told = connack_properties(BrokerTalk(replace(BROKER, takes_over=False, keeps_sessions=False)), "")
    assert told["assigned_client_identifier"] == "auto-1"
    talk = BrokerTalk(KURA_LIKE)
    talk.join(1, "")
    assert talk.join(2, "") == ["2 CONNACK 0"]  # and does not take over


def test_some_servers_tell_nothing() -> None:
    assert connack_properties(BrokerTalk(THINGSBOARD_LIKE), "") == {}


def test_a_password_alone_is_against_mqtt_3() -> None:
    alone = {"user_name": None}
    assert BrokerTalk().join(1, "gw-1", **alone) == ["1 closed"]
    assert BrokerTalk().join(1, "gw-1", version=V5, **alone) == ["1 CONNACK 134", "1 closed"]
    lenient = replace(BROKER, password_needs_user_name=False)
    assert BrokerTalk(lenient).join(1, "gw-1", **alone) == ["1 CONNACK 4", "1 closed"]


def test_extended_authentication_is_refused() -> None:
    talk = BrokerTalk()
    said = talk.join(1, "gw-1", version=V5, properties=(("authentication_method", "SCRAM"),))
    assert said == ["1 CONNACK 140", "1 closed"]


@pytest.mark.parametrize(
    ("will", "said"), [(MqttWill("a/#"), ["1 CONNACK 144", "1 closed"]), (MqttWill("a"), ["1 CONNACK 0"])]
)
def test_a_will_needs_a_topic(will: MqttWill, said: list[str]) -> None:
    assert BrokerTalk().join(1, "gw-1", version=V5, will=will) == said


def test_a_will_to_be_retained_where_nothing_is() -> None:
    talk = BrokerTalk(replace(BROKER, retains=False))
    assert talk.join(1, "gw-1", version=V5, will=MqttWill("a", retain=True)) == ["1 CONNACK 154", "1 closed"]
    assert talk.join(2, "gw-2", will=MqttWill("a", retain=True)) == ["2 CONNACK 0"]


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (UnknownLevel.CONNACK_V3, ["1 CONNACK 1", "1 closed"]),
        (UnknownLevel.CONNACK_V5, ["1 CONNACK 132", "1 closed"]),
        (UnknownLevel.CLOSE, ["1 closed"]),
    ],
)
def test_an_unknown_protocol_level(level: UnknownLevel, said: list[str]) -> None:
    talk = BrokerTalk(replace(BROKER, unknown_level=level))
    talk.open(1)
    assert talk.say(1, Undecodable(Flaw.UNKNOWN_VERSION, "level 6")) == said
    (refused,) = [event for event in talk.events if event.kind == "refused"]
    assert refused.reason == "unknown_version: level 6"


@pytest.mark.parametrize(
    ("rules", "flaw", "code"),
    [
        ("broker", Flaw.MALFORMED, 0x81),
        ("broker", Flaw.PROTOCOL, 0x82),
        ("broker", Flaw.TOO_LARGE, 0x95),
        ("broker", Flaw.UNKNOWN_VERSION, 0x84),
        ("thingsboard", Flaw.TOO_LARGE, 0x81),
        ("thingsboard", Flaw.PROTOCOL, 0x81),
    ],
)
def test_what_cannot_be_decoded(rules: str, flaw: Flaw, code: int) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1", version=V5)
    assert talk.say(1, Undecodable(flaw, "it is odd")) == [f"1 DISCONNECT {code}", "1 closed"]
    talk.join(2, "gw-2")
    assert talk.say(2, Undecodable(flaw, "it is odd")) == ["2 closed"]


def test_what_comes_too_early_is_held_and_then_answered_in_order() -> None:
    talk = BrokerTalk(THINGSBOARD_LIKE)
    talk.open(1)
    assert talk.say(1, MqttPublish("a", qos=1, packet_id=3)) == []
    assert talk.say(1, MqttPingreq()) == []
    assert talk.after(3_600) == []
    assert talk.say(1, connect("gw-1")) == ["1 CONNACK 0", "1 PUBACK", "1 PINGRESP"]


def test_what_was_held_is_not_heard_of_who_is_refused() -> None:
    talk = BrokerTalk(THINGSBOARD_LIKE)
    talk.join(2, "other")
    talk.wants(2, "a")
    talk.open(1)
    talk.say(1, MqttPublish("a"))
    assert talk.say(1, connect("gw-1", **WRONG)) == ["1 CONNACK 5", "1 closed"]


@pytest.mark.parametrize(
    ("limits", "fit", "payload"),
    [
        (SessionLimits(held_packets=Bound(3, "packets", "few")), 3, b""),
        (SessionLimits(held_bytes=Bound(2_500, "bytes", "few")), 2, b"x" * 1_000),
        (SessionLimits(all_held_bytes=Bound(2_500, "bytes", "few")), 2, b"x" * 1_000),
    ],
)
def test_what_is_held_is_bounded(limits: SessionLimits, fit: int, payload: bytes) -> None:
    talk = BrokerTalk(replace(THINGSBOARD_LIKE, limits=limits))
    talk.open(1)
    for _ in range(fit):
        assert talk.say(1, MqttPublish("a", payload)) == []
    talk.told()
    assert talk.say(1, MqttPublish("a", payload)) == ["1 closed"]
    assert ["(few)" in why for kind, _, _, why in talk.told() if kind == "refused"] == [True]
    assert talk.say(1, connect("gw-1")) == []


@pytest.mark.parametrize(
    "many", [MqttSubscribe((Subscription("a"),) * 10, 1), MqttUnsubscribe(("a",) * 20, 1)], ids=lambda one: one.line[:9]
)
def test_filters_by_the_thousand_are_held_as_what_they_take(many: MqttSubscribe | MqttUnsubscribe) -> None:
    talk = BrokerTalk(replace(THINGSBOARD_LIKE, limits=SessionLimits(held_bytes=Bound(1_000, "bytes", "few"))))
    talk.open(1)
    assert talk.say(1, many) == ["1 closed"]


def test_what_strangers_hold_together_is_bounded_and_given_back() -> None:
    talk = BrokerTalk(replace(THINGSBOARD_LIKE, limits=SessionLimits(all_held_bytes=Bound(2_500, "bytes", "few"))))
    big = MqttPublish("a", b"x" * 1_500)
    for session in (1, 2, 3):
        talk.open(session)
    assert talk.say(1, big) == []
    assert talk.say(2, big) == ["2 closed"]
    assert talk.say(1, connect("gw-1")) == ["1 CONNACK 0"]
    assert talk.say(3, big) == []
    talk.close(3)
    talk.open(4)
    assert talk.say(4, big) == []


def test_a_connection_that_says_nothing() -> None:
    talk = BrokerTalk(HONO_LIKE)
    talk.open(1)
    assert talk.after(89.9) == []
    assert talk.after(0.1) == ["1 closed"]
    assert "no CONNECT within 90 s" in [event.reason for event in talk.events]
    assert (talk.close(1), talk.after(3_600)) == ([], [])


def test_where_nobody_waits_for_a_connect() -> None:
    talk = BrokerTalk(THINGSBOARD_LIKE)
    talk.open(1)
    assert talk.server.next_due_us() is None
    assert talk.after(3_600) == []


def test_a_second_connect_begins_anew_where_that_is_the_rule() -> None:
    talk = BrokerTalk(THINGSBOARD_LIKE)
    talk.join(1, "gw-1")
    talk.wants(1, "a")
    assert talk.say(1, connect("gw-2", clean_start=False)) == ["1 CONNACK 0"]
    assert talk.publish(1, "a") == []  # the subscription was the other client's
    assert talk.say(1, connect("gw-2", **WRONG)) == ["1 CONNACK 5", "1 closed"]


def test_reason_strings_for_those_who_want_them() -> None:
    def text(**fields: object) -> object:
        talk = BrokerTalk()
        connack = talk.connack(1, "gw-1", version=V5, **WRONG, **fields)
        return dict(connack.properties).get("reason_string")

    assert text() == "user name or password differ"
    assert text(properties=(("request_problem_information", 0),)) is None
    assert text(properties=(("maximum_packet_size", 30),)) is None  # MQTT-3.2.2-19
    talk = BrokerTalk(KURA_LIKE)
    assert talk.connack(1, "gw-1", version=V5, **WRONG) == MqttConnack(134)


def test_a_session_that_the_platform_ends() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5)
    reaction = talk.broker.sessions.end(1, 0x98, "the device was deleted", talk.now_us)
    (goodbye,) = sent(list(reaction.outputs))
    assert goodbye == MqttDisconnect(0x98, (("reason_string", "the device was deleted"),))
    assert reaction.device == "gw-1"
    assert talk.broker.sessions.end(1, 0x98, "again", talk.now_us).outputs == ()
    assert talk.broker.sessions.end(99, 0x98, "nobody", talk.now_us).outputs == ()


def test_a_connect_that_fails_after_another_does_not_count_as_the_first() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", **WRONG)
    assert talk.say(1, MqttConnect("gw-1")) == []
