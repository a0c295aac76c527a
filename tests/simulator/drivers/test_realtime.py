"""Real time over real sockets: power is cut where it was asked for, and nothing is left behind at the end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from fleetrig.simulator.agent import Agent, CutPoint
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.wall_clock import WallClock
from fleetrig.simulator.effects import Ask, Done, Enter, Flow, Pause, Reply
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from fleetrig.simulator.stages import Stage
from tests.simulator.socket_stub import SocketStub
from tests.simulator.stub_hawkbit import TOKEN, Action, StubHawkbit

GENEROUS_S = 20.0
LONG_S = 600.0
"""What a test must not wait for."""


class Run:
    """A real bench and a socket server over one stub."""

    def __init__(self, bench: RealBench, server: SocketStub, stub: StubHawkbit, events: list[TraceEvent]) -> None:
        self.bench, self.server, self.stub, self.events = bench, server, stub, events

    def device(self, serial: str = "dev-1") -> Agent:
        backoff = Backoff(Policy.FIXED, base_s=0.02, floor_s=0.02)
        settings = HawkbitSettings(
            self.server.origin, {"hw": "2"}, backoff=backoff, timeout_s=LONG_S, install_s=0.1, install_slice_s=0.05
        )
        return Agent(DeviceIdentity(serial), HawkbitDevice(settings, TargetToken(TOKEN)))

    def kinds(self) -> list[tuple[str, str]]:
        return [(event.kind, event.name) for event in self.events if event.lane is Lane.DEVICE]

    async def until(self, met: Callable[[], bool]) -> None:
        def director() -> Director[bool]:
            answer = yield Until(met, GENEROUS_S)
            assert isinstance(answer, bool)
            return answer

        assert await self.bench.run(director()), self.kinds()


def on_the_bench(story: Callable[[Run], Awaitable[None]], stub: StubHawkbit | None = None) -> Run:
    """Tells a story; afterwards no task and no connection may be left."""

    async def told() -> Run:
        trace, events = Trace(), list[TraceEvent]()
        trace.listen(events.append)
        hawkbit = stub or StubHawkbit(sleep="00:01:00")
        async with asyncio.timeout(GENEROUS_S * 2), SocketStub(hawkbit.handle) as server:
            async with RealBench(trace, seed=1) as bench:
                run = Run(bench, server, hawkbit, events)
                await story(run)
            for connection in server.connections:
                await connection.ended.wait()
            left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            assert all("_accept" in repr(task.get_coro()) for task in left), left
        return run

    before = open_files()
    run = asyncio.run(told())
    assert open_files() == before
    return run


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_first_contact_with_an_update() -> None:
    stub = StubHawkbit(sleep="00:01:00")
    action = stub.assign("dev-1", Action("12"))

    async def story(run: Run) -> None:
        run.bench.power_on(run.device())
        await run.until(lambda: ("received", "configData") in run.kinds())

    run = on_the_bench(story, stub)
    assert action.executions == ["proceeding", "downloaded", "closed"]
    assert stub.attributes == {"dev-1": {"hw": "2"}}
    assert all(event.at_us > 1_500_000_000_000_000 for event in run.events)
    assert [event.at_us for event in run.events] == sorted(event.at_us for event in run.events)
    assert len(run.server.connections) == 1, "one connection serves it all"


@pytest.mark.parametrize(
    ("effect", "has"),
    [
        ("poll", "GET"),
        ("configData", '{"mode":"merge","data":{"hw":"2"}}'),
        ("feedback-closed", '"closed"'),
        ("download", "/artifacts/"),
    ],
)
def test_a_cut_after_sending_falls_when_the_server_has_it_all_and_has_not_answered(effect: str, has: str) -> None:
    stub = StubHawkbit(sleep="00:01:00")
    action = stub.assign("dev-1", Action("12"))
    trigger = PowerCutTrigger(CutPoint(effect, 1, "sent"), off_s=LONG_S)

    async def story(run: Run) -> None:
        def hold(request: HttpRequest) -> None:
            """The answer to the request in question is held back: only the cut can end it."""
            if run.server.holds is None and has in f"{request.method} {request.target} {request.body!r}":
                run.server.holds = asyncio.Event()

        stub.on_request = hold
        agent = run.device()
        run.bench.power_on(agent, trigger=trigger)
        await run.until(lambda: ("power_cut", "") in run.kinds())
        assert run.kinds()[-2:] == [("sent", effect), ("power_cut", "")]
        await run.server.until(lambda: has.encode() in run.server.requests[-1])
        assert run.server.holds is not None
        run.server.holds.set()
        run.bench.power_cut(agent)
        run.bench.power_on(agent)
        await run.until(lambda: run.kinds().count(("power_on", "")) == 2)
        await run.until(lambda: bool(action.finished and stub.attributes))

    on_the_bench(story, stub)
    assert trigger.fired
    assert action.executions.count("closed") == 1


@pytest.mark.parametrize(
    ("where", "last"), [("before", ("entered", "")), ("answered", ("received", "poll"))], ids=["before", "answered"]
)
def test_the_other_cuts_at_an_exchange(where: str, last: tuple[str, str]) -> None:
    async def story(run: Run) -> None:
        run.bench.power_on(run.device(), trigger=PowerCutTrigger(CutPoint("poll", 1, where), off_s=0.02))
        await run.until(lambda: ("received", "configData") in run.kinds())

    run = on_the_bench(story)
    kinds = run.kinds()
    at = kinds.index(("power_cut", ""))
    assert kinds[at - 1] == last
    assert kinds[at + 1] == ("power_on", "")
    assert len(run.stub.asked("GET *")) == (2 if where == "answered" else 1)


def test_a_cut_after_sending_what_cannot_be_sent_is_a_cut_all_the_same() -> None:
    async def story(run: Run) -> None:
        await run.server.__aexit__(None, None, None)
        run.bench.power_on(run.device(), trigger=PowerCutTrigger(CutPoint("poll", 1, "sent"), off_s=LONG_S))
        await run.until(lambda: ("power_cut", "") in run.kinds())

    on_the_bench(story)


def test_power_from_outside() -> None:
    async def story(run: Run) -> None:
        run.server.holds = asyncio.Event()
        agent = run.device()
        run.bench.power_on(agent)
        run.bench.power_on(agent)
        await run.server.arrived.wait()
        run.bench.power_cut(agent)
        run.bench.power_cut(agent)
        assert not agent.is_on
        await run.server.connections[0].ended.wait()
        run.server.holds = None
        run.bench.power_on(agent, after_s=30.0)
        run.bench.power_cut(agent)
        run.bench.power_on(agent)
        await run.until(lambda: ("received", "poll") in run.kinds())

    run = on_the_bench(story)
    kinds = [kind for kind, _ in run.kinds()]
    assert (kinds.count("power_on"), kinds.count("power_cut")) == (2, 1)


@pytest.mark.slow
def test_many_devices_in_the_middle_of_everything_are_switched_off_cleanly() -> None:
    async def story(run: Run) -> None:
        run.server.holds = asyncio.Event()
        for n in range(30):
            run.bench.power_on(run.device(f"dev-{n}"), after_s=0.001 * n)
        await run.until(lambda: run.kinds().count(("sent", "poll")) == 30)

    on_the_bench(story)


def test_a_program_that_ends_can_be_started_again() -> None:
    def short(*_: object) -> Flow:
        yield Pause(0.01, 0.01, "once")

    async def story(run: Run) -> None:
        agent = Agent(DeviceIdentity("dev-1"), short)
        for times in (1, 2):
            await run.until(lambda: agent not in run.bench._cycles)
            run.bench.power_on(agent)
            await run.until(lambda times=times: run.kinds().count(("ended", "")) == times)  # type: ignore[misc]

    on_the_bench(story)


def test_a_bug_in_a_device_ends_the_run_at_once_and_is_what_is_raised() -> None:
    def broken(*_: object) -> Flow:
        yield Pause(0.01, 0.01, "a while")
        yield Enter(Stage.MOVING)

    closed = []

    def director() -> Director[None]:
        try:
            yield Pause(3_600.0, 3_600.0, "much longer than this test may take")
        finally:
            closed.append(True)

    async def story(run: Run) -> None:
        run.bench.power_on(Agent(DeviceIdentity("dev-1"), broken))
        directions = director()  # held on to: nobody but the bench may close it
        with pytest.raises(ModelError, match="blank -> moving"):
            await run.bench.run(directions)

    on_the_bench(story)
    assert closed == [True]


def test_directors_ask_pause_and_wait() -> None:
    async def story(run: Run) -> None:
        def director() -> Director[tuple[object, ...]]:
            reply = yield Ask("admin", HttpRequest("GET", run.server.origin, "/nowhere"), 5.0)
            assert isinstance(reply, Reply)
            done = yield Pause(0.01, 0.01, "wait")
            so = yield Until(lambda: True, 0.0)
            never = yield Until(lambda: False, 0.01)
            return reply.envelope.status, done, so, never

        assert await run.bench.run(director()) == (404, Done(0.01), True, False)

    on_the_bench(story)


def test_a_download_that_is_cut_goes_on_over_real_sockets() -> None:
    stub = StubHawkbit(sleep="00:01:00")
    action = stub.assign("dev-1", Action("12"))
    stub.instead("GET */artifacts/12", ending=Ending.TRUNCATED, cut_after_bytes=100)

    async def story(run: Run) -> None:
        run.bench.power_on(run.device())
        await run.until(lambda: bool(action.finished))

    on_the_bench(story, stub)
    assert action.finished == "success"
    assert [request.header("Range") for request in stub.asked("GET */artifacts/12")] == [None, "bytes=100-"]


class TestTls:
    """One context for the whole bench; a server without a trusted certificate is not spoken to."""

    def told(self, *, verify: ssl.SSLContext | bool) -> tuple[list[str], StubHawkbit]:
        authority = trustme.CA()
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(server_side)
        if isinstance(verify, ssl.SSLContext):
            authority.configure_trust(verify)
        stub, trace, events = StubHawkbit(sleep="00:01:00"), Trace(), list[TraceEvent]()
        trace.listen(events.append)

        async def story() -> None:
            async with (
                asyncio.timeout(GENEROUS_S),
                SocketStub(stub.handle, server_side) as server,
                RealBench(trace, verify=verify) as bench,
            ):
                run = Run(bench, server, stub, events)
                bench.power_on(run.device())
                await run.until(lambda: any(event.kind in ("received", "no_reply") for event in events))

        asyncio.run(story())
        return [event.reason for event in events if event.kind == "no_reply"], stub

    def test_a_server_that_is_vouched_for(self) -> None:
        failures, stub = self.told(verify=ssl.create_default_context())
        assert failures == []
        assert stub.requests

    def test_a_server_that_nobody_vouches_for(self) -> None:
        failures, stub = self.told(verify=True)
        assert failures == ["tls"]
        assert stub.requests == []

    def test_when_nobody_wants_to_know(self) -> None:
        failures, stub = self.told(verify=False)
        assert failures == []
        assert stub.requests


def test_the_wall_clock_never_goes_back() -> None:
    clock = WallClock()
    times = [clock.now_us() for _ in range(1_000)]
    assert times == sorted(times)
    assert times[0] > 1_700_000_000_000_000
