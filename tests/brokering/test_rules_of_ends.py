"""What a platform may decide about how connections end, what it answers by itself, and what it tells of its way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetrig.reference_server.mqtt_sessions.application import LogIn, PublishAnswer
from fleetrig.reference_server.mqtt_sessions.client_state import ClientState
from fleetrig.reference_server.mqtt_sessions.reason_codes import MqttReason
from fleetrig.reference_server.platform import NOTHING, Reaction
from fleetrig.simulator.contract.clock import US_PER_S
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPingreq, MqttPublish, MqttSubscribe, Subscription
from fleetrig.simulator.contract.session import Session
from tests.brokering.broker_platform import BrokerPlatform
from tests.brokering.broker_talk import V5, BrokerTalk
from tests.brokering.rule_sets import BROKER

SILENT = replace(BROKER, tells_ends=False)


@pytest.mark.parametrize("tells_ends", [True, False])
def test_an_mqtt_5_client_is_told_the_end_or_not(tells_ends: bool) -> None:
    talk = BrokerTalk(replace(BROKER, tells_ends=tells_ends))
    talk.join(1, "gw-1", version=V5)
    told = ["1 DISCONNECT 135"] if tells_ends else []
    said = [line for line in talk.say(1, MqttPublish("private/close")) if "PUB" not in line]
    assert said == [*told, "1 closed"]


def test_a_second_connect_ends_without_a_word() -> None:
    talk = BrokerTalk(SILENT)
    talk.join(1, "gw-1", version=V5)
    assert talk.say(1, MqttConnect("gw-1", version=V5)) == ["1 closed"]


@pytest.mark.parametrize(("whole", "keep_alive_s", "gone_after_us"), [
    (False, 1, 1_500_000), (True, 1, 2 * US_PER_S), (True, 2, 3 * US_PER_S), (True, 3, 5 * US_PER_S),
])  # fmt: skip
def test_the_time_of_silence_may_be_rounded_up(whole: bool, keep_alive_s: int, gone_after_us: int) -> None:
    talk = BrokerTalk(replace(BROKER, counts_whole_seconds=whole))
    talk.join(1, "gw-1", keep_alive_s=keep_alive_s)
    assert talk.broker.next_due_us() == talk.now_us + gone_after_us


class StepsTold(BrokerPlatform):
    """Tells what it did, takes back what it refused, and answers SUBSCRIBE itself."""

    def receive(self, session: Session, envelope: Envelope, now_us: int) -> Reaction:
        if isinstance(envelope, MqttSubscribe):
            client = self.sessions.heard(session.id, now_us)
            return NOTHING if client is None else Reaction(reason=f"not for {client.client_id}")
        return super().receive(session, envelope, now_us)

    def log_in(self, connect: MqttConnect, session: Session, now_us: int) -> LogIn:
        if connect.client_id == "refused":
            return LogIn(MqttReason.NOT_AUTHORIZED, steps=("looked up",), reason="no", rollback=True)
        return LogIn(device=connect.client_id, steps=("looked up", "let in"))

    def published(self, client: ClientState, publish: MqttPublish, now_us: int) -> PublishAnswer:
        return PublishAnswer(steps=("handed on",), rollback=publish.topic == "undo")


@pytest.fixture
def talk() -> BrokerTalk:
    talk = BrokerTalk()
    talk.broker = StepsTold(talk.store)
    talk.serve(talk.broker)
    return talk


def steps(talk: BrokerTalk) -> list[str]:
    return [event.name for event in talk.events if event.kind == "step"]


def test_steps_of_logins_and_messages_are_told_in_order(talk: BrokerTalk) -> None:
    talk.join(1, "gw-1")
    talk.say(1, MqttPublish("a"))
    assert steps(talk) == ["looked up", "let in", "handed on"]
    kinds = [event.kind for event in talk.events]
    assert kinds.index("received") < kinds.index("step") < kinds.index("answered")


def test_what_a_refused_client_has_done_is_rolled_back(talk: BrokerTalk) -> None:
    session = Session(id=1, listener="toy")
    talk.broker.opened(session, talk.now_us)
    assert talk.broker.receive(session, MqttConnect("refused"), talk.now_us).rollback
    talk.join(2, "gw-2")
    second = Session(id=2, listener="toy")
    assert talk.broker.receive(second, MqttPublish("undo"), talk.now_us).rollback
    assert not talk.broker.receive(second, MqttPublish("do"), talk.now_us).rollback


def test_a_packet_that_the_platform_answers_counts_as_heard(talk: BrokerTalk) -> None:
    talk.join(1, "gw-1", keep_alive_s=10)
    talk.now_us += 14 * US_PER_S
    talk.say(1, MqttSubscribe((Subscription("a"),), packet_id=1))
    talk.now_us += 2 * US_PER_S
    list(talk.broker.advance(talk.now_us))
    assert talk.say(1, MqttPingreq()) == ["1 PINGRESP"]
    talk.now_us += 16 * US_PER_S
    assert [len(reaction.outputs) for reaction in talk.broker.advance(talk.now_us)] == [1]


def test_who_is_not_connected_is_nobody(talk: BrokerTalk) -> None:
    talk.open(1)
    assert talk.broker.sessions.heard(1, talk.now_us) is None
    assert talk.broker.sessions.heard(99, talk.now_us) is None
