"""Load without Locust: devices as greenlets against a server over real sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest

from fleetrig.simulator.agent import Agent, CutPoint
from fleetrig.simulator.backoff import Backoff, Policy
from fleetrig.simulator.contract.coap import CoapRequest
from fleetrig.simulator.contract.delivery import Delivery, Ending
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.http import HttpResponse
from fleetrig.simulator.contract.identity import DeviceIdentity, TargetToken
from fleetrig.simulator.contract.trace import Lane, Trace, TraceEvent
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.load.bench import LoadBench
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.effects import Ask, Flow, Pause
from fleetrig.simulator.flows.hawkbit.device import HawkbitSettings
from fleetrig.simulator.flows.hawkbit.flow import HawkbitDevice
from tests.simulator.drivers.load.stub_thread import serving_in_a_thread
from tests.simulator.stub_hawkbit import TOKEN, Action, Rule, StubHawkbit

GENEROUS_S = 20.0
LONG_S = 600.0


class Load:
    """A bench, and what its devices did."""

    def __init__(self, origin: str) -> None:
        self.events: list[TraceEvent] = []
        self.told: list[tuple[str, str, str]] = []
        trace = Trace()
        trace.listen(self.events.append)
        self.bench = LoadBench(trace, gevent.spawn, self._tell, seed=1)
        self._origin = origin

    def _tell(self, request_type: str, name: str, took_s: float, answer_bytes: int, failure: str) -> None:
        self.told.append((request_type, name, failure))

    def device(self, serial: str = "dev-1", gateway: str = "") -> Agent:
        backoff = Backoff(Policy.FIXED, base_s=0.02, floor_s=0.02)
        settings = HawkbitSettings(
            self._origin, {"hw": "2"}, backoff=backoff, timeout_s=LONG_S, install_s=0.1, install_slice_s=0.05
        )
        return Agent(DeviceIdentity(serial, gateway=gateway), HawkbitDevice(settings, TargetToken(TOKEN)))

    def kinds(self) -> list[tuple[str, str]]:
        return [(event.kind, event.name) for event in self.events if event.lane is Lane.DEVICE]

    def until(self, met: Callable[[], bool]) -> None:
        def director() -> Director[Any]:
            return (yield Until(met, GENEROUS_S))

        assert self.bench.run(director()), self.kinds()


@contextmanager
def loading(stub: StubHawkbit) -> Iterator[Load]:
    """Afterwards no connection may be left."""
    with serving_in_a_thread(stub.handle) as server:
        load = Load(server.origin)
        try:
            yield load
        finally:
            load.bench.close()
            load.bench.close_admin()


def test_a_first_contact_with_an_update() -> None:
    stub = StubHawkbit(sleep="00:01:00")
    action = stub.assign("dev-1", Action("12"))
    with loading(stub) as load:
        load.bench.power_on(load.device())
        load.until(lambda: ("received", "configData") in load.kinds())

        assert load.bench.figures.online == 1
    assert action.executions == ["proceeding", "downloaded", "closed"]
    assert stub.attributes == {"dev-1": {"hw": "2"}}
    assert {name for _, name, _ in load.told} >= {"poll", "download", "feedback-closed", "configData"}
    assert not any(failure for _, _, failure in load.told)


def test_power_is_cut_when_the_request_is_out() -> None:
    stub = StubHawkbit(sleep="00:01:00")
    trigger = PowerCutTrigger(CutPoint("poll", 1, "sent"), off_s=0.05)
    with loading(stub) as load:
        load.bench.power_on(load.device(), trigger=trigger)
        load.until(lambda: ("received", "configData") in load.kinds())

    kinds = [kind for kind in load.kinds() if kind[0] != "entered"]
    assert kinds[:4] == [("power_on", ""), ("sent", "poll"), ("power_cut", ""), ("power_on", "")]


def test_a_device_that_is_switched_off_in_the_middle_loses_its_connection() -> None:
    stub = StubHawkbit(sleep="00:01:00")
    with loading(stub) as load:
        agent = load.device()
        load.bench.power_on(agent)
        load.until(lambda: ("received", "poll") in load.kinds())
        load.bench.power_cut(agent)

        assert not agent.is_on
        assert load.kinds()[-1] == ("power_cut", "")
        load.bench.power_on(agent)
        load.until(lambda: load.kinds().count(("received", "poll")) == 2)


@pytest.mark.parametrize(
    ("delivery", "why"),
    [
        (Delivery(None, Ending.RESET), "reset"),
        (Delivery(None, Ending.CLOSED), "closed"),
        (Delivery(HttpResponse(503)), "HTTP 503"),
    ],
    ids=["reset", "closed", "busy"],
)
def test_what_goes_wrong_is_counted_and_tried_again(delivery: Delivery, why: str) -> None:
    stub = StubHawkbit(sleep="00:01:00")
    stub.rules.append(Rule("*/controller/*", delivery))
    with loading(stub) as load:
        load.bench.power_on(load.device())
        load.until(lambda: ("received", "configData") in load.kinds())

        [second] = [one for one in load.bench.figures.take_all().values() if one.errors]
    assert second.errors == 1
    assert [failure for _, _, failure in load.told if failure] in ([why], [f"no answer: {why}"])


def test_where_nobody_listens_devices_are_refused(free_port: int) -> None:
    load = Load(f"http://127.0.0.1:{free_port}")
    load.bench.power_on(load.device())
    load.until(lambda: len(load.told) > 2)
    load.bench.close()

    assert {failure for _, _, failure in load.told} == {"no answer: refused"}


def test_all_behind_a_gateway_share_its_connection() -> None:
    stub = StubHawkbit(sleep="00:01:00", asks_attributes=False)
    with serving_in_a_thread(stub.handle) as server:
        load = Load(server.origin)
        for serial in ("gw", "child-1", "child-2"):
            load.bench.power_on(load.device(serial, gateway="gw"))
        load.until(lambda: load.kinds().count(("received", "poll")) == 3)

        assert len(server.connections) == 1
        load.bench.close()


def test_the_time_limit_of_a_request_holds() -> None:
    stub = StubHawkbit()
    stub.rules.append(Rule("*/controller/*", Delivery(None, Ending.SILENCE)))
    with loading(stub) as load:
        settings = HawkbitSettings(load.device().behaviour.settings.server_url, timeout_s=0.1)  # type: ignore[attr-defined]
        load.bench.power_on(Agent(DeviceIdentity("dev-1"), HawkbitDevice(settings, TargetToken(TOKEN))))
        load.until(lambda: bool(load.told))

    assert load.told[0] == ("GET", "poll", "no answer: timeout")


def speaks_coap(device: DeviceIdentity, remembered: object) -> Flow:
    yield Ask("telemetry", CoapRequest("POST", "coap://127.0.0.1", "/t"), 1.0)


def test_coap_is_refused_with_what_can_be_used_in_its_place() -> None:
    load = Load("http://127.0.0.1:1")
    load.bench.power_on(Agent(DeviceIdentity("dev-1"), speaks_coap))

    with pytest.raises(UsageError, match="fleetrig simulate"):
        load.until(lambda: False)
    load.bench.close()


def rhythm(device: DeviceIdentity, remembered: object) -> Flow:
    while True:
        yield Pause(0.01, 0.01, "poll interval")
        busy_until_s = time.monotonic() + 0.003
        while time.monotonic() < busy_until_s:
            pass


def test_a_rhythm_does_not_drift() -> None:
    load = Load("http://127.0.0.1:1")
    load.bench.power_on(Agent(DeviceIdentity("dev-1"), rhythm))
    load.until(lambda: load.kinds().count(("paused", "")) >= 50)
    load.bench.close()

    paused_us = [event.at_us for event in load.events if event.kind == "paused"]
    on_us = next(event.at_us for event in load.events if event.kind == "power_on")
    dropped = sum(second.dropped for second in load.bench.figures.take_all().values())
    # Never early, but for how late the power came: what is late is made up for, or counted as dropped.
    assert all(at_us - on_us >= number * 10_000 for number, at_us in enumerate(paused_us)), f"{dropped} dropped"
    assert paused_us[-1] - on_us <= (len(paused_us) + dropped + 2) * 10_000, f"{dropped} dropped"
