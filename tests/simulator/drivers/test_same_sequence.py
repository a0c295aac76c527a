"""One device, one script, two drivers: virtual time and real sockets tell the same story."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fleetrig.simulator.agent import Agent, CutPoint
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.contract.delivery import Ending
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.drivers.virtual import VirtualBench
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from tests.simulator.http_only import HttpOnly
from tests.simulator.socket_stub import SocketStub
from tests.simulator.stub_hawkbit import TOKEN, Action, StubHawkbit

pytestmark = pytest.mark.slow

Story = list[tuple[str, str, str]]
"""Of the device lane: kind, name, and for failures the reason."""


def device(origin: str) -> Agent:
    backoff = Backoff(Policy.EQUAL_JITTER, base_s=0.02, cap_s=0.1, floor_s=0.01, retry_after_spread_s=0.05)
    settings = HawkbitSettings(
        origin,
        {"hw": "2"},
        backoff=backoff,
        timeout_s=1.0,
        default_interval_s=1.0,
        install_s=0.1,
        install_slice_s=0.05,
    )
    return Agent(DeviceIdentity("dev-1"), HawkbitDevice(settings, TargetToken(TOKEN)))


def until_done(stub: StubHawkbit, events: list[TraceEvent]) -> Director[bool]:
    """Until the device rests after everything that it had to do."""
    met = yield Until(lambda: at_rest(stub, events), 30.0)
    assert isinstance(met, bool)
    return met


def at_rest(stub: StubHawkbit, events: list[TraceEvent]) -> bool:
    """Everything is over, and the last exchange is one that a pause follows which is longer than this test."""
    over = all(not action.active for actions in stub.actions.values() for action in actions)
    exchanges = [event for event in events if event.kind in ("sent", "received", "no_reply", "downloaded")]
    last = (exchanges[-1].kind, exchanges[-1].name) if exchanges else None
    return over and bool(stub.attributes) and last in {("received", "configData"), ("received", "poll")}


def story_of(events: list[TraceEvent]) -> Story:
    return [
        (event.kind, event.name, event.reason if event.kind == "no_reply" else "")
        for event in events
        if event.lane is Lane.DEVICE
    ]


def in_virtual_time(script: Callable[[StubHawkbit], None], trigger: PowerCutTrigger | None) -> Story:
    stub, trace, events = StubHawkbit(sleep="00:01:00"), Trace(), list[TraceEvent]()
    script(stub)
    trace.listen(events.append)
    bench = VirtualBench(HttpOnly(stub.handle), trace, seed=1)
    bench.power_on(device("http://hawkbit.test"), trigger=trigger)
    assert bench.run(until_done(stub, events)), story_of(events)
    return story_of(events)


def over_sockets(script: Callable[[StubHawkbit], None], trigger: PowerCutTrigger | None) -> Story:
    stub, trace, events = StubHawkbit(sleep="00:01:00"), Trace(), list[TraceEvent]()
    script(stub)
    trace.listen(events.append)

    async def told() -> None:
        async with SocketStub(stub.handle) as server, RealBench(trace, seed=1) as bench:
            bench.power_on(device(server.origin), trigger=trigger)
            assert await bench.run(until_done(stub, events)), story_of(events)
            told_so_far.extend(story_of(events))

    told_so_far: Story = []
    asyncio.run(told())
    return told_so_far


def plain_update(stub: StubHawkbit) -> None:
    stub.assign("dev-1", Action("12"))


def everything_fails_once(stub: StubHawkbit) -> None:
    stub.assign("dev-1", Action("12"))
    stub.instead("GET */dev-1", 503)
    stub.instead("GET */dev-1", 401)
    stub.instead("GET */dev-1", 200, body=b"<html>")
    stub.instead("GET */dev-1", None, ending=Ending.SILENCE)
    stub.instead("GET */dev-1", None, ending=Ending.RESET)
    stub.instead("GET */dev-1", None, ending=Ending.CLOSED)
    stub.instead("GET */dev-1", ending=Ending.TRUNCATED)
    stub.instead("GET */artifacts/12", ending=Ending.TRUNCATED, cut_after_bytes=100)
    stub.instead("GET */artifacts/12", 503, headers=(("Retry-After", "0"),))
    stub.instead("GET */artifacts/12", None, ending=Ending.CLOSED)
    stub.instead("POST */feedback", 500)
    stub.instead("POST */feedback", None, ending=Ending.CLOSED, commits=True)


def cancelled(stub: StubHawkbit) -> None:
    stub.assign("dev-1", Action("12", canceling=True))


def wrong_image(stub: StubHawkbit) -> None:
    stub.assign("dev-1", Action("12"))
    stub.instead("GET */artifacts/12", 200, body=b"something else")


def power_cuts() -> list[str]:
    trigger = PowerCutTrigger()
    in_virtual_time(plain_update, trigger)
    wanted = ("poll", "deploymentBase", "download", "feedback-closed", "remember-stage", "apply", "configData")
    return [point for point in trigger.passed if point.startswith(wanted) and "#1:" in point]


@pytest.mark.slow
@pytest.mark.parametrize("script", [plain_update, everything_fails_once, cancelled, wrong_image])
def test_both_drivers_tell_the_same_story(script: Callable[[StubHawkbit], None]) -> None:
    virtual = in_virtual_time(script, None)
    assert len(virtual) > 10
    assert over_sockets(script, None) == virtual


@pytest.mark.parametrize("point", power_cuts())
def test_they_do_so_with_the_power_gone_at(point: str) -> None:
    triggers = [PowerCutTrigger(CutPoint.parse(point), off_s=0.05) for _ in range(2)]
    virtual = in_virtual_time(plain_update, triggers[0])
    assert ("power_cut", "", "") in virtual
    assert over_sockets(plain_update, triggers[1]) == virtual
    assert all(trigger.fired for trigger in triggers)
