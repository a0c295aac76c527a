"""Sessions that outlive their connections, and keep-alive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.mqtt import MqttDisconnect, MqttPingreq, MqttWill, PublishAckKind
from tests.brokering.broker_talk import V5, BrokerTalk, published
from tests.brokering.rule_sets import BROKER, RULE_SETS

KEEPERS = [name for name, rules in RULE_SETS.items() if rules.keeps_sessions]
OTHERS = [name for name, rules in RULE_SETS.items() if not rules.keeps_sessions]


def away(rules: str = "broker", **fields: object) -> BrokerTalk:
    """gw-1 has subscribed to `a` and left; session 2 publishes."""
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1", **{"clean_start": False, **fields})
    talk.wants(1, "a", 1)
    talk.close(1)
    talk.join(2, "writer")
    return talk


@pytest.mark.parametrize("rules", KEEPERS)
def test_what_was_published_meanwhile_waits(rules: str) -> None:
    talk = away(rules)
    for number in b"123":
        talk.publish(2, "a", bytes([number]), qos=1)
    talk.publish(2, "a", b"not this", qos=0)
    talk.open(3)
    assert talk.join(3, "gw-1", clean_start=False) == ["3 CONNACK 0", *["3 PUBLISH a"] * 3]
    assert talk.ack(3, PublishAckKind.PUBACK, 1) == []


@pytest.mark.parametrize("rules", KEEPERS)
def test_what_was_not_acknowledged_comes_again_as_a_duplicate(rules: str) -> None:
    talk = away(rules)
    talk.publish(2, "a", b"1", qos=1)
    talk.join(3, "gw-1", clean_start=False)
    talk.close(3)
    talk.publish(2, "a", b"2", qos=1)
    said = talk.rejoined(4, "gw-1", clean_start=False)
    assert [(one.payload, one.packet_id, one.dup) for one in published(said)] == [(b"1", 1, True), (b"2", 2, False)]


@pytest.mark.parametrize("rules", OTHERS)
def test_some_servers_keep_nothing(rules: str) -> None:
    talk = away(rules)
    talk.publish(2, "a", qos=1)
    assert talk.join(3, "gw-1", clean_start=False) == ["3 CONNACK 0"]
    assert published(talk.publish(2, "a", qos=1)) == []


@pytest.mark.parametrize("rules", RULE_SETS)
def test_a_clean_start_forgets_it(rules: str) -> None:
    talk = away(rules)
    talk.publish(2, "a", qos=1)
    assert talk.join(3, "gw-1") == ["3 CONNACK 0"]
    assert published(talk.publish(2, "a", qos=1)) == []
    assert talk.broker.sessions.held_bytes == 0


def test_it_ends_when_its_time_is_over() -> None:
    talk = away(version=V5, properties=(("session_expiry_interval", 60),))
    talk.publish(2, "a", qos=1)
    assert talk.after(60) == []
    connack = talk.connack(3, "gw-1", clean_start=False)
    assert not connack.session_present
    assert published(talk.publish(2, "a", qos=1)) == []


def test_it_does_not_end_before() -> None:
    talk = away(version=V5, properties=(("session_expiry_interval", 60),))
    talk.after(59.999999)
    connack = talk.connack(3, "gw-1", clean_start=False, version=V5)
    assert connack.session_present


def test_without_an_expiry_it_ends_with_the_connection() -> None:
    talk = away(version=V5)
    connack = talk.connack(3, "gw-1", clean_start=False, version=V5)
    assert not connack.session_present


@pytest.mark.parametrize(
    ("wanted_s", "left_s", "said", "is_kept"),
    [
        (60, 0, ["1 closed"], False),
        (60, 120, ["1 closed"], True),
        (0, 60, ["1 DISCONNECT 130", "1 closed"], False),
    ],
)
def test_a_disconnect_may_change_the_expiry(wanted_s: int, left_s: int, said: list[str], is_kept: bool) -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5, properties=(("session_expiry_interval", wanted_s),))
    assert talk.say(1, MqttDisconnect(0, (("session_expiry_interval", left_s),))) == said
    talk.after(100)
    connack = talk.connack(3, "gw-1", clean_start=False, version=V5)
    assert connack.session_present is is_kept


def test_so_many_sessions_are_kept_and_the_oldest_goes_first() -> None:
    talk = BrokerTalk(replace(BROKER, limits=SessionLimits(kept_sessions=Bound(2, "sessions", "few"))))
    for session in range(1, 4):
        talk.join(session, f"gw-{session}", clean_start=False)
        talk.close(session)
    assert [event.name for event in talk.events if event.name][
        -1
    ] == "a session is forgotten, expected at most 2 sessions (few)"
    present = []
    for session in range(1, 4):
        connack = talk.connack(session + 10, f"gw-{session}", clean_start=False)
        present.append(connack.session_present)
    assert present == [False, True, True]


def test_what_is_due_at_once_may_be_the_end_of_what_is_due_too() -> None:
    talk = BrokerTalk(replace(BROKER, limits=SessionLimits(kept_sessions=Bound(1, "sessions", "few"))))
    talk.join(1, "gw-1", version=V5, properties=(("session_expiry_interval", 15),), keep_alive_s=0)
    talk.join(2, "gw-2", clean_start=False, keep_alive_s=10)
    talk.close(1)
    talk.now_us += 15_000_000  # nobody was asked meanwhile
    assert talk.after(0) == ["2 closed"]
    assert talk.after(1_000) == []


def test_what_waits_is_bounded_and_told() -> None:
    talk = BrokerTalk(replace(BROKER, limits=SessionLimits(waiting_messages=Bound(2, "messages", "few"))))
    talk.join(1, "gw-1", clean_start=False)
    talk.wants(1, "a", 1)
    talk.close(1)
    talk.join(2, "writer")
    for number in b"123":
        talk.publish(2, "a", bytes([number]), qos=1)
    assert talk.events[-1].name == "a message for gw-1 went lost, expected at most 2 messages (few)"
    assert [one.payload for one in published(talk.rejoined(3, "gw-1", clean_start=False))] == [b"1", b"2"]


def test_all_sessions_share_a_bound_of_memory() -> None:
    talk = BrokerTalk(replace(BROKER, limits=SessionLimits(all_sessions_bytes=Bound(4_000, "bytes", "few"))))
    for session in range(1, 4):
        talk.join(session, f"gw-{session}", clean_start=False)
        talk.wants(session, "a", 1)
        talk.close(session)
    talk.join(9, "writer")
    talk.publish(9, "a", b"x" * 800, qos=1)
    assert "went lost" in talk.events[-1].name
    for session in range(1, 4):  # whose sessions end give all of it back
        talk.join(session + 10, f"gw-{session}")
    talk.join(20, "gw-1", clean_start=False)
    assert talk.wants(20, "a", 1) == ["20 SUBACK 1"]


# Keep-alive


@pytest.mark.parametrize(
    ("rules", "keep_alive_s", "gone_after_s"),
    [("broker", 10, 15.0), ("hono", 10, 15.0), ("kura", 30, 45.0), ("broker", 0, None), ("thingsboard", 10, None)],
)
def test_keep_alive(rules: str, keep_alive_s: int, gone_after_s: float | None) -> None:
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "gw-1", keep_alive_s=keep_alive_s)
    if gone_after_s is None:
        assert talk.after(100_000) == []
        return
    assert talk.after(gone_after_s - 0.000001) == []
    assert talk.say(1, MqttPingreq()) == ["1 PINGRESP"]
    assert talk.after(gone_after_s - 0.000001) == []
    assert talk.after(0.000001) == ["1 closed"]
    assert f"nothing was heard for {gone_after_s:g} s" in [event.reason for event in talk.events]
    assert talk.server.next_due_us() is None


def test_nothing_is_due_for_who_has_gone() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", keep_alive_s=10)
    talk.open(2)
    talk.close(1)
    talk.close(2)
    assert talk.server.next_due_us() is None


def test_an_mqtt_5_client_is_told() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5, keep_alive_s=10)
    assert talk.after(15) == ["1 DISCONNECT 141", "1 closed"]


@pytest.mark.parametrize("wanted_s", [0, 600])
def test_the_servers_keep_alive(wanted_s: int) -> None:
    talk = BrokerTalk(replace(BROKER, server_keep_alive_s=10))
    talk.join(1, "gw-1", version=V5, keep_alive_s=wanted_s)
    talk.join(2, "gw-2", keep_alive_s=wanted_s)
    assert talk.after(15) == ["1 DISCONNECT 141", "1 closed"]


def test_what_is_sent_to_a_client_does_not_keep_it_alive() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", keep_alive_s=10)
    talk.wants(1, "a")
    talk.join(2, "writer")
    talk.after(14)
    talk.publish(2, "a")
    assert talk.after(1) == ["1 closed"]


@pytest.mark.parametrize("fills", ["will", "messages"])
def test_who_is_away_takes_no_room_from_who_comes(fills: str) -> None:
    limits = SessionLimits(all_sessions_bytes=Bound(20_000, "bytes", "few"))
    talk = BrokerTalk(replace(BROKER, limits=limits))
    big, expiry = b"x" * 9_000, (("session_expiry_interval", 1_000),)
    will = MqttWill("w", big, properties=(("will_delay_interval", 900),))
    for session, client_id in ((1, "gw-1"), (2, "gw-2")):
        fields = {"will": will} if fills == "will" else {}
        talk.join(session, client_id, version=V5, properties=expiry, **fields)
        if fills == "messages":
            talk.wants(session, "a", qos=1)
        talk.close(session)
    if fills == "messages":
        talk.join(9, "writer")
        talk.publish(9, "a", big, qos=1)
    assert talk.join(3, "gw-3", will=MqttWill("w", big)) == ["3 CONNACK 0"]
    assert talk.wants(3, "b") == ["3 SUBACK 0"]
    assert any("a session is forgotten, expected at most 20,000 bytes" in event.name for event in talk.events)
