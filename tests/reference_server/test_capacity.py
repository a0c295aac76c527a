"""A server that can do only so much: who waits how long, who is turned away, and what that looks like."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fleetrig.reference_server.capacity import take_turn
from fleetrig.reference_server.fault_plan import FaultPlan
from fleetrig.reference_server.server import Server
from fleetrig.reference_server.session_fault_outputs import blocked_reply
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Unheard
from fleetrig.simulator.contract.faults import Fault, FaultKind
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.mqtt import MqttPingreq, MqttPublish
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from tests.conversation.talk import Talk
from tests.reference_server.test_every_fault_is_performable import Answering

START_US = VIRTUAL_EPOCH_US
POLL, FILE = HttpRequest("GET", "http://h", "/poll"), HttpRequest("GET", "http://h", "/file")


def planned(**parameters: float) -> FaultPlan:
    plan = FaultPlan(lambda: 0.0)
    plan.add(Fault(FaultKind.CAPACITY, "GET /poll", parameters=parameters), START_US)
    return plan


def turns_ms(plan: FaultPlan, at_ms: Sequence[float]) -> list[int | None]:
    """Milliseconds until the answers of polls that come then; None: turned away."""
    turns = [take_turn(plan, POLL, START_US + int(at * 1000)) for at in at_ms]
    return [None if isinstance(turn, Fault) else turn // 1000 for turn in turns]


@pytest.mark.parametrize(
    ("at_ms", "until_answered_ms"),
    [
        ([0, 200, 400], [100, 100, 100]),
        ([0, 0, 0], [100, 200, 300]),
        ([0, 50, 60, 500], [100, 150, 240, 100]),
    ],
)
def test_each_request_waits_for_those_before_it_and_takes_its_own_time(
    at_ms: Sequence[float], until_answered_ms: list[int | None]
) -> None:
    assert turns_ms(planned(requests_per_s=10), at_ms) == until_answered_ms


def test_who_would_queue_too_long_is_turned_away_and_takes_no_place() -> None:
    assert turns_ms(planned(requests_per_s=10, waiting_s=0.1), [0, 0, 0, 0, 100, 100]) == [
        100, 200, None, None, 200, None,
    ]  # fmt: skip


def test_who_has_queued_too_long_is_dropped_and_takes_no_place() -> None:
    plan = planned(requests_per_s=10, waiting_s=0.25, sheds_after_s=0.1)
    turns = [take_turn(plan, POLL, START_US + at_ms * 1000) for at_ms in (0, 0, 0, 0, 100)]
    assert [turn.shows_as if isinstance(turn, Fault) else turn // 1000 for turn in turns] == [
        100, 200, Ending.SILENCE, Ending.SILENCE, 200,
    ]  # fmt: skip


def test_those_that_are_shed_hear_nothing_over_http_mqtt_and_coap() -> None:
    server = Server(Answering(), MemoryStore(), planned(requests_per_s=10, sheds_after_s=0), Trace(), Secrets())
    answered, shed = (server.exchange(POLL, Session(), START_US) for _ in range(2))
    assert answered.response is not None
    assert (shed.response, shed.ending) == (None, Ending.SILENCE)

    fault = Fault(FaultKind.CAPACITY, shows_as=Ending.SILENCE)
    assert blocked_reply(fault, 7, MqttPublish("t", b"")) == ()
    assert blocked_reply(fault, 7, CoapRequest("GET", "h", "/t")) == (Unheard(7),)


def test_what_it_does_not_hit_takes_no_turn() -> None:
    plan = planned(requests_per_s=1)
    assert take_turn(plan, FILE, START_US) == 0
    assert take_turn(plan, MqttPingreq(), START_US) == 0
    assert take_turn(FaultPlan(lambda: 0.0), POLL, START_US) == 0


def test_http_gets_its_answers_late_and_503_when_the_queue_is_full() -> None:
    events: list[TraceEvent] = []
    trace, plan = Trace(), planned(requests_per_s=10, waiting_s=0.1, retry_after_s=7.0)
    trace.listen(events.append)
    server = Server(Answering(), MemoryStore(), plan, trace, Secrets())
    first, second, third = (server.exchange(POLL, Session(), START_US) for _ in range(3))
    assert (first.delay_us, second.delay_us) == (to_us(0.1), to_us(0.2))
    assert third.response is not None
    assert (third.response.status, third.response.header("Retry-After")) == (503, "7")
    assert [(event.kind, event.fault) for event in events if event.kind == "fault"] == [("fault", "capacity")]


def test_mqtt_gets_its_answers_late_and_a_refusal_when_the_queue_is_full() -> None:
    talk = Talk()
    talk.fault(FaultKind.CAPACITY, parameters={"requests_per_s": 10, "waiting_s": 0.1})
    assert talk.connect(1) == ["1 CONNACK 0 +100ms"]
    assert talk.connect(2) == ["2 CONNACK 0 +200ms"]
    assert talk.connect(3) == ["3 CONNACK 3", "3 closed"]
    assert talk.say(1, MqttPublish("a", b"x", 1, packet_id=1)) == ["1 closed"], "no packet says that it is busy"
    talk.after(1)
    assert talk.say(2, MqttPublish("a", b"x", 1, packet_id=1)) == ["2 PUBACK +100ms"]


def test_coap_is_told_when_the_queue_is_full() -> None:
    talk = Talk()
    talk.fault(FaultKind.CAPACITY, parameters={"requests_per_s": 1, "waiting_s": 0.5, "retry_after_s": 9})
    talk.open(1)
    talk.say(1, CoapRequest("GET", "coap://h", "/a"))
    assert talk.say(1, CoapRequest("GET", "coap://h", "/a"))[0].startswith("1 5.03")
