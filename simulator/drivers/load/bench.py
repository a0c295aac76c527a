"""Load: the same agents over real sockets, under gevent, one greenlet for each device. A `Driver`.

`users` starts a greenlet for a device: a Locust user (`device_user`), so that Locust counts what is on. Nothing here
imports Locust, which would patch the standard library.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import gevent

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.device_trace import trace_dropped, trace_power
from fleetrig.simulator.drivers.director import AdminCall, Direction, Director, RealWork, Until
from fleetrig.simulator.drivers.load.device import LoadDevice, sleep_until
from fleetrig.simulator.drivers.load.directing import carry_out
from fleetrig.simulator.drivers.load.figures import LoadFigures
from fleetrig.simulator.drivers.load.http_client import LoadHttp
from fleetrig.simulator.drivers.load.load_link import LoadLink
from fleetrig.simulator.drivers.load.request_told import RequestTold
from fleetrig.simulator.drivers.load.stream import Dialler
from fleetrig.simulator.drivers.load.wake_ups import WakeUps
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.power_cycle import PowerCycle, behind_same
from fleetrig.simulator.drivers.schedule import Schedule
from fleetrig.simulator.drivers.wall_clock import WallClock
from fleetrig.simulator.effects import Ask, Done, Outcome, Pause
from fleetrig.simulator.stages import Stage
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.storage import Storage

T = TypeVar("T")
Greenlet = Any
"""gevent has no types."""
UserStarter = Callable[[Callable[[], None]], Greenlet]

LOOKS_EVERY_S: Final = 0.05
"""How often a director's condition is looked at: at each of thousands of events a second it would cost too much."""
OFF_WITHIN_S: Final = 10.0
STAGE_KINDS: Final = frozenset({"entered", "power_on", "power_cut", "ended"})


