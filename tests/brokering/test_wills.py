"""Wills: when they are published, and when not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttAuth, MqttDisconnect, MqttWill
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.brokering.broker_talk import V5, BrokerTalk, published
from tests.brokering.rule_sets import BROKER, RULE_SETS

WILL = MqttWill("lwt/gw-1", b"gone", qos=1)
PUBLISHERS = [name for name, rules in RULE_SETS.items() if rules.publishes_wills]
OTHERS = [name for name, rules in RULE_SETS.items() if not rules.publishes_wills]


def watched(rules: str = "broker", **fields: object) -> BrokerTalk:
    """A watcher is session 9, a client with a will session 1."""
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(9, "watcher")
    talk.wants(9, "lwt/#", 1)
    talk.join(1, "gw-1", **{"will": WILL, **fields})
    return talk


def delayed(delay_s: int, expiry_s: int) -> BrokerTalk:
    will = replace(WILL, properties=(("will_delay_interval", delay_s), ("content_type", "text")))
    return watched(version=V5, will=will, properties=(("session_expiry_interval", expiry_s),))


@pytest.mark.parametrize("rules", PUBLISHERS)
def test_a_connection_that_is_lost(rules: str) -> None:
    talk = watched(rules)
    assert talk.close(1) == ["9 PUBLISH lwt/gw-1"]
    assert talk.after(3_600) == []


@pytest.mark.parametrize("rules", OTHERS)
def test_some_servers_ignore_wills(rules: str) -> None:
    assert watched(rules).close(1) == []
    assert watched(rules, will=MqttWill("no/topic/#")).close(1) == []


@pytest.mark.parametrize("rules", PUBLISHERS)
@pytest.mark.parametrize("what", [MqttAuth(), Undecodable(Flaw.MALFORMED, "odd")], ids=lambda one: one.line)
def test_who_breaks_the_protocol_is_lost_too(rules: str, what: Envelope) -> None:
    talk = watched(rules)
    assert talk.say(1, what) == ["1 closed", "9 PUBLISH lwt/gw-1"]
    assert talk.close(1) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [(0, ["1 closed"]), (4, ["1 closed", "9 PUBLISH lwt/gw-1"]), (0x80, ["1 closed", "9 PUBLISH lwt/gw-1"])],
)
def test_a_disconnect_of_code_0_drops_it(code: int, said: list[str]) -> None:
    talk = watched(version=V5)
    assert talk.say(1, MqttDisconnect(code)) == said
    assert talk.close(1) == []


def test_keep_alive() -> None:
    talk = watched(keep_alive_s=10)
    assert talk.after(15) == ["1 closed", "9 PUBLISH lwt/gw-1"]


def test_it_waits_for_the_client_to_come_back() -> None:
    talk = delayed(5, 60)
    assert (talk.close(1), talk.after(4.9)) == ([], [])
    assert talk.after(0.1) == ["9 PUBLISH lwt/gw-1"]
    assert talk.after(3_600) == []


def test_who_comes_back_in_time_has_a_new_will_or_none() -> None:
    talk = delayed(5, 60)
    talk.close(1)
    with_will_bytes = talk.broker.sessions.held_bytes
    talk.join(2, "gw-1", version=V5, clean_start=False, properties=(("session_expiry_interval", 60),))
    assert talk.broker.sessions.held_bytes < with_will_bytes
    assert talk.after(10) == []
    assert (talk.close(2), talk.after(3_600)) == ([], [])


def test_the_end_of_the_session_is_the_end_of_its_patience() -> None:
    talk = delayed(60, 5)
    assert talk.close(1) == []
    assert talk.after(5) == ["9 PUBLISH lwt/gw-1"]
    talk = delayed(60, 0)
    assert talk.close(1) == ["9 PUBLISH lwt/gw-1"]


def test_a_clean_start_ends_the_session_and_its_patience() -> None:
    talk = delayed(30, 60)
    talk.close(1)
    assert talk.join(2, "gw-1", version=V5) == ["9 PUBLISH lwt/gw-1", "2 CONNACK 0"]


def test_what_the_will_says_of_itself_does_not_travel() -> None:
    talk = delayed(0, 60)
    talk.join(8, "reader", version=V5)
    talk.wants(8, "lwt/#")
    (will,) = published(talk.gone(1), 8)
    assert (will.payload, will.qos, will.properties) == (b"gone", 0, (("content_type", "text"),))


def test_a_retained_will_is_kept() -> None:
    talk = watched(will=replace(WILL, retain=True))
    talk.close(1)
    talk.join(2, "late")
    assert talk.wants(2, "lwt/#") == ["2 SUBACK 0", "2 PUBLISH lwt/gw-1"]


def test_the_platform_judges_wills_as_it_judges_messages() -> None:
    talk = watched(will=MqttWill("private/a"))
    talk.told()
    assert talk.close(1) == []
    assert ("refused", 0, "", "nobody may publish to it") in talk.told()


def test_a_will_for_which_there_is_no_room() -> None:
    limits = SessionLimits(all_sessions_bytes=Bound(1_000, "bytes", "few"))
    talk = BrokerTalk(replace(BROKER, limits=limits))
    assert talk.join(1, "gw-1", will=MqttWill("a", b"x" * 1_000)) == ["1 CONNACK 5", "1 closed"]
    assert talk.join(2, "gw-1", will=MqttWill("a", b"x" * 500)) == ["2 CONNACK 0"]
    talk.close(2)
    assert talk.join(3, "gw-2", will=MqttWill("a", b"x" * 500)) == ["3 CONNACK 0"]
