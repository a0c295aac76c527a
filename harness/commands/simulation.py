"""A fleet in real time without a scenario: reach the server, register, switch on, show, and leave nothing behind.

However it ends (the time is up, Ctrl-C, an error), devices go off first, then targets that were made are deleted. A
second Ctrl-C gives up deleting, and says what is left.
"""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fleetrig.harness.platforms.hawkbit.simulation_hints import Holding, refused_hint, unreachable
from fleetrig.harness.platforms.hawkbit.temporary_targets import Registration
from fleetrig.harness.report.fleet_screen import FleetScreen
from fleetrig.harness.report.fleet_state import POWER_ON, FleetState
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError
from fleetrig.simulator.contract.http import HttpRequest, split_url
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.draw import draw
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Ask, NoReply, Pause

PROBE_WITHIN_S: Final = 5.0
LOOK_AGAIN_S: Final = 1.0
FOR_EVER_S: Final = 10 * 365 * 86_400.0
SIDE_BY_SIDE: Final = 8
"""Targets are deleted by so many requests at a time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate."""

    url: str
    tenant: str
    agents: tuple[Agent, ...]
    holding: Holding
    spread_s: float
    for_s: float | None
    seed: int
    verify: ssl.SSLContext | bool
    waits_for_server: bool
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended. `left_behind` says what could not be taken away, and why."""

    was_interrupted: bool
    left_behind: str


class Simulation:
    """One run of a plan."""

    def __init__(self, plan: Plan, trace: Trace, state: FleetState, screen: FleetScreen) -> None:
        self._plan = plan
        self._trace = trace
        self._state = state
        self._screen = screen
        self._interrupted = asyncio.Event()
        self._clears_away = False

    async def run(self) -> Ending:
        """Raises BrokenBench when the server cannot be reached or administered."""
        async with RealBench(Trace(), verify=self._plan.verify) as desk:
            with told_of_signals(self._signalled):
                try:
                    await self._unless_interrupted(self._live(desk))
                finally:
                    was_interrupted = self._interrupted.is_set()
                    left_behind = await self._clear_away(desk)
        return Ending(was_interrupted, left_behind)

    def _signalled(self, number: int) -> None:
        """A closing terminal tells a process twice; only a person who insists stops the clearing away."""
        if not self._clears_away or number == signal.SIGINT:
            self._interrupted.set()

    async def _live(self, desk: RealBench) -> None:
        """`desk` asks as an operator; the devices have a bench of their own, which they may break."""
        plan, screen = self._plan, self._screen
        if plan.waits_for_server:
            await desk.run(wait_for(plan.url, screen.say))
        if plan.registration is not None:
            screen.say(f"registering targets on {plan.url}")
            await desk.run(plan.registration.make())
        screen.say("")
        async with RealBench(self._trace, seed=plan.seed, verify=plan.verify) as bench:
            self._trace.emit(bench.now_us(), Lane.BENCH, "phase", name=POWER_ON)
            for agent in plan.agents:
                bench.power_on(agent, after_s=self._start_s(agent))
            await bench.run(self._watch(bench))

    def _start_s(self, agent: Agent) -> float:
        """The first device starts at once: it finds out whether there is a server."""
        if agent is self._plan.agents[0]:
            return 0.0
        return self._plan.spread_s * draw(self._plan.seed, f"start of {agent.identity.serial}", 0)

    def _watch(self, bench: RealBench) -> Director[None]:
        """Until time is up. Raises BrokenBench when the first device finds no server."""
        plan, state, say = self._plan, self._state, self._screen.say
        deadline_us = bench.now_us() + int((plan.for_s or FOR_EVER_S) * 1e6)
        yield Until(lambda: bool(state.first_answers), self._left_s(bench, deadline_us))
        if (why := next(iter(state.first_answers), "")) and not why.isdigit() and not plan.waits_for_server:
            raise BrokenBench(unreachable(plan.url, why))
        yield Until(lambda: bool(state.all_first_answers()), self._left_s(bench, deadline_us))
        if hint := refused_hint(state.all_first_answers(), plan.holding, plan.url, plan.tenant):
            say(hint)
            if (yield Until(lambda: state.came_through > 0, self._left_s(bench, deadline_us))):
                say("")
        yield Until(lambda: False, self._left_s(bench, deadline_us))

    @staticmethod
    def _left_s(bench: RealBench, deadline_us: int) -> float:
        return max(0.0, (deadline_us - bench.now_us()) / 1e6)

    async def _clear_away(self, desk: RealBench) -> str:
        """What is left behind and why; empty when nothing is. A server that fails now hides no earlier error."""
        registration, why = self._plan.registration, "interrupted again"
        if registration is None:
            return ""
        self._clears_away = True
        self._interrupted.clear()
        if registration.made:
            self._screen.say(f"deleting {len(registration.made):,} targets on {self._plan.url}")
        try:
            await self._unless_interrupted(self._delete(desk, registration))
        except FleetrigError as broken:
            why = str(broken)
        left = registration.left_behind()
        self._screen.say(told := f"left behind on {self._plan.url}: {left} ({why})" if left else "")
        return told

    async def _delete(self, desk: RealBench, registration: Registration) -> None:
        workers = [desk.run(registration.clear_away()) for _ in range(SIDE_BY_SIDE)]
        for failed in filter(None, await asyncio.gather(*workers, return_exceptions=True)):
            raise failed
        await desk.run(registration.restore_settings())

    async def _unless_interrupted(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on until the work is done or a signal comes, drawing the screen meanwhile."""
        tasks = [asyncio.create_task(one) for one in (work, self._interrupted.wait(), self._draw())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _draw(self) -> None:
        """When nobody looks any more, that is as good as Ctrl-C."""
        while True:
            await asyncio.sleep(self._screen.every_s)
            self._screen.refresh()
            if self._screen.is_gone and not self._clears_away:
                self._interrupted.set()


def wait_for(url: str, say: Callable[[str], None]) -> Director[None]:
    """Until there is an answer; any will do."""
    origin, path = split_url(url)
    request = HttpRequest("GET", origin, path, (("Accept", "application/json"),))
    said = ""
    while isinstance(answer := (yield Ask("probe", request, PROBE_WITHIN_S)), NoReply):
        if said != answer.why:
            said = answer.why
            say(f"waiting for {url} ({said})")
        yield Pause(LOOK_AGAIN_S, LOOK_AGAIN_S, "wait for the server")


@contextmanager
def told_of_signals(tell: Callable[[int], None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end a simulation in good order; what `nohup` says is respected."""
    loop, signals = asyncio.get_running_loop(), [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, tell, number)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
