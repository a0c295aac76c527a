"""Connections in virtual time: what a device receives, when, and what reaches its server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from fleetrig.simulator.agent import Agent, CutPoint
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.coap import CoapRequest, CoapResponse
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.envelope import Close, Envelope, Output, Send
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import DeviceIdentity
from fleetrig.simulator.contract.mqtt import (
    MqttConnack,
    MqttConnect,
    MqttPingreq,
    MqttPingresp,
    MqttPublish,
    MqttPublishAck,
    MqttSuback,
    MqttSubscribe,
    PublishAckKind,
    Subscription,
)
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import (
    Ask,
    Await,
    Connect,
    Disconnect,
    Done,
    Effect,
    Flow,
    NoReply,
    Outcome,
    Pause,
    Reply,
    Tell,
    acknowledge,
)
from fleetrig.simulator.transports.inbox import INBOX_LIMIT
from tests.simulator.scripted_server import ScriptedServer

WHERE = "mqtt://broker.test:1883"
CONNECT = Connect("connect", WHERE, MqttConnect("dev"), 5.0)
SUBSCRIBE = Ask("subscribe", MqttSubscribe((Subscription("to/dev"),)), 5.0)
PING = Ask("ping", MqttPingreq(), 5.0)
LISTEN = Await("push", ("PUBLISH to/dev",), 30.0, 30.0)
PUSH = MqttPublish("to/dev", b"hello")
RTT_US = 2_000


def broker(session: Session, envelope: Envelope) -> Sequence[Output]:
    """Accepts everybody and everything."""
    match envelope:
        case MqttConnect():
            return (Send(session.id, MqttConnack()),)
        case MqttSubscribe(packet_id=number):
            return (Send(session.id, MqttSuback(number, (0,))),)
        case MqttPublish(qos=1, packet_id=number):
            return (Send(session.id, MqttPublishAck(PublishAckKind.PUBACK, number)),)
        case MqttPingreq():
            return (Send(session.id, MqttPingresp()),)
        case CoapRequest(token=token):
            return (Send(session.id, CoapResponse("2.05", token=token)),)
        case _:
            return ()


class Life:
    """One device that performs effects one after the other, and what becomes of each, with the microsecond."""

    def __init__(
        self, effects: Iterable[Effect], server: ScriptedServer, trigger: PowerCutTrigger | None = None
    ) -> None:
        self.server = server
        self.outcomes: list[tuple[int, Outcome]] = []
        self.events: list[TraceEvent] = []
        trace = Trace()
        trace.listen(self.events.append)
        self.bench = VirtualBench(server, trace, seed=1)
        self.agent = Agent(DeviceIdentity("dev-1"), lambda device, remembered: self._flow(list(effects)))
        self.bench.power_on(self.agent, trigger=trigger)

    def _flow(self, effects: list[Effect]) -> Flow:
        for effect in effects:
            outcome = yield effect
            self.outcomes.append((self.now_us, outcome))

    @property
    def now_us(self) -> int:
        return self.bench.now_us() - VIRTUAL_EPOCH_US

    def run(self, seconds: float = 60.0) -> Life:
        self.bench.run_for(seconds)
        return self

    @property
    def told(self) -> list[tuple[int, int, str]]:
        return [(at_us - VIRTUAL_EPOCH_US, session, line) for at_us, session, line in self.server.told]

    def kinds(self) -> list[str]:
        return [f"{event.kind} {event.name or event.reason}".strip() for event in self.events]


def live(effects: Iterable[Effect], answers: Callable[[Session, Envelope], Sequence[Output]] = broker) -> Life:
    return Life(effects, ScriptedServer(answers)).run()


def at(us: int) -> int:
    return VIRTUAL_EPOCH_US + us


class TestAnswers:
    def test_connect_subscribe_publish_ping(self) -> None:
        effects: list[Effect] = [CONNECT, SUBSCRIBE, Ask("publish", MqttPublish("up", qos=1), 5.0), PING, Disconnect()]
        life = live(effects)
        rtt_s = RTT_US / 1_000_000
        assert life.outcomes == [
            (2_000, Reply(MqttConnack(), rtt_s)),
            (4_000, Reply(MqttSuback(1, (0,)), rtt_s)),
            (6_000, Reply(MqttPublishAck(PublishAckKind.PUBACK, 2), rtt_s)),
            (8_000, Reply(MqttPingresp(), rtt_s)),
            (8_000, Done()),
        ]
        assert life.told == [
            (0, 1, "opened mqtt"), (0, 1, "CONNECT dev"), (2_000, 1, "SUBSCRIBE to/dev"), (4_000, 1, "PUBLISH up"),
            (6_000, 1, "PINGREQ"), (8_000, 1, "closed"),
        ]  # fmt: skip
        assert life.kinds() == [
            "power_on", "sent connect", "received connect", "connected connect", "sent subscribe",
            "received subscribe", "sent publish", "received publish", "sent ping", "received ping",
            "disconnected", "ended",
        ]  # fmt: skip

    def test_an_answer_that_does_not_come(self) -> None:
        life = live([CONNECT, SUBSCRIBE, PING], lambda s, e: broker(s, e) if not isinstance(e, MqttSubscribe) else ())
        assert life.outcomes[1:] == [(5_002_000, NoReply("timeout", 5.0)), (5_004_000, Reply(MqttPingresp(), 0.002))]

    def test_an_answer_that_comes_too_late_is_kept_like_everything_else(self) -> None:
        late = Send(1, MqttSuback(1, (0,)), 6_000_000)
        effects: list[Effect] = [CONNECT, SUBSCRIBE, Await("late", ("SUBACK*",), 9.0, 9.0)]
        life = live(effects, lambda s, e: (late,) if isinstance(e, MqttSubscribe) else broker(s, e))
        assert [outcome for _, outcome in life.outcomes[1:]] == [
            NoReply("timeout", 5.0),
            Reply(MqttSuback(1, (0,)), 1.002),
        ]

    def test_a_refusal_is_an_answer(self) -> None:
        life = live([CONNECT, PING], lambda s, e: (Send(s.id, MqttConnack(5)), Close(s.id)))
        assert life.outcomes == [(2_000, Reply(MqttConnack(5), 0.002)), (2_000, NoReply("closed", 0.0))]
        assert "connected connect" not in life.kinds()

    def test_coap_opens_its_endpoint_by_itself(self) -> None:
        get = Ask("attributes", CoapRequest("GET", "coap://tb.test:5683", "/a"), 5.0)
        life = live([get, get, Await("notification", ("2.05",), 1.0, 1.0)])
        assert [outcome.envelope.line for _, outcome in life.outcomes[:2] if isinstance(outcome, Reply)] == ["2.05"] * 2
        assert [line for _, _, line in life.told[:3]] == ["opened coap", "GET coap:/a", "GET coap:/a"]
        assert {session for _, session, _ in life.told} == {1}

    def test_a_connection_without_a_first_word(self) -> None:
        life = live([Connect("endpoint", "coaps://tb.test:5684", None, 5.0)])
        assert life.outcomes == [(2_000, Done(0.002))]
        assert life.kinds() == ["power_on", "connected endpoint", "ended"]

    @pytest.mark.parametrize(
        ("effects", "message"),
        [
            ([CONNECT, CONNECT], "connects to mqtt://broker.test:1883 while it is connected"),
            ([CONNECT, Ask("get", CoapRequest("GET", "coap://h", "/"), 1.0)], "asks coap://h while it is connected"),
            ([CONNECT, Ask("publish", MqttPublish("up"), 1.0)], "sends it with Tell, not with Ask"),
        ],
    )
    def test_what_no_device_can_do(self, effects: list[Effect], message: str) -> None:
        with pytest.raises(ModelError, match=message):
            live(effects)

    @pytest.mark.parametrize("effect", [SUBSCRIBE, Tell("publish", MqttPublish("up")), LISTEN, PING])
    def test_nothing_goes_without_a_connection(self, effect: Effect) -> None:
        life = live([effect, Disconnect()])
        assert life.outcomes == [(0, NoReply("closed", 0.0)), (0, Done())]
        assert life.told == []


class TestPushes:
    def test_one_that_nobody_has_asked_for_wakes_the_device_at_its_microsecond(self) -> None:
        server = ScriptedServer(broker)
        life = Life([CONNECT, LISTEN], server)
        server.acts.append((at(7_654_321), [Send(1, PUSH)]))
        life.run()
        assert life.outcomes[1] == (7_654_321, Reply(PUSH, 7.652321))
        assert (7_654_321, 0, "advanced") in life.told

    def test_the_server_acts_though_nobody_calls_or_listens(self) -> None:
        server = ScriptedServer()
        server.acts += [(at(5), []), (at(1_000_000), []), (at(999_999), [])]
        life = Life([], server).run()
        assert [at_us for at_us, _, _ in life.told] == [5, 999_999, 1_000_000]

    def test_an_earlier_act_that_was_ordered_later_comes_first(self) -> None:
        server = ScriptedServer(broker)
        life = Life([CONNECT, LISTEN], server)
        server.acts.append((at(20_000_000), [Send(1, MqttPublish("to/dev", b"second"))]))
        life.run(1.0)
        server.acts.append((at(3_000_000), [Send(1, PUSH)]))
        life.bench._network.look_ahead()
        life.run()
        assert life.outcomes[1] == (3_000_000, Reply(PUSH, 2.998))
        assert [at_us for at_us, _, line in life.told if line == "advanced"] == [3_000_000, 20_000_000]

    def test_one_that_a_director_has_ordered_beside_the_network(self) -> None:
        """As when it adds a fault: what the server does by itself is looked up before time goes on."""
        server = ScriptedServer(broker)
        life = Life([CONNECT, LISTEN], server)

        def director() -> Director[None]:
            yield Pause(1.0, 1.0, "wait")
            server.acts.append((at(2_000_000), [Send(1, PUSH)]))
            yield Pause(5.0, 5.0, "wait")

        life.bench.run(director())
        assert life.outcomes[1] == (2_000_000, Reply(PUSH, 1.998))

    def test_one_that_http_has_caused(self) -> None:
        effects: list[Effect] = [CONNECT, Ask("rpc", HttpRequest("POST", "http://broker.test", "/rpc"), 5.0), LISTEN]
        life = live(effects, lambda s, e: (Send(1, PUSH),) if isinstance(e, HttpRequest) else broker(s, e))
        assert life.outcomes[-1] == (4_000, Reply(PUSH, 0.0)), "it lay in the inbox before the answer was there"

    def test_the_inbox_keeps_what_comes_while_nobody_awaits(self) -> None:
        server = ScriptedServer(broker)
        life = Life([CONNECT, Pause(10.0, 10.0, "busy"), LISTEN, LISTEN, LISTEN], server)
        for n in range(2):
            server.acts.append((at(1_000_000 + n), [Send(1, MqttPublish("to/dev", b"%d" % n))]))
        life.run()
        assert life.outcomes[2:] == [
            (10_002_000, Reply(MqttPublish("to/dev", b"0"), 0.0)),
            (10_002_000, Reply(MqttPublish("to/dev", b"1"), 0.0)),
            (40_002_000, NoReply("timeout", 30.0)),
        ]
        assert life.kinds()[-4:] == ["received push", "received push", "waited push", "ended"]

    def test_a_full_inbox_drops_the_oldest_and_says_so(self) -> None:
        server = ScriptedServer(broker)
        life = Life([CONNECT, Pause(10.0, 10.0, "busy"), LISTEN], server)
        flood = [Send(1, MqttPublish("to/dev", b"%d" % n)) for n in range(INBOX_LIMIT + 1)]
        server.acts.append((at(1_000_000), flood))
        life.run()
        assert life.outcomes[2] == (10_002_000, Reply(MqttPublish("to/dev", b"1"), 0.0))
        (dropped,) = [event for event in life.events if event.kind == "dropped"]
        assert dropped.envelope == MqttPublish("to/dev", b"0")

    def test_an_await_draws_from_its_range_and_leaves_what_does_not_fit(self) -> None:
        wait = Await("idle", ("PUBLISH other",), 10.0, 20.0, capped_at_s=15.0)
        server = ScriptedServer(broker)
        life = Life([CONNECT, *[wait] * 20], server)
        server.acts.append((at(1_000_000), [Send(1, PUSH)]))
        life.run(400.0)
        waited = [outcome.after_s for _, outcome in life.outcomes[1:]]
        assert all(isinstance(outcome, NoReply) for _, outcome in life.outcomes[1:])
        assert all(10.0 <= seconds <= 15.0 for seconds in waited)
        assert len(set(waited)) > 3
        assert life.agent.draws == 20

    def test_acknowledging_is_up_to_the_flow(self) -> None:
        def flow(*_: object) -> Flow:
            yield CONNECT
            came = yield LISTEN
            assert isinstance(came, Reply)
            assert isinstance(came.envelope, MqttPublish)
            yield from acknowledge(came.envelope)

        server = ScriptedServer(broker)
        life = Life([], server)
        life.agent.reprogram(flow)
        server.acts += [(at(n), [Send(1, MqttPublish("to/dev", qos=qos, packet_id=9))]) for n, qos in ((5_000, 1),)]
        life.run()
        assert life.told[-1][2] == "closed"
        assert [line for _, _, line in life.told if line.startswith("PUB")] == ["PUBACK"]


class TestOrder:
    def test_nothing_overtakes_but_what_is_late(self) -> None:
        """A push right after an answer stays behind it; an answer with a delay of its own does not hold it up."""
        server = ScriptedServer(broker)
        all_ = Await("any", ("*",), 30.0, 30.0)
        life = Life([CONNECT, Tell("up", MqttPublish("up")), all_, all_, all_], server)
        late, answer = Send(1, MqttPublish("late"), 500_000), Send(1, MqttPublish("answer"))
        server._answers = lambda s, e: (late, answer) if isinstance(e, MqttPublish) else broker(s, e)
        server.acts.append((at(2_500), [Send(1, PUSH)]))
        life.run()
        came = [(us, outcome.envelope.line) for us, outcome in life.outcomes[2:] if isinstance(outcome, Reply)]
        assert came == [(4_000, "PUBLISH answer"), (4_000, "PUBLISH to/dev"), (504_000, "PUBLISH late")]

    def test_what_was_sent_before_the_end_arrives_before_it(self) -> None:
        goodbye = Await("goodbye", ("*",), 30.0, 30.0)
        life = live(
            [CONNECT, Tell("up", MqttPublish("up")), goodbye, goodbye],
            lambda s, e: (Send(1, PUSH), Close(1), Send(1, PUSH)) if isinstance(e, MqttPublish) else broker(s, e),
        )
        assert life.outcomes[2:] == [(4_000, Reply(PUSH, 0.002)), (4_000, NoReply("closed", 0.0))]


class TestEndings:
    @pytest.mark.parametrize(("ending", "why"), [(Ending.CLOSED, "closed"), (Ending.RESET, "reset")])
    def test_the_server_ends_it_while_the_device_waits(self, ending: Ending, why: str) -> None:
        server = ScriptedServer(broker)
        life = Life([CONNECT, LISTEN, PING], server)
        server.acts.append((at(3_000_000), [Close(1, ending)]))
        life.run()
        assert life.outcomes[1:] == [(3_000_000, NoReply(why, 2.998)), (3_000_000, NoReply(why, 0.0))]
        assert life.told[-1] == (3_000_000, 1, "closed")
        assert [line for _, _, line in life.told].count("closed") == 1
        assert "no_reply push" in life.kinds()

    def test_a_server_that_forgets_says_nothing_and_hears_nothing(self) -> None:
        server = ScriptedServer(broker)
        life = Life([CONNECT, LISTEN, PING, Disconnect()], server)
        server.acts.append((at(3_000_000), [Send(1, PUSH, 500_000), Close(1, Ending.SILENCE), Send(1, PUSH)]))
        life.run()
        assert life.outcomes[1:3] == [(30_002_000, NoReply("timeout", 30.0)), (35_002_000, NoReply("timeout", 5.0))]
        assert life.told[-1] == (3_000_000, 1, "closed")

    @pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.RESET, Ending.CLOSED])
    def test_a_connection_that_is_not_let_in(self, ending: Ending) -> None:
        life = Life([CONNECT], ScriptedServer(broker, opens=[Close(1, ending)])).run()
        assert life.outcomes == [(2_000, NoReply(ending.value, 0.002))]
        assert [line for _, _, line in life.told] == ["opened mqtt", "closed"]

    def test_a_connection_that_does_not_come_about_is_none(self) -> None:
        life = live([CONNECT, PING, CONNECT], lambda s, e: ())
        assert life.outcomes[:2] == [(5_000_000, NoReply("timeout", 5.0)), (5_000_000, NoReply("closed", 0.0))]
        assert [(session, line) for _, session, line in life.told] == [
            (1, "opened mqtt"), (1, "CONNECT dev"), (1, "closed"),
            (2, "opened mqtt"), (2, "CONNECT dev"), (2, "closed"),
        ]  # fmt: skip

    def test_what_arrives_after_the_device_has_gone_arrives_nowhere(self) -> None:
        life = live([CONNECT, Tell("ping", MqttPingreq()), Disconnect(), CONNECT, LISTEN])
        assert life.outcomes[-1] == (30_004_000, NoReply("timeout", 30.0))

    def test_a_will_reaches_others(self) -> None:
        """What a server says when one session closes goes to another."""
        server = ScriptedServer(broker)
        server.says_goodbye = [Send(1, MqttPublish("to/dev", b"dev-2 has gone"))]
        life = Life([CONNECT, LISTEN], server)
        other = Agent(DeviceIdentity("dev-2"), lambda *_: iter_flow([CONNECT, Pause(1.0, 1.0, "busy")]))
        life.bench.power_on(other, after_s=1.0)
        life.run()
        assert life.outcomes[1] == (2_004_000, Reply(MqttPublish("to/dev", b"dev-2 has gone"), 2.002))

    def test_the_server_ends_it_at_the_very_moment_when_the_device_speaks(self) -> None:
        """What is due comes first: a server never hears a session that it has ended."""
        server = ScriptedServer(broker)
        life = Life([CONNECT, Pause(1.0, 1.0, "busy"), PING], server).run(0.5)
        server.acts.append((at(1_002_000), [Close(1)]))
        life.bench._network.look_ahead()
        life.run()
        assert life.outcomes[2] == (1_002_000, NoReply("closed", 0.0))
        assert [line for _, _, line in life.told][-2:] == ["advanced", "closed"]

    def test_power_off_closes_and_nothing_comes_of_it_any_more(self) -> None:
        server = ScriptedServer(broker)
        life = Life([CONNECT, LISTEN], server)
        server.acts.append((at(5_000_000), [Send(1, PUSH)]))
        life.run(3.0)
        life.bench.power_cut(life.agent)
        life.run()
        assert len(life.outcomes) == 1
        assert (3_000_000, 1, "closed") in life.told
        assert life.kinds()[-1] == "power_cut"

    def test_a_server_that_is_always_overdue_does_not_stop_time(self) -> None:
        class Overdue(ScriptedServer):
            def next_due_us(self) -> int:
                return at(0)

        life = Life([CONNECT, LISTEN], Overdue(broker)).run(10.0)
        assert life.now_us == 10_000_000
        assert 400 < len([line for _, _, line in life.told if line == "advanced"]) < 600


def iter_flow(effects: Iterable[Effect]) -> Flow:
    for effect in list(effects):
        _ = yield effect


POINTS = [
    "connect#1:before", "connect#1:sent", "connect#1:answered", "subscribe#1:before", "subscribe#1:sent",
    "subscribe#1:answered", "up#1:before", "up#1:sent", "push#1:before", "push#1:answered", "disconnect#1:before",
]  # fmt: skip
EVERYTHING: list[Effect] = [CONNECT, SUBSCRIBE, Tell("up", MqttPublish("up")), LISTEN, Disconnect()]


def pushing(session: Session, envelope: Envelope) -> Sequence[Output]:
    return (Send(session.id, PUSH, 1_000_000),) if isinstance(envelope, MqttPublish) else broker(session, envelope)


def test_the_points_at_which_power_can_go() -> None:
    trigger = PowerCutTrigger()
    Life(EVERYTHING, ScriptedServer(pushing), trigger).run()
    assert trigger.passed == POINTS


@pytest.mark.parametrize("point", POINTS)
def test_power_goes_there_and_comes_back(point: str) -> None:
    trigger = PowerCutTrigger(CutPoint.parse(point), off_s=3.0)
    life = Life(EVERYTHING, ScriptedServer(pushing), trigger).run()
    assert trigger.fired
    assert life.kinds().count("power_cut") == 1
    assert life.kinds()[-1] == "ended"
    sessions = {session for _, session, line in life.told if line.startswith("opened")}
    closed = [session for _, session, line in life.told if line == "closed"]
    assert sorted(closed) == sorted(sessions), "every connection is closed once"
    assert [outcome for _, outcome in life.outcomes[-5:]][3] == Reply(PUSH, 1.002)