class LoadBench:
    """Drives agents against real servers. `close` switches every device off."""

    def __init__(
        self,
        trace: Trace,
        users: UserStarter,
        told: RequestTold,
        *,
        seed: int = 0,
        verify: ssl.SSLContext | bool = True,
        is_open: bool = True,
        sources: Sequence[str] = (),
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        """`is_open`: False for a closed model; `sources`: the addresses from which devices connect.

        `settle` is called when all devices are off: `told` will hear no more of them.
        """
        self.trace = trace
        self.clock = WallClock()
        self.figures = LoadFigures(time.monotonic())
        self.failure: BaseException | None = None
        """The first error in a device's own greenlet; `run` raises it."""
        self._users, self._told, self._settle, self.seed, self._is_open = users, told, settle, seed, is_open
        self._tls = ClientTls(verify)
        self._dialler = Dialler(sources)
        self._storage = Storage()
        self._wake_ups = WakeUps()
        self._behind: dict[str, LoadHttp] = {}
        self._greenlets: dict[Agent, Greenlet] = {}
        self._online: set[str] = set()
        self._admin = LoadHttp(self._dialler, self._tls.plain, self._storage)
        self._stop_noting = trace.listen(self._note_stage, STAGE_KINDS)

    def now_us(self) -> int:
        return self.clock.now_us()

    @property
    def on(self) -> int:
        """How many devices are on, or wait to be switched on."""
        return len(self._greenlets)

    def power_on(self, agent: Agent, *, after_s: float = 0.0, trigger: PowerCutTrigger | None = None) -> None:
        """See `Driver`."""
        if agent not in self._greenlets:
            start_s = time.monotonic() + after_s
            self._greenlets[agent] = gevent.spawn_later(after_s, self._start_user, agent, start_s, trigger)

    def power_cut(self, agent: Agent) -> None:
        """See `Driver`."""
        was_on = agent.is_on
        greenlet = self._greenlets.pop(agent, None)
        if greenlet is not None:
            greenlet.kill(block=False)
        agent.power_cut()
        if was_on and self.trace.wanted:
            trace_power(self.trace, self.now_us(), agent, "power_cut")

    def forget(self, agent: Agent) -> None:
        """See `LoadDriver`."""
        agent.forget()

    def run(self, director: Director[T] | AdminCall[T]) -> T:
        """Carries out a director's directions. Raises an error in a device's own greenlet as soon as it comes up."""
        return carry_out(director, self._do, lambda: self.failure)

    def close(self) -> None:
        """Switches every device off, and waits until their connections are closed. That is no part of the figures."""
        self._stop_noting()
        greenlets = list(self._greenlets.values())
        for agent in list(self._greenlets):
            self.power_cut(agent)
        gevent.joinall(greenlets, timeout=OFF_WITHIN_S)
        self._settle()
        self.failure = None

    def close_admin(self) -> None:
        """Once nothing more is to be asked of the server."""
        self._admin.close()

    def _do(self, direction: Direction) -> Outcome | bool:
        match direction:
            case Ask():
                return self._admin.ask(direction)
            case Pause(at_least_s):
                self._wait_until(lambda: False, at_least_s)
                return Done(at_least_s)
            case Until(met, within_s):
                return self._wait_until(met, within_s)
            case RealWork():
                raise ModelError("real work was asked for under load: a scenario with boards is refused before")

    def _wait_until(self, met: Callable[[], bool], within_s: float) -> bool:
        end_s = time.monotonic() + within_s
        while not met():
            left_s = end_s - time.monotonic()
            if left_s <= 0 or self.failure is not None:
                return False
            gevent.sleep(min(LOOKS_EVERY_S, left_s))
        return True

    def _start_user(self, agent: Agent, start_s: float, trigger: PowerCutTrigger | None) -> None:
        self._greenlets[agent] = self._users(partial(self._live_or_fail, agent, start_s, trigger))

    def _live_or_fail(self, agent: Agent, start_s: float, trigger: PowerCutTrigger | None) -> None:
        try:
            self._live(agent, start_s, trigger)
        except Exception as error:  # noqa: BLE001 (the director raises it)
            self.failure = self.failure or error

    def _live(self, agent: Agent, start_s: float, trigger: PowerCutTrigger | None) -> None:
        """A device from power-on to its end, through the power cuts of its trigger."""
        while True:
            sleep_until(start_s, self.figures, self._wake_ups)
            tls = self._tls.of(agent.tls_credential)
            http = self._http_for(agent, tls.context)
            link = LoadLink(http, self._dialler, tls, agent.identity.serial, partial(self._note_dropped, agent))
            schedule = Schedule(start_s, is_open=self._is_open)
            cycle = PowerCycle(agent, trigger, self)
            try:
                LoadDevice(agent, link, schedule, self.figures, self.seed, self._told, self._wake_ups).run(cycle)
            finally:
                link.close()
            if cycle.restart_after_s is None:
                self._greenlets.pop(agent, None)
                return
            start_s = time.monotonic() + cycle.restart_after_s
            self._restart_with(agent, cycle.restart_after_s)

    def _http_for(self, agent: Agent, tls: ssl.SSLContext) -> LoadHttp:
        """A connection of the device's own, or the one that all behind its gateway share."""
        gateway = agent.identity.gateway
        if not gateway:
            return LoadHttp(self._dialler, tls, self._storage)
        known = self._behind.get(gateway)
        if known is not None and known.is_open:
            return known.shared()
        self._behind[gateway] = LoadHttp(self._dialler, tls, self._storage, shared=True)
        return self._behind[gateway]

    def _restart_with(self, agent: Agent, after_s: float) -> None:
        """A gateway's power is that of all behind it."""
        for other in behind_same(agent, self._greenlets):
            self.power_cut(other)
            self.power_on(other, after_s=after_s)

    def _note_stage(self, event: TraceEvent) -> None:
        if event.kind == "entered" and event.stage == Stage.ONLINE:
            self._online.add(event.device)
        else:
            self._online.discard(event.device)
        self.figures.note_online(time.monotonic(), len(self._online))

    def _note_dropped(self, agent: Agent, envelope: Envelope) -> None:
        if self.trace.wanted:
            trace_dropped(self.trace, self.now_us(), agent, envelope)
