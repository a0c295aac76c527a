"""Whatever comes, in whatever order and under whichever rules: nothing raises, nothing is said after the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.mqtt_sessions.session_limits import SessionLimits
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.envelope import Close, Envelope, Output
from fleetrig.simulator.contract.mqtt import (
    MqttAuth,
    MqttConnack,
    MqttConnect,
    MqttDisconnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    MqttUnsuback,
    MqttUnsubscribe,
    MqttVersion,
    MqttWill,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.undecodable import Flaw, Undecodable
from tests.brokering.broker_platform import PASSWORD, USER
from tests.brokering.broker_talk import BrokerTalk
from tests.brokering.rule_sets import RULE_SETS

FEW = SessionLimits(
    held_packets=Bound(3, "", ""),
    subscriptions=Bound(3, "", ""),
    receive_maximum=Bound(2, "", ""),
    in_flight=Bound(2, "", ""),
    waiting_messages=Bound(4, "", ""),
    session_bytes=Bound(6_000, "", ""),
    all_sessions_bytes=Bound(10_000, "", ""),
    kept_sessions=Bound(2, "", ""),
    retained_messages=Bound(2, "", ""),
)

QOS = st.integers(0, 2)
NUMBERS = st.integers(1, 4)
TOPICS = st.sampled_from(["a", "a/b", "$a", "+", "", "private/close", "a/" * 250, "\0"])
FILTERS = st.sampled_from(["a", "a/+", "#", "+/#", "a/#/b", "$share/g/a", "", "private", "a/" * 250])
PROPERTIES = st.lists(
    st.sampled_from(
        [
            ("session_expiry_interval", 5), ("session_expiry_interval", 0xFFFFFFFF), ("receive_maximum", 1),
            ("will_delay_interval", 3), ("request_problem_information", 0), ("authentication_method", "x"),
            ("subscription_identifier", 1), ("topic_alias", 9), ("user_property", ("k", "v")), ("server_keep_alive", 1),
            ("session_expiry_interval", "not a number"), ("receive_maximum", b"nor this"),
        ]
    ),
    max_size=2,
).map(tuple)  # fmt: skip
WILLS = st.none() | st.builds(MqttWill, TOPICS, st.binary(max_size=3), QOS, st.booleans(), PROPERTIES)

CONNECTS = st.builds(
    MqttConnect,
    st.sampled_from(["", "a", "b", "x" * 30, "y" * 2_000]),
    st.sampled_from([USER, USER, USER, None]),
    st.just(PASSWORD.encode()),
    st.booleans(),
    st.sampled_from([0, 1, 4, 65_535]),
    st.sampled_from(MqttVersion),
    WILLS,
    PROPERTIES,
)
PUBLISHES = st.builds(
    MqttPublish, TOPICS, st.binary(max_size=3), QOS, st.booleans(), st.booleans(), NUMBERS, PROPERTIES
)
OTHERS: st.SearchStrategy[Envelope] = st.one_of(
    st.builds(MqttPublishAck, st.sampled_from(PublishAckKind), NUMBERS, st.sampled_from([0, 0x80])),
    st.builds(
        MqttSubscribe,
        st.lists(st.builds(Subscription, FILTERS, QOS, st.booleans(), st.booleans(), QOS), min_size=1, max_size=3).map(
            tuple
        ),
        NUMBERS,
        PROPERTIES,
    ),
    st.builds(MqttUnsubscribe, st.lists(FILTERS, min_size=1, max_size=2).map(tuple), NUMBERS),
    st.builds(MqttDisconnect, st.sampled_from([0, 4, 0x80]), PROPERTIES),
    st.builds(Undecodable, st.sampled_from(Flaw), st.just("odd")),
    st.sampled_from([MqttConnack(), MqttSuback(1, (0,)), MqttUnsuback(1), MqttPingreq(), MqttPingresp(), MqttAuth()]),
)
SESSIONS = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(SESSIONS, st.one_of(CONNECTS, PUBLISHES, OTHERS)),
    st.tuples(SESSIONS, st.one_of(CONNECTS, PUBLISHES)),
    st.tuples(SESSIONS, st.none()),
    st.tuples(st.just(0), st.floats(0, 20)),
)


@dataclass
class Listener:
    """Four connections, opened as they are needed; the number of one that is closed is given anew."""

    talk: BrokerTalk
    numbers: dict[int, int] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    opened: int = 0

    def say(self, who: int, envelope: Envelope) -> None:
        if who not in self.numbers:
            self.opened += 1
            self.numbers[who] = self.opened
            self.talk.open(self.opened)
        self.take(self.talk.heard(self.numbers[who], envelope))

    def close(self, who: int) -> None:
        if (number := self.numbers.pop(who, None)) is not None:
            self.ended.add(number)
            self.take(self.talk.gone(number))

    def wait(self, seconds: float) -> None:
        until_us = self.talk.now_us + round(seconds * 1_000_000)
        for _ in range(1_000):
            due_us = self.talk.server.next_due_us()
            if due_us is None or due_us > until_us:
                break
            self.talk.now_us = max(self.talk.now_us, due_us)
            self.take(list(self.talk.server.advance(self.talk.now_us)))
        else:
            pytest.fail("it never comes to rest")
        self.talk.now_us = until_us

    def take(self, outputs: list[Output]) -> None:
        for output in outputs:
            assert output.session not in self.ended
            if isinstance(output, Close):
                self.ended.add(output.session)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(RULE_SETS)), st.lists(STEPS, max_size=40))
def test_anything(rules: str, steps: list[tuple[int, Envelope | float | None]]) -> None:
    listener = Listener(BrokerTalk(replace(RULE_SETS[rules], limits=FEW)))
    for who, what in steps:
        match what:
            case None:
                listener.close(who)
            case float() | int():
                listener.wait(what)
            case _:
                listener.say(who, what)
        assert listener.talk.broker.sessions.held_bytes <= FEW.all_sessions_bytes.most
    for who in range(1, 5):
        listener.close(who)
    listener.wait(FEW.session_expiry_s.most + 1)
    sessions = listener.talk.broker.sessions
    assert (sessions.held_bytes, sessions.next_due_us()) == (0, None)
    assert (sessions._life.connections, sessions._life._clients, sessions._life._away) == ({}, {}, {})
    assert sessions._flow._subscriptions.is_empty
