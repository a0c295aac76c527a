"""Real time: the same agents over real sockets, one asyncio task per device."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Self, TypeVar

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import to_us
from fleetrig.simulator.contract.envelope import Envelope
from fleetrig.simulator.contract.trace import Trace, TraceEvent
from fleetrig.simulator.drivers.device_trace import trace_dropped, trace_power
from fleetrig.simulator.drivers.director import AdminCall, Direction, Director, RealWork, Until
from fleetrig.simulator.drivers.draw import draw_pause
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.power_cycle import PowerCycle, behind_same
from fleetrig.simulator.drivers.schedule import is_rhythm
from fleetrig.simulator.drivers.wall_clock import WallClock
from fleetrig.simulator.effects import (
    Apply,
    Ask,
    Await,
    Disconnect,
    Done,
    NoReply,
    Outcome,
    Pause,
    Tell,
    TimedEffect,
)
from fleetrig.simulator.transports.client_tls import ClientTls
from fleetrig.simulator.transports.connection import Opener
from fleetrig.simulator.transports.http import HttpTransport, OnSent
from fleetrig.simulator.transports.link import Link
from fleetrig.simulator.transports.openers import OPENERS
from fleetrig.simulator.transports.storage import Storage

T = TypeVar("T")
Woke = Callable[[str, int, int], None]
"""Serial of a device that goes on after a wait, when that was to end, and when it did."""

SEND_WITHIN_S: Final = 10.0
"""How long sending may take: after that the peer counts as unreachable."""


class RealBench:
    """Drives agents against real servers. Use as `async with`; leaving it switches every device off.

    `openers` opens connections by scheme (`{"mqtt": open_mqtt}`), those of `OPENERS` by default; HTTP needs none.
    """

    def __init__(
        self,
        trace: Trace,
        *,
        seed: int = 0,
        verify: ssl.SSLContext | bool = True,
        openers: Mapping[str, Opener] | None = None,
    ) -> None:
        self.trace = trace
        self.clock = WallClock()
        self.failure: BaseException | None = None
        """The first error in a device's own task; `run` raises it."""
        self.woke: Woke | None = None
        """Told of each wait of a device that came to its end: how late this machine is itself."""
        self._tls = ClientTls(verify)
        self._openers = OPENERS if openers is None else openers
        self.seed = seed
        self._storage = Storage()
        self._behind: dict[str, HttpTransport] = {}
        """Gateway -> its connection."""
        self._cycles: dict[Agent, asyncio.Task[None]] = {}
        self._unfinished: set[asyncio.Task[None]] = set()
        """Also those of devices that were switched off and still close their connections."""
        self._happened = asyncio.Event()
        self._admin = HttpTransport(self._tls.plain, self._storage)

    async def __aenter__(self) -> Self:
        self._stop_listening = self.trace.listen(self._note)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_listening()
        for agent in list(self._cycles):
            self._switch_off(agent)
        await asyncio.gather(*self._unfinished, return_exceptions=True)
        await self._admin.close()

    def now_us(self) -> int:
        return self.clock.now_us()

    @property
    def closing(self) -> int:
        """How many devices are on, or were switched off and still close their connections."""
        return len(self._unfinished)

    def power_on(self, agent: Agent, *, after_s: float = 0.0, trigger: PowerCutTrigger | None = None) -> None:
        """See `Driver`."""
        if agent not in self._cycles:
            task = asyncio.create_task(self._live(agent, after_s, trigger))
            self._cycles[agent] = task
            self._unfinished.add(task)
            task.add_done_callback(self._noticed)

    def power_cut(self, agent: Agent) -> None:
        """See `Driver`."""
        was_on = agent.is_on
        self._switch_off(agent)
        if was_on and self.trace.wanted:
            trace_power(self.trace, self.now_us(), agent, "power_cut")

    async def run(self, director: Director[T] | AdminCall[T]) -> T:
        """Carries out a director's directions. Raises an error in a device's own task as soon as it comes up."""
        answer: Outcome | bool | None = None
        try:
            while True:
                answer = await self._do(director.send(answer))  # type: ignore[arg-type]
                if self.failure is not None:
                    raise self.failure
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            director.close()

    async def _do(self, direction: Direction) -> Outcome | bool:
        match direction:
            case Ask():
                return await self._admin.ask(direction)
            case Pause(at_least_s):
                await self._wait_until(lambda: False, at_least_s)
                return Done(at_least_s)
            case Until(met, within_s):
                return await self._wait_until(met, within_s)
            case RealWork(work):
                await work()
                return True

    async def _wait_until(self, met: Callable[[], bool], within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                while not met():
                    if self.failure is not None:
                        return False
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            return met()
        return True

    def _note(self, _: TraceEvent) -> None:
        self._happened.set()

    def _noticed(self, task: asyncio.Task[None]) -> None:
        self._unfinished.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Records an error of a device's own task: `run` raises the first of them."""
        self.failure = self.failure or error
        self._happened.set()

    def _switch_off(self, agent: Agent) -> None:
        task = self._cycles.pop(agent, None)
        if task is not None:
            task.cancel()
        agent.power_cut()

    async def _live(self, agent: Agent, after_s: float, trigger: PowerCutTrigger | None) -> None:
        """A device from power-on to its end, through the power cuts of its trigger."""
        while True:
            await asyncio.sleep(after_s)
            tls = self._tls.of(agent.tls_credential)
            http = self._http_for(agent, tls.context)
            link = Link(http, self._openers, tls, agent.identity.serial, partial(self._note_dropped, agent))
            cycle = PowerCycle(agent, trigger, self)
            try:
                await self._run_cycle(cycle, link)
            finally:
                await link.close()
            if cycle.restart_after_s is None:
                del self._cycles[agent]
                return
            after_s = cycle.restart_after_s
            self._restart_with(agent, after_s)

    def _http_for(self, agent: Agent, tls: ssl.SSLContext) -> HttpTransport:
        """Connections of the device's own, or the one that all behind its gateway share."""
        gateway = agent.identity.gateway
        if not gateway:
            return HttpTransport(tls, self._storage)
        known = self._behind.get(gateway)
        if known is not None and known.is_open:
            return known.shared()
        self._behind[gateway] = HttpTransport(tls, self._storage, one_connection=True)
        return self._behind[gateway]

    def _restart_with(self, agent: Agent, after_s: float) -> None:
        """A gateway's power is that of all behind it."""
        for other in behind_same(agent, self._cycles):
            self.power_cut(other)
            self.power_on(other, after_s=after_s)

    async def _run_cycle(self, cycle: PowerCycle, link: Link) -> None:
        effect = cycle.power_on()
        while effect is not None and not cycle.cuts_when_sent:
            effect = cycle.resume(await self._perform(cycle.agent, effect, link))
        if effect is not None:
            await self._perform_until_sent(cycle.agent, effect, link)
            cycle.cut()

    async def _perform(self, agent: Agent, effect: TimedEffect, link: Link, on_sent: OnSent | None = None) -> Outcome:
        match effect:
            case Pause():
                seconds = draw_pause(self.seed, agent, effect)
                due_us = self.now_us() + to_us(seconds)
                await asyncio.sleep(seconds)
                self._tell_woke(agent, due_us)
                return Done(seconds)
            case Apply(_, slice_s):
                await asyncio.sleep(slice_s)
                return Done(slice_s)
            case Await():
                seconds = draw_pause(self.seed, agent, effect)
                due_us = self.now_us() + to_us(seconds)
                outcome = await link.perform(effect, seconds)
                if is_rhythm(effect) and outcome == NoReply("timeout", seconds):
                    self._tell_woke(agent, due_us)
                return outcome
            case Tell() | Disconnect():
                return await link.perform(effect, SEND_WITHIN_S, on_sent)
            case _:
                return await link.perform(effect, effect.within_s, on_sent)

    async def _perform_until_sent(self, agent: Agent, effect: TimedEffect, link: Link) -> None:
        """Abandons the effect as soon as it is out; or as soon as it is clear that it never will be."""
        sent = asyncio.Event()
        work = asyncio.ensure_future(self._perform(agent, effect, link, sent.set))
        gone = asyncio.ensure_future(sent.wait())
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    def _tell_woke(self, agent: Agent, due_us: int) -> None:
        if self.woke is not None:
            self.woke(agent.identity.serial, due_us, self.now_us())

    def _note_dropped(self, agent: Agent, envelope: Envelope) -> None:
        if self.trace.wanted:
            trace_dropped(self.trace, self.now_us(), agent, envelope)
