"""Virtual time: the same seed gives the same run, power is cut where it was asked for, directors get what they want."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable

import pytest

from fleetrig.simulator.agent import Agent, CutPoint
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.contract.clock import US_PER_S, VIRTUAL_EPOCH_US
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.contract.masking import Secrets
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.contract.trace_json import to_line
from fleetrig.simulator.drivers.director import AdminCall, Director, Until
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.effects import Ask, Done, Enter, Flow, NoReply, Pause, Reply
from fleetrig.simulator.fleet import numbered
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from fleetrig.simulator.stages import Stage
from tests.simulator.http_only import HttpOnly
from tests.simulator.stub_hawkbit import TOKEN, Action, StubHawkbit

pytestmark = pytest.mark.slow

URL = "http://hawkbit.test"
QUICK = HawkbitSettings(
    URL, {"hw": "2"}, backoff=Backoff(Policy.EQUAL_JITTER, 1.0, 8.0), timeout_s=2.0, poll_jitter=0.2, install_s=2.0
)


class Run:
    """A bench, its server and everything that was said."""

    def __init__(self, stub: StubHawkbit | None = None, *, seed: int = 1, start_us: int = VIRTUAL_EPOCH_US) -> None:
        self.stub = stub or StubHawkbit()
        self.trace = Trace()
        self.events: list[TraceEvent] = []
        self.trace.listen(self.events.append)
        self.bench = VirtualBench(HttpOnly(self.stub.handle), self.trace, seed=seed, start_us=start_us)

    def device(self, serial: str = "dev-1", settings: HawkbitSettings = QUICK) -> Agent:
        return Agent(DeviceIdentity(serial), HawkbitDevice(settings, TargetToken(TOKEN)))

    def kinds(self, serial: str = "dev-1") -> list[tuple[str, str]]:
        return [(event.kind, event.name) for event in self.events if event.device == serial]

    def lines(self) -> bytes:
        secrets = Secrets()
        secrets.learn("target-token", TOKEN)
        return "\n".join(to_line(event, secrets) for event in self.events).encode()


def eventful(seed: int, devices: int = 8, *, backwards: bool = False, start_us: int = VIRTUAL_EPOCH_US) -> Run:
    """Enrolment, updates, failures of every kind and a power cut, for a small fleet."""
    run = Run(seed=seed, start_us=start_us)
    agents = [run.device(f"HB-{n}") for n in range(devices)]
    for agent in reversed(agents) if backwards else agents:
        run.stub.assign(agent.identity.serial, Action("12"))
        run.stub.instead(f"GET */{agent.identity.serial}", 503)
        run.stub.instead(f"GET */{agent.identity.serial}", None, ending=Ending.SILENCE)
        run.stub.instead(f"GET */{agent.identity.serial}/artifacts/12", ending=Ending.TRUNCATED)
        run.stub.instead(f"POST */{agent.identity.serial}/*", None, ending=Ending.CLOSED, commits=True)
        run.bench.power_on(agent)
    run.bench.run_for(30.0)
    run.bench.power_cut(agents[0])
    run.bench.power_on(agents[0], after_s=1.0)
    run.bench.run_for(30.0)
    return run


def test_the_same_seed_gives_the_same_run_byte_for_byte() -> None:
    first, again, other = eventful(1).lines(), eventful(1).lines(), eventful(2).lines()
    assert first == again
    assert len(first) > 50_000
    assert other != first
    assert TOKEN.encode() not in first


def test_every_device_finished_its_update_once() -> None:
    run = eventful(1)
    for actions in run.stub.actions.values():
        assert actions[0].executions.count("closed") == 1
        assert actions[0].finished == "success"


def test_a_device_does_not_depend_on_its_neighbours() -> None:
    """Draws are counted per device: order of switching on and size of the fleet change nothing for one of them."""

    def story(run: Run, serial: str) -> list[tuple[int, str, str, str, int]]:
        return [(e.at_us, e.kind, e.name, e.reason, e.took_us) for e in run.events if e.device == serial]

    small, large, backwards = eventful(1), eventful(1, 20), eventful(1, backwards=True)
    for n in range(8):
        assert story(small, f"HB-{n}") == story(large, f"HB-{n}") == story(backwards, f"HB-{n}")
    assert story(small, "HB-1") != story(small, "HB-2")


def test_v32_a_device_does_not_care_what_year_it_is() -> None:
    early = eventful(1, start_us=0)
    late = eventful(1, start_us=4_000_000_000 * US_PER_S)
    assert [e.kind for e in early.events] == [e.kind for e in late.events]
    assert early.events[-1].at_us == late.events[-1].at_us - 4_000_000_000 * US_PER_S


def updated(run: Run, trigger: PowerCutTrigger | None, for_s: float = 30.0) -> Action:
    """A first contact with an update waiting, through to its end."""
    action = run.stub.assign("dev-1", Action("12"))
    run.bench.power_on(run.device(), trigger=trigger)
    run.bench.run_for(for_s)
    return action


def listed_points() -> list[str]:
    """Until a few polls after the update."""
    trigger = PowerCutTrigger()
    updated(Run(), trigger, for_s=5.0)
    return trigger.passed


def test_points_are_listed_with_stable_names() -> None:
    points = listed_points()
    assert points == listed_points()
    assert len(points) == len(set(points))
    assert {"poll#1:before", "poll#1:sent", "poll#1:answered", "remember-stage#1:before", "enter-online#1:before",
            "configData#1:sent", "deploymentBase#1:answered", "feedback-proceeding#1:sent", "download#1:sent",
            "apply#2:before", "feedback-closed#1:sent", "pause-poll-interval#1:before"} <= set(points)  # fmt: skip


@pytest.mark.parametrize("point", listed_points())
def test_v27_power_cut_at_every_point_of_an_update(point: str) -> None:
    run, trigger = Run(), PowerCutTrigger(CutPoint.parse(point), off_s=3.0)
    action = updated(run, trigger)
    assert trigger.fired
    kinds = [event.kind for event in run.events if event.lane is Lane.DEVICE]
    assert kinds.count("power_cut") == 1
    assert kinds.count("power_on") == 2
    assert run.stub.attributes == {"dev-1": {"hw": "2"}}
    assert action.finished == "success"
    assert action.executions.count("closed") == 1, "one final report that counts"
    names = [event.name for event in run.events if event.kind == "sent"]
    assert names.count("feedback-closed") <= 2
    remembered = [index for index, event in enumerate(run.events) if "progress" in event.name]
    assert not any(event.kind == "applied" for event in run.events[remembered[-1] :]), "not installed twice"
    off, on = (
        next(e for e in run.events[::step] if e.kind == kind) for kind, step in (("power_cut", 1), ("power_on", -1))
    )
    assert on.at_us - off.at_us == 3 * US_PER_S


@pytest.mark.parametrize(("where", "reached"), [("before", False), ("sent", True), ("answered", True)])
def test_what_a_cut_at_an_exchange_means(where: str, reached: bool) -> None:
    run = Run()
    run.bench.power_on(run.device(), trigger=PowerCutTrigger(CutPoint("configData", 1, where)))
    run.bench.run_for(1.0)
    assert bool(run.stub.asked("PUT *")) is reached
    assert (("sent", "configData") in run.kinds()) is reached
    assert (("received", "configData") in run.kinds()) is (where == "answered")
    assert run.kinds()[-1] == ("power_cut", "")


@pytest.mark.parametrize(
    ("ending", "reason", "took_s"),
    [
        (Ending.REFUSED, "refused", 0.002),
        (Ending.RESET, "reset", 0.002),
        (Ending.CLOSED, "closed", 0.002),
        (Ending.SILENCE, "timeout", 2.0),
        (Ending.TRUNCATED, "truncated", 0.002),
    ],
)
def test_every_ending_is_told(ending: Ending, reason: str, took_s: float) -> None:
    run = Run()
    run.stub.instead("GET *", None, ending=ending)
    run.bench.power_on(run.device())
    run.bench.run_for(10.0)
    failure = next(event for event in run.events if event.kind == "no_reply")
    assert (failure.name, failure.reason, failure.took_us) == ("poll", reason, round(took_s * US_PER_S))
    assert ("received", "poll") in run.kinds()


def test_an_answer_that_comes_too_late_is_none() -> None:
    run = Run()
    run.stub.instead("GET *", delay_us=2_500_000)
    run.bench.power_on(run.device())
    run.bench.run_for(1.9)
    assert run.kinds()[-1] == ("sent", "poll")
    run.bench.run_for(0.1)
    assert ("no_reply", "poll") in run.kinds()


def test_the_device_lane_of_a_whole_update() -> None:
    run = Run(StubHawkbit(asks_attributes=False))
    updated(run, None)
    steps = [(event.kind, event.name or event.stage) for event in run.events]
    assert steps[: steps.index(("sent", "feedback-closed")) + 2] == [
        ("power_on", "blank"),
        ("entered", "enrolling"),
        ("sent", "poll"),
        ("received", "poll"),
        ("remembered", "stage"),
        ("entered", "enrolled"),
        ("entered", "online"),
        ("sent", "deploymentBase"),
        ("received", "deploymentBase"),
        ("entered", "updating"),
        ("sent", "feedback-proceeding"),
        ("received", "feedback-proceeding"),
        ("remembered", "action progress reason"),
        ("sent", "download"),
        ("downloaded", "download"),
        ("remembered", "action progress reason"),
        ("sent", "feedback-downloaded"),
        ("received", "feedback-downloaded"),
        ("remembered", "action progress reason"),
        ("applied", "12"),
        ("sent", "poll"),
        ("received", "poll"),
        ("applied", "12"),
        ("remembered", "action progress reason"),
        ("sent", "feedback-closed"),
        ("received", "feedback-closed"),
    ]


class TestPower:
    def test_on_twice_is_on_once(self) -> None:
        run = Run()
        agent = run.device()
        run.bench.power_on(agent)
        run.bench.power_on(agent, after_s=0.5)
        run.bench.run_for(0.1)
        assert agent.is_on
        run.bench.power_on(agent)
        run.bench.run_for(5.0)
        assert run.kinds().count(("power_on", "")) == 1

    def test_cut_and_on_at_the_same_instant(self) -> None:
        run = Run()
        agent = run.device()
        run.bench.power_on(agent)
        run.bench.run_for(0.001)
        for _ in range(3):
            run.bench.power_cut(agent)
            run.bench.power_on(agent)
        run.bench.run_for(0.5)
        kinds = run.kinds()
        assert (kinds.count(("power_on", "")), kinds.count(("power_cut", ""))) == (2, 1)
        assert kinds.count(("sent", "poll")) == 2
        assert kinds.count(("received", "poll")) == 1, "the answer to the first life is nobody's"

    def test_a_device_that_is_yet_to_start_can_be_kept_off(self) -> None:
        run = Run()
        agent = run.device()
        run.bench.power_on(agent, after_s=1.0)
        run.bench.power_cut(agent)
        run.bench.run_for(5.0)
        assert run.kinds() == []

    def test_so_can_one_that_a_watch_would_bring_back(self) -> None:
        run = Run()
        agent = run.device()
        run.bench.power_on(agent, trigger=PowerCutTrigger(CutPoint("poll", 1, "before"), off_s=2.0))
        run.bench.run_for(1.0)
        run.bench.power_cut(agent)
        run.bench.run_for(5.0)
        assert run.kinds().count(("power_on", "")) == 1

    def test_cutting_what_is_off_says_nothing(self) -> None:
        run = Run()
        run.bench.power_cut(run.device())
        assert run.events == []

    def test_a_program_that_ends(self) -> None:
        def short(*_: object) -> Flow:
            yield Pause(1.0, 1.0, "once")

        run = Run()
        agent = Agent(DeviceIdentity("dev-1"), short)
        run.bench.power_on(agent)
        run.bench.run_for(2.0)
        assert run.kinds() == [("power_on", ""), ("paused", ""), ("ended", "")]
        run.bench.power_on(agent)
        run.bench.run_for(2.0)
        assert run.kinds().count(("ended", "")) == 2


class TestDirecting:
    """A director is carried out while fleet and time go on."""

    def directed(self, run: Run, director: Callable[[], Director[object]]) -> object:
        return run.bench.run(director())

    def test_until_goes_on_at_the_very_event(self) -> None:
        run = Run()

        def director() -> Director[object]:
            run.bench.power_on(run.device(), after_s=5.0)
            met = yield Until(lambda: ("received", "poll") in run.kinds(), 60.0)
            return met, run.bench.now_us() - VIRTUAL_EPOCH_US

        assert self.directed(run, director) == (True, 5_002_000)

    def test_until_gives_up_in_time(self) -> None:
        run = Run()

        def director() -> Director[object]:
            met = yield Until(lambda: False, 7.5)
            return met, run.bench.now_us() - VIRTUAL_EPOCH_US

        assert self.directed(run, director) == (False, 7_500_000)

    def test_until_what_is_so_already_takes_no_time(self) -> None:
        run = Run()

        def director() -> Director[object]:
            met = yield Until(lambda: True, 7.5)
            return met, run.bench.now_us() - VIRTUAL_EPOCH_US

        assert self.directed(run, director) == (True, 0)

    def test_an_event_on_the_deadline_counts(self) -> None:
        run = Run()

        def director() -> Director[object]:
            run.bench.power_on(run.device(), after_s=1.0)
            return (yield Until(lambda: bool(run.events), 1.0))

        assert self.directed(run, director) is True

    def test_pauses_and_questions_take_time(self) -> None:
        run = Run()

        def director() -> Director[object]:
            done = yield Pause(3.0, 3.0, "wait")
            reply = yield Ask("admin", HttpRequest("GET", URL, "/nowhere"), 1.0)
            run.stub.instead("*", None, ending=Ending.SILENCE)
            nothing = yield Ask("admin", HttpRequest("GET", URL, "/nowhere"), 1.0)
            assert isinstance(reply, Reply)
            return done, reply.envelope.status, nothing, run.bench.now_us() - VIRTUAL_EPOCH_US

        assert self.directed(run, director) == (Done(3.0), 404, NoReply("timeout", 1.0), 4_002_000)

    def test_a_bug_in_a_device_stops_the_run_and_the_director_is_closed(self) -> None:
        def broken(*_: object) -> Flow:
            yield Pause(1.0, 1.0, "a while")
            yield Enter(Stage.MOVING)

        run, closed = Run(), []

        def director() -> Director[object]:
            run.bench.power_on(Agent(DeviceIdentity("dev-1"), broken))
            try:
                yield Pause(5.0, 5.0, "wait")
            finally:
                closed.append(True)
            return None

        directions = director()  # held on to: nobody but the bench may close it
        with pytest.raises(ModelError, match="blank -> moving"):
            run.bench.run(directions)
        assert closed == [True]

    def test_a_director_may_be_an_inquiry(self) -> None:
        def inquiry() -> AdminCall[int]:
            reply = yield Ask("admin", HttpRequest("GET", URL, "/"), 1.0)
            assert isinstance(reply, Reply)
            assert isinstance(reply.envelope, HttpResponse)
            return reply.envelope.status

        assert Run().bench.run(inquiry()) == 404


def test_v10_a_herd_spreads_after_an_outage() -> None:
    """A thousand devices start together and find the server down for a minute.

    The peak lies near 2 times the mean for these parameters and above 3 for 5 … 300 s: then few are left for the end.
    """
    stub = StubHawkbit(asks_attributes=False, sleep="00:05:00")
    run = Run(stub)
    back_us = VIRTUAL_EPOCH_US + 60 * US_PER_S
    settings = HawkbitSettings(URL, backoff=Backoff(base_s=1.0, cap_s=30.0))
    for identity in numbered("HB-{n:04d}", 1_000, "DEFAULT"):
        run.bench.power_on(Agent(identity, HawkbitDevice(settings, TargetToken(TOKEN))))
    stub.instead("GET *", None, ending=Ending.REFUSED, times=10**9)
    run.bench.run_for(60.0)
    stub.rules.clear()
    run.bench.run_for(240.0)
    reconnects = [event.at_us for event in run.events if event.kind == "received"]
    assert len(reconnects) == 1_000
    per_second = Counter((at_us - back_us) // US_PER_S for at_us in reconnects)
    mean = 1_000 / (max(per_second) + 1)
    assert max(per_second.values()) <= 3 * mean


def test_an_idle_device_is_small() -> None:
    """Under 2 KiB each, in a fleet that polls and has nothing else to do."""
    stub = StubHawkbit(asks_attributes=False, sleep="00:05:00")
    stub.keeps_requests = False
    bench = VirtualBench(HttpOnly(stub.handle), Trace(), seed=1)
    settings, token = HawkbitSettings(URL, poll_jitter=0.1), TargetToken(TOKEN)
    for identity in numbered("WARM-{n:04d}", 50, "DEFAULT"):
        bench.power_on(Agent(identity, HawkbitDevice(settings, token)))
    bench.run_for(60.0)
    gc.collect()
    tracemalloc.start()
    agents = [Agent(identity, HawkbitDevice(settings, token)) for identity in numbered("HB-{n:04d}", 500, "DEFAULT")]
    for agent in agents:
        bench.power_on(agent)
    bench.run_for(900.0)
    gc.collect()
    used_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(agent.stage is Stage.ONLINE for agent in agents)
    assert used_bytes / len(agents) < 2_048


def test_directors_and_devices_come_in_by_their_own_listeners() -> None:
    """Where a server has a listener for operators alone, it has to know who calls."""
    run, heard = Run(), list[tuple[str, str]]()

    def handle(request: HttpRequest, session: Session, now_us: int) -> Delivery:
        heard.append((request.origin, session.listener))
        return run.stub.handle(request, session, now_us)

    bench = VirtualBench(HttpOnly(handle), Trace(), seed=1, admin_listener="registry")

    def asks() -> AdminCall[None]:
        yield Ask("admin", HttpRequest("GET", "http://registry.test", "/"), 1.0)

    bench.power_on(run.device())
    bench.run_for(1.0)
    bench.run(asks())
    assert {*heard} == {(URL, "http"), ("http://registry.test", "registry")}
