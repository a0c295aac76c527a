"""Real time: the same agents over real sockets, one asyncio task per device."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Self, TypeVar

from simulator.agent import Agent
from simulator.contract.trace import Trace, TraceEvent
from simulator.drivers.bench import Director, Inquiry, Until
from simulator.drivers.draw import draw_between
from simulator.drivers.lane import tell_effect, tell_outcome, tell_power
from simulator.drivers.power import PowerWatch
from simulator.effects import Apply, Ask, Done, Download, Effect, Enter, Outcome, Pause, Remember
from simulator.transports.http import HttpTransport
from simulator.transports.storage import Storage

T = TypeVar("T")


class WallClock:
    """Wall-clock time that never jumps: the date at the start plus what the monotonic clock says."""

    def __init__(self) -> None:
        self._start_us = time.time_ns() // 1_000 - time.monotonic_ns() // 1_000

    def now_us(self) -> int:
        return self._start_us + time.monotonic_ns() // 1_000


class RealBench:
    """Drives agents against real servers. Use as `async with`; leaving it switches every device off."""

    def __init__(self, trace: Trace, *, seed: int = 0, verify: ssl.SSLContext | bool = True) -> None:
        self.trace = trace
        self.clock = WallClock()
        self.failure: BaseException | None = None
        """The first error of ours in a device's task; `conduct` raises it."""
        self._verify = ssl.create_default_context() if verify is True else verify
        self._seed = seed
        self._storage = Storage()
        self._tasks: dict[Agent, asyncio.Task[None]] = {}
        self._happened = asyncio.Event()
        self._admin = HttpTransport(self._verify, self._storage)

    async def __aenter__(self) -> Self:
        self._stop_listening = self.trace.listen(self._note)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_listening()
        tasks = list(self._tasks.values())
        for agent in list(self._tasks):
            self._switch_off(agent)
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._admin.close()

    def now_us(self) -> int:
        return self.clock.now_us()

    def power_on(self, agent: Agent, *, after_s: float = 0.0, watch: PowerWatch | None = None) -> None:
        """See `Bench`."""
        if agent not in self._tasks:
            task = asyncio.create_task(self._live(agent, after_s, watch))
            self._tasks[agent] = task
            task.add_done_callback(self._noticed)

    def power_cut(self, agent: Agent) -> None:
        """See `Bench`."""
        if self._switch_off(agent) and self.trace.wanted:
            tell_power(self.trace, self.now_us(), agent, "power_cut")

    async def conduct(self, director: Director[T] | Inquiry[T]) -> T:
        """Carries out a director's directions."""
        answer: Outcome | bool | None = None
        try:
            while True:
                answer = await self._obey(director.send(answer))  # type: ignore[arg-type]
                if self.failure is not None:
                    raise self.failure
        except StopIteration as end:
            result: T = end.value
            return result

    async def _obey(self, direction: Ask | Pause | Until) -> Outcome | bool:
        match direction:
            case Ask():
                return await self._admin.ask(direction)
            case Pause(at_least_s):
                await asyncio.sleep(at_least_s)
                return Done(at_least_s)
            case Until(met, within_s):
                return await self._wait_until(met, within_s)

    async def _wait_until(self, met: object, within_s: float) -> bool:
        assert callable(met)
        try:
            async with asyncio.timeout(within_s):
                while not met() and self.failure is None:
                    self._happened.clear()
                    await self._happened.wait()
        except TimeoutError:
            return bool(met())
        return True

    def _note(self, _: TraceEvent) -> None:
        self._happened.set()

    def _noticed(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and self.failure is None:
            self.failure = error
            self._happened.set()

    def _switch_off(self, agent: Agent) -> bool:
        task = self._tasks.pop(agent, None)
        if task is None:
            return False
        task.cancel()
        was_on = agent.is_on
        agent.power_cut()
        return was_on

    async def _live(self, agent: Agent, after_s: float, watch: PowerWatch | None) -> None:
        """A device from power-on to its end, through the power cuts that its watch orders."""
        while True:
            await asyncio.sleep(after_s)
            transport = HttpTransport(self._verify, self._storage)
            try:
                ended = await self._power_cycle(agent, watch, transport)
            finally:
                await transport.close()
            if ended:
                self._tasks.pop(agent, None)
                return
            assert watch is not None
            after_s = watch.off_s

    async def _power_cycle(self, agent: Agent, watch: PowerWatch | None, transport: HttpTransport) -> bool:
        """True when the program ended by itself, False when the watch cut the power."""
        self._tell(agent, "power_on")
        effect = agent.power_on()
        while effect is not None:
            where = watch.reach(effect) if watch is not None else ""
            if where == "before":
                return self._cut(agent)
            if self.trace.wanted:
                tell_effect(self.trace, self.now_us(), agent, effect)
            if isinstance(effect, Remember | Enter):
                effect = agent.resume(agent.settle(effect))
                continue
            outcome = await self._perform(agent, effect, transport, cut_when_sent=where == "sent")
            if outcome is None:
                return self._cut(agent)
            if self.trace.wanted:
                tell_outcome(self.trace, self.now_us(), agent, effect, outcome)
            if where == "answered":
                return self._cut(agent)
            effect = agent.resume(outcome)
        self._tell(agent, "ended")
        return True

    def _cut(self, agent: Agent) -> bool:
        agent.power_cut()
        self._tell(agent, "power_cut")
        return False

    def _tell(self, agent: Agent, kind: str) -> None:
        if self.trace.wanted:
            tell_power(self.trace, self.now_us(), agent, kind)

    async def _perform(
        self, agent: Agent, effect: Effect, transport: HttpTransport, *, cut_when_sent: bool
    ) -> Outcome | None:
        """None when the power went while the request was under way."""
        match effect:
            case Pause(at_least_s, at_most_s):
                seconds = draw_between(self._seed, agent.identity.serial, agent.draws, at_least_s, at_most_s)
                agent.draws += at_most_s > at_least_s
                await asyncio.sleep(seconds)
                return Done(seconds)
            case Apply(_, slice_s):
                await asyncio.sleep(slice_s)
                return Done(slice_s)
            case Ask() | Download():
                return await _exchange(effect, agent.identity.serial, transport, cut_when_sent)
            case _:
                raise AssertionError(f"{effect!r} is the agent's own business")


async def _exchange(
    effect: Ask | Download, serial: str, transport: HttpTransport, cut_when_sent: bool
) -> Outcome | None:
    """One request; with `cut_when_sent` it is abandoned as soon as it is out, and None is the result."""
    sent = asyncio.Event()
    on_sent = sent.set if cut_when_sent else None
    work = asyncio.ensure_future(
        transport.ask(effect, on_sent) if isinstance(effect, Ask) else transport.download(effect, serial, on_sent)
    )
    if not cut_when_sent:
        return await work
    gone = asyncio.ensure_future(sent.wait())
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return None
    finally:
        for task in (work, gone):
            task.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)
