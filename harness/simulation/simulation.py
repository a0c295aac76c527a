"""A fleet in real time without a scenario: reach the server, register, switch on, show, and leave nothing behind.

However it ends (the time is up, Ctrl-C, an error), devices go off first, then the records that were created are
deleted. A second Ctrl-C gives up deleting, and says what is left and how to remove it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from fleetrig.harness.report.fleet_screen import FleetScreen
from fleetrig.harness.report.fleet_state import POWER_ON, FleetState
from fleetrig.harness.report.fleet_table import format_count
from fleetrig.harness.run.interrupts import Wish, stop_signals_in_loop
from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.harness.simulation.clean_up import delete_all, left_behind_text, registered_text
from fleetrig.harness.simulation.measuring import Measuring, Rows
from fleetrig.harness.simulation.plan import SimulationPlan, SimulationResult, TemporaryDevices
from fleetrig.harness.simulation.reaching import A_BAD_MOMENT, unreachable, wait_for
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import FleetrigError
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.drivers.director import Director, Until
from fleetrig.simulator.drivers.draw import draw
from fleetrig.simulator.drivers.realtime import RealBench

FOR_EVER_S: Final = 10 * 365 * 86_400.0


class Simulation:
    """One run of a plan."""

    def __init__(
        self, plan: SimulationPlan, trace: Trace, state: FleetState, screen: FleetScreen, rows: Rows = lambda _: None
    ) -> None:
        """`rows` gets the figures of each second."""
        self._plan = plan
        self._trace = trace
        self._state = state
        self._screen = screen
        self._stopped = asyncio.Event()
        self._given_up = asyncio.Event()
        self._is_cleaning_up = False
        self._rows = rows
        self._bench: RealBench | None = None
        self._measuring: Measuring | None = None

    async def run(self) -> SimulationResult:
        """Raises BrokenBench when the server cannot be reached or administered."""
        async with RealBench(Trace(), verify=self._plan.verify) as operator:
            with stop_signals_in_loop(self._stopped.set, self._given_up.set, say=self._say_at_once):
                try:
                    await self._until_done_or(self._stopped, self._live(operator))
                finally:
                    was_interrupted = self._stopped.is_set()
                    left_behind = await self._delete_temporary(operator)
        return SimulationResult(was_interrupted, left_behind, self._given_up.is_set(), self._measuring)

    def _say_at_once(self, wish: Wish) -> None:
        """Switching thousands of devices off takes a while."""
        if wish is not Wish.STOP:
            self._screen.say("stopping: what is left on the server stays there")
        elif not self._is_cleaning_up:
            self._screen.say(f"stopping: switching {format_count(len(self._plan.agents), 'device')} off")

    async def _live(self, operator: RealBench) -> None:
        """`operator` acts as an administrator; the devices run on a separate bench."""
        plan, screen = self._plan, self._screen
        if plan.waits_for_server and plan.probe is not None:
            await operator.run(wait_for(plan.url, plan.probe, screen.say))
        if plan.temporary is not None:
            screen.say(f"registering {plan.temporary.noun} on {plan.url}")
            screen.count(partial(registered_text, plan.temporary, len(plan.agents)))
            await self._register(operator, plan.temporary)
        screen.say("")
        async with RealBench(self._trace, seed=plan.seed, verify=plan.verify) as bench:
            self._bench = bench
            self._trace.emit(bench.now_us(), Lane.BENCH, "phase", name=POWER_ON)
            due = [(self._start_s(agent), agent) for agent in plan.agents]
            self._measuring = Measuring(self._state, bench, due, rows=self._rows)
            async with self._measuring.going_on(screen.measured):
                await bench.run(self._watch(bench))

    async def _register(self, operator: RealBench, temporary: TemporaryDevices) -> None:
        try:
            await operator.run(temporary.create())
        except NoAnswer as none:
            raise unreachable(none.url, none.why) from None

    def _start_s(self, agent: Agent) -> float:
        """The first device starts at once: it shows whether there is a server."""
        if agent is self._plan.agents[0]:
            return 0.0
        return self._plan.spread_s * draw(self._plan.seed, f"start of {agent.identity.serial}", 0)

    def _watch(self, bench: RealBench) -> Director[None]:
        """Until time is up. Raises BrokenBench when the first device finds no server."""
        plan, state, say = self._plan, self._state, self._screen.say
        deadline_us = bench.now_us() + int((plan.for_s or FOR_EVER_S) * 1e6)
        yield Until(lambda: bool(state.first_answers), self._left_s(bench, deadline_us))
        if state.no_first_answer and not plan.waits_for_server and not self._was_there(state.no_first_answer):
            raise unreachable(plan.url, state.no_first_answer)
        yield Until(lambda: bool(state.all_first_answers()) or state.is_over, self._left_s(bench, deadline_us))
        if hint := plan.hint(state.all_first_answers()):
            say(hint)
            yield Until(lambda: state.came_through > 0 or state.is_over, self._left_s(bench, deadline_us))
            if state.came_through:
                say("")
        yield Until(lambda: state.is_over, self._left_s(bench, deadline_us))

    def _was_there(self, why: str) -> bool:
        """The server has registered the devices, so that the first one only met it in a bad moment."""
        return self._plan.temporary is not None and why in A_BAD_MOMENT

    def _closing_text(self) -> str:
        """`1,200 devices are not off yet`; empty when there is nothing to wait for."""
        count = 0 if self._bench is None or self._is_cleaning_up else self._bench.closing
        return f"{format_count(count, 'device')} not off yet" if count else ""

    @staticmethod
    def _left_s(bench: RealBench, deadline_us: int) -> float:
        return max(0.0, (deadline_us - bench.now_us()) / 1e6)

    async def _delete_temporary(self, operator: RealBench) -> str:
        """Returns what is left behind and why; empty if nothing is. Server errors here do not hide an earlier error."""
        temporary, why = self._plan.temporary, "interrupted again"
        if temporary is None:
            return ""
        self._is_cleaning_up = True
        try:
            if not self._given_up.is_set():
                deleting = delete_all(operator, temporary, self._plan.url, self._screen)
                await self._until_done_or(self._given_up, deleting)
        except FleetrigError as broken:
            why = str(broken)
        said = left_behind_text(temporary, self._plan.url, why)
        self._screen.say(said)
        return said

    async def _until_done_or(self, ending: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
        """Runs until the work is done or this comes, and draws the screen meanwhile, also while the work winds up."""
        task, end, drawing = (asyncio.create_task(one) for one in (work, ending.wait(), self._draw()))
        try:
            await asyncio.wait((task, end, drawing), return_when=asyncio.FIRST_COMPLETED)
            was_done = task.done()
            task.cancel()
            self._screen.count(self._closing_text)
            await asyncio.wait((task,))
        finally:
            for one in (task, end, drawing):
                one.cancel()
            await asyncio.gather(task, end, drawing, return_exceptions=True)
        if was_done:
            task.result()
        if not drawing.cancelled():
            drawing.result()

    async def _draw(self) -> None:
        """A screen that is gone counts as Ctrl-C."""
        while True:
            await asyncio.sleep(self._screen.every_s)
            self._screen.refresh()
            if self._screen.is_gone:
                self._stopped.set()
