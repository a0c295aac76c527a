"""An agent runs one flow, keeps what was remembered, watches its stages, and survives power cuts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from fleetrig.simulator.agent import Agent, CutPoint, cut_points, effect_name
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.json_types import Json
from fleetrig.simulator.contract.mqtt import MqttConnect, MqttPingreq, MqttPublish, MqttPublishAck, PublishAckKind
from fleetrig.simulator.effects import (
    Apply,
    Ask,
    Await,
    Connect,
    Disconnect,
    Done,
    Download,
    Effect,
    Enter,
    Flow,
    NoReply,
    Outcome,
    Pause,
    Remember,
    Reply,
    Tell,
    acknowledge,
    ask,
    connect,
    download,
    pause,
    tell,
    wait_for,
)
from fleetrig.simulator.stages import Stage

REQUEST = HttpRequest("GET", "http://h", "/")
POLL = Ask("poll", REQUEST, 1.0)
IDENTITY = DeviceIdentity("dev-1")


def three_steps(_: DeviceIdentity, remembered: Mapping[str, Json]) -> Flow:
    yield Enter(Stage.ENROLLING)
    yield Remember({"starts": int(str(remembered.get("starts", 0))) + 1, "stage": "enrolled", "gone": None})
    yield Pause(1.0, 2.0, "to think")


def test_a_flow_from_beginning_to_end() -> None:
    agent = Agent(IDENTITY, three_steps)
    assert (agent.stage, agent.is_on, agent.remembered) == (Stage.BLANK, False, {})
    effect = agent.power_on()
    assert effect == Enter(Stage.ENROLLING)
    assert isinstance(effect, Enter)
    effect = agent.resume(agent.settle(effect))
    assert isinstance(effect, Remember)
    assert agent.remembered == {}, "nothing is remembered before it is settled"
    effect = agent.resume(agent.settle(effect))
    assert agent.remembered == {"starts": 1, "stage": "enrolled"}
    assert effect == Pause(1.0, 2.0, "to think")
    assert agent.resume(Done(1.5)) is None
    assert not agent.is_on


def test_what_is_remembered_survives_and_nothing_else() -> None:
    agent = Agent(IDENTITY, three_steps)
    effect = agent.power_on()
    assert isinstance(effect, Enter)
    effect = agent.resume(agent.settle(effect))
    assert isinstance(effect, Remember)
    agent.settle(effect)
    agent.power_cut()
    agent.power_cut()
    assert agent.remembered == {"starts": 1, "stage": "enrolled"}
    agent.power_on()
    assert agent.stage is Stage.ENROLLED, "where its storage says, not where it was"


def test_forgetting() -> None:
    agent = Agent(IDENTITY, three_steps)
    agent.settle(Remember({"a": 1, "b": [2], "c": {"d": None}}))
    agent.settle(Remember({"a": None, "never": None}))
    assert agent.remembered == {"b": [2], "c": {"d": None}}


def test_devices_that_remember_nothing_but_their_stage_share_it_until_one_remembers_more() -> None:
    one, other = Agent(DeviceIdentity("dev-1"), three_steps), Agent(DeviceIdentity("dev-2"), three_steps)
    for agent in (one, other):
        agent.settle(Remember({"stage": "enrolled", "token": None}))
    assert one.remembered is other.remembered
    one.settle(Remember({"action": "7"}))
    assert one.remembered == {"stage": "enrolled", "action": "7"}
    assert other.remembered == {"stage": "enrolled"}


def test_an_illegal_move_is_a_bug_of_ours() -> None:
    agent = Agent(IDENTITY, three_steps)
    with pytest.raises(ModelError, match="dev-1: blank -> updating is not a legal move"):
        agent.settle(Enter(Stage.UPDATING))
    agent.settle(Enter(Stage.BLANK))
    assert agent.stage is Stage.BLANK


def test_on_is_on_and_off_is_off() -> None:
    agent = Agent(IDENTITY, three_steps)
    with pytest.raises(ModelError, match="is off"):
        agent.resume(Done())
    agent.power_on()
    with pytest.raises(ModelError, match="already on"):
        agent.power_on()


def test_a_program_with_nothing_to_do() -> None:
    def idle(_: DeviceIdentity, __: Mapping[str, Json]) -> Flow:
        yield from ()

    agent = Agent(IDENTITY, idle)
    assert agent.power_on() is None
    assert not agent.is_on


def test_another_program_counts_from_the_next_power_on() -> None:
    def other(_: DeviceIdentity, __: Mapping[str, Json]) -> Flow:
        yield POLL

    agent = Agent(IDENTITY, three_steps)
    agent.power_on()
    agent.reprogram(other)
    assert agent.is_on
    agent.power_cut()
    assert agent.power_on() == POLL


def test_a_power_cut_closes_the_flow_where_it_stands() -> None:
    closed = []

    def careful(_: DeviceIdentity, __: Mapping[str, Json]) -> Flow:
        try:
            yield POLL
        finally:
            closed.append(True)

    agent = Agent(IDENTITY, careful)
    agent.power_on()
    agent.power_cut()
    assert closed == [True]


EVERYWHERE = ("before", "sent", "answered")
EFFECTS = [
    (POLL, "poll", EVERYWHERE),
    (Download("download", REQUEST, "fw", 0, 1.0), "download", EVERYWHERE),
    (Connect("connect", "mqtt://h", None, 1.0), "connect", EVERYWHERE),
    (Ask("ping", MqttPingreq(), 1.0), "ping", EVERYWHERE),
    (Tell("telemetry", MqttPublish("up")), "telemetry", ("before", "sent")),
    (Await("push", ("PUBLISH *",), 1.0, 2.0), "push", ("before", "answered")),
    (Disconnect(), "disconnect", ("before",)),
    (Pause(1.0, 2.0, "poll interval"), "pause-poll-interval", ("before",)),
    (Remember({"b": 1, "a": None}), "remember-a-b", ("before",)),
    (Enter(Stage.ONLINE, "why not"), "enter-online", ("before",)),
    (Apply("12", 1.0), "apply", ("before",)),
]


@pytest.mark.parametrize(("effect", "name", "points"), EFFECTS, ids=[row[1] for row in EFFECTS])
def test_effects_have_names_to_cut_at(effect: Effect, name: str, points: tuple[str, ...]) -> None:
    assert effect_name(effect) == name
    assert cut_points(effect) == points
    for where in cut_points(effect):
        point = CutPoint(name, 2, where)
        assert CutPoint.parse(str(point)) == point


@pytest.mark.parametrize("text", ["", "poll", "poll#1", "poll:before", "poll#:before", "poll#0:before", "poll#-1:sent",
                                  "poll#1:after", "#1:before", "poll#²:before", "poll#1:before:sent"])  # fmt: skip
def test_what_is_no_point(text: str) -> None:
    with pytest.raises(ValueError, match=r"<effect>#<n>:before\|sent\|answered"):
        CutPoint.parse(text)


def wrongly_answered() -> Iterator[tuple[Flow, str]]:
    def asking() -> Flow:
        yield from ask("poll", REQUEST, 1.0)

    def downloading() -> Flow:
        yield from download(Download("download", REQUEST, "fw", 0, 1.0))

    def pausing() -> Flow:
        yield from pause(Pause(1.0, 1.0, "why"))

    def connecting() -> Flow:
        yield from connect(Connect("connect", "mqtt://h", MqttConnect(), 1.0))

    def telling() -> Flow:
        yield from tell("up", MqttPublish("up"))

    def waiting() -> Flow:
        yield from wait_for(Await("push", ("*",), 1.0, 1.0))

    yield asking(), "answered Ask with Done"
    yield connecting(), "answered Connect with Reply"
    yield telling(), "answered Tell with Reply"
    yield waiting(), "answered Await with Done"
    yield downloading(), "answered Download with Done"
    yield pausing(), "answered Pause with NoReply"


WRONG: dict[str, Outcome] = {
    "Done": Done(),
    "NoReply": NoReply("timeout", 1.0),
    "Reply": Reply(HttpResponse(200), 1.0),
}


@pytest.mark.parametrize(
    ("flow", "message"), list(wrongly_answered()), ids=["ask", "connect", "tell", "await", "download", "pause"]
)
def test_a_driver_that_answers_wrongly_is_found_out(flow: Flow, message: str) -> None:
    next(flow)
    with pytest.raises(AssertionError, match=message):
        flow.send(WRONG[message.rpartition(" ")[2]])


@pytest.mark.parametrize(
    ("qos", "said"), [(0, None), (1, PublishAckKind.PUBACK), (2, PublishAckKind.PUBREC)], ids=["0", "1", "2"]
)
def test_a_publish_that_came_is_acknowledged_by_its_quality(qos: int, said: PublishAckKind | None) -> None:
    flow = acknowledge(MqttPublish("down", qos=qos, packet_id=7))
    effect = next(flow, None)
    assert effect == (None if said is None else Tell(said.name.lower(), MqttPublishAck(said, 7)))
