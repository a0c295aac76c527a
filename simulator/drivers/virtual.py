"""Virtual time: a fleet under SimPy. A day of polls takes seconds, and the same seed gives the same run.

One SimPy event is scheduled per effect that takes time; devices are callbacks on those events, not SimPy processes,
which keeps a hundred thousand of them affordable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import simpy

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_us
from fleetrig.simulator.contract.delivery import Handler
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.device_trace import tell_effect, tell_outcome, tell_power
from fleetrig.simulator.drivers.director import Director, Inquiry, Until
from fleetrig.simulator.drivers.draw import draw_pause
from fleetrig.simulator.drivers.power_watch import PowerWatch
from fleetrig.simulator.effects import Apply, Ask, Done, Download, Effect, Enter, Outcome, Pause, Remember
from fleetrig.simulator.transports.memory import MemoryTransport

T = TypeVar("T")


class _Cycle:
    """One power cycle of a device, from the moment it is ordered. A new object each, so late events find it over."""

    __slots__ = ("agent", "effect", "watch")

    def __init__(self, agent: Agent, watch: PowerWatch | None) -> None:
        self.agent = agent
        self.watch = watch
        self.effect: Effect | None = None


class VirtualBench:
    """Drives agents against a handler in virtual time. `seed` decides every draw."""

    def __init__(self, handler: Handler, trace: Trace, *, seed: int = 0, start_us: int = VIRTUAL_EPOCH_US) -> None:
        self.trace = trace
        self.events = 0
        """SimPy events so far, for benchmarks."""
        self._env = simpy.Environment(initial_time=start_us)
        self._transport = MemoryTransport(handler)
        self._seed = seed
        self._cycles: dict[Agent, _Cycle] = {}
        self._session = Session()

    def now_us(self) -> int:
        return int(self._env.now)

    def power_on(self, agent: Agent, *, after_s: float = 0.0, watch: PowerWatch | None = None) -> None:
        """See `Bench`."""
        if agent not in self._cycles:
            cycle = self._cycles[agent] = _Cycle(agent, watch)
            self._later(to_us(after_s), self._switch_on, cycle)

    def power_cut(self, agent: Agent) -> None:
        """See `Bench`. Events of the old power cycle still come due, and find that nobody waits for them."""
        self._cycles.pop(agent, None)
        if agent.is_on:
            agent.power_cut()
            if self.trace.wanted:
                tell_power(self.trace, self.now_us(), agent, "power_cut")

    def conduct(self, director: Director[T] | Inquiry[T]) -> T:
        """Carries out a director's directions; fleet and time go on meanwhile."""
        answer: Outcome | bool | None = None
        try:
            while True:
                answer = self._obey(director.send(answer))  # type: ignore[arg-type]
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            director.close()

    def run_for(self, seconds: float) -> None:
        """Lets everything go on for a while."""
        self._run_until(self.now_us() + to_us(seconds))

    def _obey(self, direction: Ask | Pause | Until) -> Outcome | bool:
        match direction:
            case Ask():
                outcome, after_us = self._transport.ask(direction, self._session, self.now_us())
                self._run_until(self.now_us() + after_us)
                return outcome
            case Pause(at_least_s):
                self._run_until(self.now_us() + to_us(at_least_s))
                return Done(at_least_s)
            case Until(met, within_s):
                deadline_us = self.now_us() + to_us(within_s)
                while not met():
                    if self._env.peek() > deadline_us:
                        self._run_until(deadline_us)
                        return met()
                    self._step()
                return True

    def _run_until(self, until_us: int) -> None:
        while self._env.peek() <= until_us:
            self._step()
        if until_us > self.now_us():
            self._env.run(until=until_us)

    def _step(self) -> None:
        self.events += 1
        self._env.step()

    def _switch_on(self, event: simpy.Event) -> None:
        cycle: _Cycle = event.value  # type: ignore[assignment]
        agent = cycle.agent
        if self._cycles.get(agent) is not cycle:
            return
        if self.trace.wanted:
            tell_power(self.trace, self.now_us(), agent, "power_on")
        self._carry_out(cycle, agent.power_on())

    def _carry_out(self, cycle: _Cycle, effect: Effect | None) -> None:
        """Performs effects until one takes time; that one's event brings the device back here."""
        agent = cycle.agent
        while effect is not None:
            where = cycle.watch.reach(effect) if cycle.watch is not None else ""
            if where == "before":
                self._cut_and_return(cycle)
                return
            if self.trace.wanted:
                tell_effect(self.trace, self.now_us(), agent, effect)
            if isinstance(effect, Remember | Enter):
                effect = agent.resume(agent.settle(effect))
                continue
            outcome, after_us = self._perform(agent, effect)
            if where == "sent":
                self._cut_and_return(cycle)
                return
            cycle.effect = effect
            self._later(after_us, self._wake, (cycle, outcome, where))
            return
        del self._cycles[agent]
        if self.trace.wanted:
            tell_power(self.trace, self.now_us(), agent, "ended")

    def _wake(self, event: simpy.Event) -> None:
        cycle: _Cycle
        cycle, outcome, where = event.value  # type: ignore[misc]
        agent, effect = cycle.agent, cycle.effect
        if self._cycles.get(agent) is not cycle:
            return
        if self.trace.wanted and effect is not None:
            tell_outcome(self.trace, self.now_us(), agent, effect, outcome)
        if where == "answered":
            self._cut_and_return(cycle)
            return
        self._carry_out(cycle, agent.resume(outcome))

    def _perform(self, agent: Agent, effect: Ask | Download | Pause | Apply) -> tuple[Outcome, int]:
        match effect:
            case Ask():
                return self._transport.ask(effect, self._session, self.now_us())
            case Download():
                return self._transport.download(effect, agent.identity.serial, self._session, self.now_us())
            case Pause():
                seconds = draw_pause(self._seed, agent, effect)
                return Done(seconds), to_us(seconds)
            case Apply(_, slice_s):
                return Done(slice_s), to_us(slice_s)

    def _cut_and_return(self, cycle: _Cycle) -> None:
        watch = cycle.watch
        assert watch is not None
        self.power_cut(cycle.agent)
        self.power_on(cycle.agent, after_s=watch.off_s, watch=watch)

    def _later(self, after_us: int, callback: Callable[[simpy.Event], None], value: object) -> None:
        event = self._env.timeout(after_us, value)
        event.callbacks.append(callback)
