"""Two connections with one client id."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.mqtt_sessions.application import SessionEnd
from fleetrig.simulator.contract.mqtt import MqttPingreq, MqttVersion, MqttWill
from tests.brokering.broker_talk import V5, BrokerTalk, connect, published
from tests.brokering.rule_sets import RULE_SETS

TAKERS = [name for name, rules in RULE_SETS.items() if rules.takes_over]
OTHERS = [name for name, rules in RULE_SETS.items() if not rules.takes_over]


@pytest.mark.parametrize("rules", TAKERS)
@pytest.mark.parametrize(
    ("version", "said"),
    [
        (MqttVersion.V311, ["1 closed", "2 CONNACK 0"]),
        (V5, ["1 DISCONNECT 142", "1 closed", "2 CONNACK 0"]),
    ],
)
def test_the_new_one_wins(rules: str, version: MqttVersion, said: list[str]) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1", version=version)
    assert talk.join(2, "gw-1") == said
    assert talk.say(1, MqttPingreq()) == []
    assert talk.say(2, MqttPingreq()) == ["2 PINGRESP"]
    assert talk.close(1) == []
    assert talk.say(2, MqttPingreq()) == ["2 PINGRESP"]
    assert talk.broker.ends == [("gw-1", SessionEnd.TAKEN_OVER)]


@pytest.mark.parametrize("rules", OTHERS)
def test_any_number_live_side_by_side(rules: str) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    for session in range(1, 6):
        assert talk.join(session, "provision") == [f"{session} CONNACK 0"]
    for session in range(1, 6):
        assert talk.say(session, MqttPingreq()) == [f"{session} PINGRESP"]


@pytest.mark.parametrize("rules", TAKERS)
def test_who_is_refused_takes_nothing_over(rules: str) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1", clean_start=False)
    talk.wants(1, "a", 1)
    talk.join(2, "gw-1", password=b"wrong")
    assert talk.say(1, MqttPingreq()) == ["1 PINGRESP"]
    assert [one.topic for one in published(talk.publish(1, "a"))] == ["a"]
    assert talk.broker.ends == []


@pytest.mark.parametrize("rules", TAKERS)
def test_its_will_is_published_before_the_new_one_is_accepted(rules: str) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(9, "watcher")
    talk.wants(9, "lwt/#")
    talk.join(1, "gw-1", will=MqttWill("lwt/gw-1", b"gone"))
    assert talk.join(2, "gw-1") == ["1 closed", "9 PUBLISH lwt/gw-1", "2 CONNACK 0"]
    assert talk.close(1) == []


def test_a_session_goes_over_with_what_is_unacknowledged() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", clean_start=False)
    talk.wants(1, "a", 1)
    talk.join(2, "other")
    talk.publish(2, "a", b"1", qos=1)
    talk.open(3)
    assert talk.join(3, "gw-1", clean_start=False) == ["1 closed", "3 CONNACK 0", "3 PUBLISH a"]


@pytest.mark.parametrize(
    ("clean", "wills"),
    [(True, ["lwt"]), (False, [])],  # MQTT 5 §3.1.4: a delayed will is not sent for a session that goes on
)
def test_a_delayed_will_and_a_take_over(clean: bool, wills: list[str]) -> None:
    talk = BrokerTalk()
    talk.join(9, "watcher")
    talk.wants(9, "lwt")
    will = MqttWill("lwt", b"gone", properties=(("will_delay_interval", 5),))
    talk.join(1, "gw-1", version=V5, will=will, properties=(("session_expiry_interval", 60),))
    said = talk.join(2, "gw-1", version=V5, clean_start=clean, properties=(("session_expiry_interval", 60),))
    assert [line for line in said if "lwt" in line] == [f"9 PUBLISH {topic}" for topic in wills]
    assert talk.after(100) == []


def test_the_trace_says_so() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1")
    talk.open(2)
    talk.told()
    talk.say(2, connect("gw-1"))
    received, *said = talk.events
    assert (received.kind, received.session) == ("received", 2)
    assert [(event.kind, event.session, event.name) for event in said] == [
        ("closed", 1, ""), ("answered", 2, "session 1 taken over")
    ]  # fmt: skip
