"""Messages between clients: QoS both ways, what is acknowledged and how, retained messages, subscriptions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.mqtt_sessions.retained import RetainedMessages
from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.envelope import Output
from fleetrig.simulator.contract.faults import FaultKind
from fleetrig.simulator.contract.mqtt import (
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    PropertyValue,
    PublishAckKind,
    Subscription,
)
from tests.brokering.broker_talk import V5, BrokerTalk, connect, published, sent
from tests.brokering.rule_sets import BROKER, HONO_LIKE, RULE_SETS, THINGSBOARD_LIKE

PUBACK, PUBREC, PUBREL, PUBCOMP = PublishAckKind


def two(rules: str = "broker", qos: int = 2, **fields: object) -> BrokerTalk:
    """Session 1 has subscribed to `a/#`; session 2 publishes."""
    talk = BrokerTalk(RULE_SETS[rules])
    talk.join(1, "reader", **fields)
    talk.wants(1, "a/#", qos)
    talk.join(2, "writer", **fields)
    return talk


@pytest.mark.parametrize("asked", [0, 1, 2])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_the_lower_qos_counts(asked: int, qos: int) -> None:
    (message,) = published(two(qos=asked).publish(2, "a/b", qos=qos), 1)
    assert (message.qos, message.packet_id) == (min(asked, qos), 1 if min(asked, qos) else 0)


@pytest.mark.parametrize(
    ("rules", "qos", "answer"),
    [
        ("broker", 0, None), ("broker", 1, PUBACK), ("broker", 2, PUBREC),
        ("thingsboard", 1, PUBACK), ("thingsboard", 2, PUBACK), ("hono", 2, PUBREC), ("kura", 2, PUBREC),
    ],
)  # fmt: skip
def test_how_a_message_is_acknowledged(rules: str, qos: int, answer: PublishAckKind | None) -> None:
    talk = two(rules)
    assert sent(talk.publish(2, "a/b", qos=qos), 2) == ([] if answer is None else [MqttPublishAck(answer, 7)])


def test_exactly_once() -> None:
    talk = two()
    assert len(published(talk.publish(2, "a/b", qos=2))) == 1
    again = talk.publish(2, "a/b", qos=2, dup=True)
    assert (sent(again), talk.ack(2, PUBREL, 7)) == ([MqttPublishAck(PUBREC, 7)], ["2 PUBCOMP"])
    assert len(published(talk.publish(2, "a/b", qos=2))) == 1  # the packet id is free again
    assert talk.ack(1, PUBREC, 1) == ["1 PUBREL"]
    assert talk.ack(1, PUBCOMP, 1) == []


@pytest.mark.parametrize(("qos", "copies"), [(1, 2), (2, 1)])
def test_an_acknowledgement_that_a_fault_withholds(qos: int, copies: int) -> None:
    """The publisher has to say it again, and hears the same; of QoS 2 the others hear it once all the same."""
    talk = two()
    talk.fault(FaultKind.WITHHELD_ACK, hits="PUBLISH a/b", times=1)
    first = talk.publish(2, "a/b", qos=qos)
    again = talk.publish(2, "a/b", qos=qos, dup=True)
    assert [one.line for one in sent(first, 2)] == []
    assert [one.line for one in sent(again, 2)] == ["PUBACK" if qos == 1 else "PUBREC"]
    assert len(published([*first, *again], 1)) == copies


def test_a_release_of_nothing() -> None:
    talk = two(version=V5)
    assert talk.ack(2, PUBREL, 9) == ["2 PUBCOMP 146"]
    assert talk.ack(1, PUBREC, 9) == ["1 PUBREL 146"]
    assert two().ack(2, PUBREL, 9) == ["2 PUBCOMP"]


def test_a_wrong_acknowledgement_ends_the_connection() -> None:
    talk = two(version=V5)
    talk.publish(2, "a/b", qos=1)
    assert talk.ack(1, PUBREC, 1) == ["1 DISCONNECT 130", "1 closed"]


def test_more_unreleased_messages_than_it_has_said() -> None:
    talk = two(version=V5)
    for number in range(1, 101):
        assert sent(talk.publish(2, "b", qos=2, packet_id=number)) == [MqttPublishAck(PUBREC, number)]
    said = talk.publish(2, "b", qos=2, packet_id=101)
    assert [one.line for one in sent(said)] == ["DISCONNECT 147"]


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("topic", ["", "a/+", "#", "a/" * 200])
def test_a_topic_that_is_none(topic: str, rules: str) -> None:
    talk = two(rules, version=V5)
    assert [one.line for one in sent(talk.publish(2, topic))] == ["DISCONNECT 144"]


def test_a_message_that_the_platform_refuses() -> None:
    talk = two(version=V5)
    assert sent(talk.publish(2, "private/a", qos=1)) == [MqttPublishAck(PUBACK, 7, 0x87)]
    assert sent(talk.publish(2, "private/a", qos=2)) == [MqttPublishAck(PUBREC, 7, 0x87)]
    assert talk.ack(2, PUBREL, 7) == ["2 PUBCOMP 146"]  # a refused one is over
    lines = [one.line for one in sent(talk.publish(2, "private/close", qos=1))]
    assert lines == ["PUBACK 135", "DISCONNECT 135"]
    talk = two()
    assert sent(talk.publish(2, "private/a", qos=1)) == [MqttPublishAck(PUBACK, 7)]
    assert talk.say(2, MqttPublish("private/close", qos=1, packet_id=8)) == ["2 PUBACK", "2 closed"]


def test_a_client_gets_a_message_once_and_with_the_highest_qos() -> None:
    talk = two(qos=0)
    talk.wants(1, "+/b", 2)
    talk.wants(1, "a/b", 1)
    (message,) = published(talk.publish(2, "a/b", qos=2), 1)
    assert message.qos == 2


def test_the_same_filter_again_replaces_the_first() -> None:
    talk = two(qos=2)
    talk.wants(1, "a/#", 0)
    (message,) = published(talk.publish(2, "a/b", qos=1), 1)
    assert message.qos == 0


def test_no_local_and_retain_as_published() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5)
    talk.join(2, "gw-2", version=V5)
    talk.wants(1, "a", no_local=True)
    talk.wants(2, "a", retain_as_published=True)
    talk.join(3, "gw-3")
    talk.wants(3, "a")
    seen = {one.session: one.envelope.retain for one in talk.publish(1, "a", retain=True)}  # type: ignore[union-attr]
    assert seen == {2: True, 3: False}


def test_properties_travel_from_mqtt_5_to_mqtt_5() -> None:
    talk = BrokerTalk()
    for session, version in enumerate((V5, V5, 4), 1):
        talk.join(session, f"gw-{session}", version=version)
        talk.wants(session, "a")
    alias, content, user = ("topic_alias", 3), ("content_type", "text"), ("user_property", ("k", "v"))
    said = talk.publish(1, "a", properties=(alias, content, user))
    assert [one.properties for one in published(said)] == [(content, user), (content, user), ()]


@pytest.mark.parametrize(("size_bytes", "count"), [(20, 1), (21, 0)])
def test_a_client_gets_no_packet_larger_than_it_takes(size_bytes: int, count: int) -> None:
    talk = BrokerTalk()
    talk.join(1, "reader", version=V5, properties=(("maximum_packet_size", 20),))
    talk.wants(1, "a", 1)
    talk.join(2, "writer")
    around_bytes = 8  # two of fixed header, three of topic, two of packet id, one of no properties
    said = talk.publish(2, "a", b"x" * (size_bytes - around_bytes), qos=1)
    assert (len(sent(said, 2)), len(published(said, 1))) == (1, count)
    assert talk.broker.sessions.held_bytes < 2_000


def test_subscriptions_are_granted_one_by_one() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5)
    filters = ("a/#", "a/#/b", "private/a", "$share/g/a", "", "+/" * 200 + "a", "$SYS/#")
    subscribe = MqttSubscribe(tuple(Subscription(one, 1) for one in filters), packet_id=4)
    talk.told()
    assert talk.heard(1, subscribe)[0].envelope == MqttSuback(4, (1, 0x8F, 0x87, 0x9E, 0x8F, 0x8F, 1))  # type: ignore[union-attr]
    (refused,) = [event for event in talk.events if event.kind == "refused"]
    assert refused.reason == "no subscription to 'a/#/b': # stands at the end of a filter only, and 4 more"
    talk.join(2, "gw-2")
    codes = talk.heard(2, subscribe)[0].envelope.codes  # type: ignore[union-attr]
    assert codes == (1, 0x80, 0x80, 0x80, 0x80, 0x80, 1)


def test_subscriptions_by_the_thousand() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5)
    many = MqttSubscribe(tuple(Subscription(f"a/{number}") for number in range(3_000)), packet_id=4)
    (suback,) = sent(talk.heard(1, many))
    assert isinstance(suback, MqttSuback)
    assert (suback.codes[:200], set(suback.codes[200:])) == ((0,) * 200, {0x97})
    assert talk.wants(1, "a/0") == ["1 SUBACK 0"]  # one that it has
    talk.say(1, MqttUnsubscribe(("a/7",), 5))
    assert talk.wants(1, "b") == ["1 SUBACK 0"]


def test_the_same_filter_a_thousand_times_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1")
    looked: list[object] = []

    def matching(_: RetainedMessages, levels: list[str], now_us: int) -> tuple[MqttPublish, ...]:
        looked.append(levels)
        return ()

    monkeypatch.setattr(RetainedMessages, "matching", matching)
    talk.say(1, MqttSubscribe(tuple(Subscription("#") for _ in range(1_000)), packet_id=4))
    assert looked == [["#"]]


def test_subscription_identifiers_are_not_offered() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5)
    said = talk.say(1, MqttSubscribe((Subscription("a"),), 1, (("subscription_identifier", 3),)))
    assert said == ["1 DISCONNECT 161", "1 closed"]


def test_unsubscribing() -> None:
    talk = two(version=V5)
    unsuback = talk.heard(1, MqttUnsubscribe(("a/#", "a/#", "b"), packet_id=9))[0].envelope  # type: ignore[union-attr]
    assert unsuback == MqttUnsuback(9, (0, 0x11, 0x11))
    assert published(talk.publish(2, "a/b")) == []
    talk = two()
    assert talk.heard(1, MqttUnsubscribe(("a/#",), packet_id=9))[0].envelope == MqttUnsuback(9)  # type: ignore[union-attr]


def test_who_has_left_gets_nothing() -> None:
    talk = two()
    talk.close(1)
    assert published(talk.publish(2, "a/b", qos=1)) == []


@pytest.mark.parametrize("rules", [THINGSBOARD_LIKE, HONO_LIKE])
def test_a_message_of_the_platform_where_nobody_acknowledges(rules: object) -> None:
    talk = BrokerTalk(rules)  # type: ignore[arg-type]
    talk.join(1, "gw-1")
    talk.wants(1, "/provision/response", 2)
    talk.join(2, "gw-2")
    for number in range(1, 102):
        (message,) = published(talk.publish(2, "/provision/response", qos=1), 1)
        assert (message.qos, message.packet_id) == (1, number)
    assert talk.ack(1, PUBACK, 50) == []


def test_a_session_that_is_over_gets_nothing_and_keeps_nothing() -> None:
    talk = two()
    sessions = talk.broker.sessions
    client = sessions._life.connections[1].client
    assert client is not None
    talk.close(1)
    assert sessions.send(client, MqttPublish("a/b", qos=1), 0) == []
    assert sessions.held_bytes == 0


def test_a_message_of_the_platform_itself() -> None:
    talk = two()
    client = talk.broker.sessions._life.connections[2].client
    assert client is not None
    (message,) = published(talk.broker.sessions.send(client, MqttPublish("whatever", qos=1), 0), 2)
    assert (message.topic, message.packet_id) == ("whatever", 1)
    (routed,) = published(list(talk.broker.sessions.route(MqttPublish("a/b"), 0).outputs))
    assert routed.topic == "a/b"


# Retained messages


def test_a_retained_message_is_for_those_who_come_later() -> None:
    talk = two()
    (live,) = published(talk.publish(2, "a/b", b"1", qos=1, retain=True), 1)
    talk.publish(2, "a/b", b"2", qos=1, retain=True)
    talk.join(3, "late")
    suback, kept = sent(talk.heard(3, MqttSubscribe((Subscription("a/+", 1),), 1)))
    assert isinstance(suback, MqttSuback)
    assert isinstance(kept, MqttPublish)
    assert (live.retain, kept.retain, kept.payload, kept.qos) == (False, True, b"2", 1)


def test_an_empty_one_removes_it() -> None:
    talk = two()
    talk.publish(2, "a/b", retain=True)
    (told,) = published(talk.publish(2, "a/b", b"", retain=True))
    assert told.payload == b""
    assert talk.wants(2, "a/b") == ["2 SUBACK 0"]


@pytest.mark.parametrize(("handling", "first", "again"), [(0, 1, 1), (1, 1, 0), (2, 0, 0)])
def test_retain_handling(handling: int, first: int, again: int) -> None:
    talk = two(version=V5)
    talk.publish(2, "a/b", retain=True)
    counts = [len(talk.wants(2, "a/b", retain_handling=handling)) - 1 for _ in range(2)]
    assert counts == [first, again]


@pytest.mark.parametrize("topic_filter", ["a/b", "a/+", "#", "+/b"])
def test_retained_messages_fit_filters(topic_filter: str) -> None:
    talk = two()
    for topic in ("a/b", "a/c", "$a/b"):
        talk.publish(2, topic, retain=True)
    lines = talk.wants(2, topic_filter)
    expected = ["a/b", "a/c"] if topic_filter in ("a/+", "#") else ["a/b"]
    assert lines == ["2 SUBACK 0", *(f"2 PUBLISH {topic}" for topic in expected)]


def test_a_retained_message_comes_once_for_a_subscribe() -> None:
    talk = two()
    talk.publish(2, "a/b", qos=2, retain=True)
    wanted = tuple(Subscription(one, qos) for one, qos in (("a/b", 2), ("#", 0), ("+/b", 1)))
    (kept,) = published(talk.heard(2, MqttSubscribe(wanted, 1)))
    assert (kept.qos, kept.retain) == (2, True)


@pytest.mark.parametrize(
    "limits",
    [
        SessionLimits(retained_messages=Bound(1, "messages", "few")),
        SessionLimits(retained_bytes=Bound(300, "bytes", "few")),
    ],
)
def test_retained_messages_are_bounded(limits: SessionLimits) -> None:
    talk = BrokerTalk(replace(BROKER, limits=limits))
    talk.join(1, "gw-1")
    for topic in ("a", "b", "a"):
        talk.publish(1, topic, retain=True)
    assert talk.wants(1, "#") == ["1 SUBACK 0", "1 PUBLISH a"]
    assert "not retained, expected at most" in "".join(event.name for event in talk.events)


def test_where_nothing_is_retained() -> None:
    talk = BrokerTalk(replace(BROKER, retains=False))
    talk.join(1, "gw-1", version=V5)
    assert [one.line for one in sent(talk.publish(1, "a", retain=True))] == ["DISCONNECT 154"]
    talk.join(2, "gw-2")
    talk.publish(2, "a", retain=True)
    assert talk.wants(2, "a") == ["2 SUBACK 0"]


def test_retained_properties_take_their_share() -> None:
    """A thousand of them on one message: 5 bytes each on the wire, 120 in memory."""
    talk = BrokerTalk(replace(BROKER, limits=SessionLimits(retained_bytes=Bound(100_000, "bytes", "few"))))
    talk.join(1, "gw-1", version=V5)
    talk.publish(1, "a", retain=True, properties=(("user_property", ("", "")),) * 1_000)
    assert "not retained, expected at most 100,000 bytes (few)" in [event.name for event in talk.events]


def test_retained_topics_have_few_levels_together() -> None:
    """Or 200 filters of 200 levels, which is one packet, take seconds."""
    talk = BrokerTalk(replace(BROKER, limits=SessionLimits(retained_levels=Bound(10, "levels", "few"))))
    talk.join(1, "gw-1")
    for topic in ("a/b/c/d/e/f", "g/h/i/j/k"):
        talk.publish(1, topic, retain=True)
    assert "not retained, expected at most 10 levels (few)" in [event.name for event in talk.events]
    talk.publish(1, "a/b/c/d/e/f", b"", retain=True)
    talk.publish(1, "g/h/i/j/k", retain=True)
    assert talk.wants(1, "#") == ["1 SUBACK 0", "1 PUBLISH g/h/i/j/k"]


EXPIRES = (("message_expiry_interval", 10), ("content_type", "text"))


def left(outputs: list[Output], session: int) -> list[PropertyValue]:
    return [dict(one.properties).get("message_expiry_interval", "") for one in published(outputs, session)]


def test_a_message_waits_as_long_as_it_may() -> None:
    """MQTT-3.3.2-5 and -6: who comes back is told how much time is left, or gets nothing."""
    talk = BrokerTalk()
    for session, client_id, version in ((1, "gw-1", V5), (2, "gw-2", MqttVersion.V311)):
        properties = (("session_expiry_interval", 100),) if version is V5 else ()
        talk.join(session, client_id, version=version, clean_start=False, properties=properties)
        talk.wants(session, "a", qos=1)
        talk.close(session)
    talk.join(3, "writer", version=V5)
    talk.publish(3, "a", qos=1, properties=EXPIRES)
    talk.after(2.5)
    talk.publish(3, "a", qos=1, properties=(("message_expiry_interval", 1),))
    talk.after(4)
    assert left(talk.rejoined(4, "gw-1", version=V5, clean_start=False), 4) == [4]
    talk.after(4)
    assert published(talk.rejoined(5, "gw-2", clean_start=False), 5) == []


def test_a_retained_message_stays_as_long_as_it_may() -> None:
    talk = BrokerTalk()
    talk.join(1, "gw-1", version=V5)
    talk.publish(1, "a", retain=True, properties=EXPIRES)
    talk.after(7)
    talk.open(2)
    talk.heard(2, connect("gw-2", version=V5))
    assert left(talk.heard(2, MqttSubscribe((Subscription("a"),), 1)), 2) == [3]
    talk.after(3.5)
    assert talk.wants(2, "a") == ["2 SUBACK 0"]
