"""A fleet in real time without a scenario: reach the server, register, switch on, show, and leave nothing behind.

However it ends (the time is up, Ctrl-C, an error), devices go off first, then the records that were created are
deleted. A second Ctrl-C gives up deleting, and says what is left and how to remove it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from fleetrig.harness.report.fleet_screen import FleetScreen
from fleetrig.harness.report.fleet_state import POWER_ON, FleetState
from fleetrig.harness.report.fleet_table import format_count
from fleetrig.harness.run.interrupts import Wish, stop_signals_in_loop
from fleetrig.harness.servers.no_answer import NoAnswer
from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.errors import FleetrigError
from fleetrig.simulator.contract.http import HttpRequest, split_url
from fleetrig.simulator.contract.trace import Lane, Trace
from fleetrig.simulator.drivers.director import AdminCall, Director, Until
from fleetrig.simulator.drivers.draw import draw
from fleetrig.simulator.drivers.realtime import RealBench
from fleetrig.simulator.effects import Ask, NoReply, Pause

PROBE_WITHIN_S: Final = 5.0
PROBE_EVERY_S: Final = 1.0
WORTH_WAITING: Final = frozenset({"refused", "timeout", "unreachable"})
"""Words of `NoReply` for a server that may be there in a while."""
FOR_EVER_S: Final = 10 * 365 * 86_400.0
PARALLEL_DELETIONS: Final = 8
"""Number of records deleted at the same time."""
ROUNDS: Final = 3
"""So often it is looked up what is there: a request in progress when its device was switched off may make one more."""


class TemporaryDevices(Protocol):
    """Records on the server that exist only while the fleet runs."""

    noun: str
    """The platform's name for them, such as `targets`."""
    created: set[str]
    """Names of the records that this run created, as far as it is known."""

    def create(self) -> AdminCall[None]:
        """Raises UsageError when such a device exists already, BrokenBench when the server cannot be used."""

    def find_created(self) -> AdminCall[None]:
        """Finds out on the server what there is to delete, where this run cannot know it."""

    def delete_all(self) -> AdminCall[None]:
        """Deletes what was created. May run several times in parallel: the calls share the work."""

    def restore_settings(self) -> AdminCall[None]:
        """Puts back what else `create` changed, once all records are deleted."""

    def left_behind(self) -> str:
        """Describes what is left on the server; empty if nothing is."""

    def how_to_remove(self) -> str:
        """How people find and remove that by hand."""


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What to simulate."""

    url: str
    """The server, as messages name it."""
    agents: tuple[Agent, ...]
    probe: Ask | None
    """A harmless request that every server answers; None where only devices have something to ask."""
    hint: Callable[[str], str]
    """Advice if every device got this same first answer; empty if it is not a refusal."""
    spread_s: float
    for_s: float | None
    seed: int
    verify: ssl.SSLContext | bool
    waits_for_server: bool
    temporary: TemporaryDevices | None
    advice: Callable[[str], str] = lambda _: ""
    """What to do for a device that heard this last and was never let in; empty when there is nothing to say."""
    stays: Callable[[int], str] = lambda _: ""
    """How many devices were let in -> what of them stays on the server, since nobody here may delete it."""


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """How it ended. `left_behind` says what was not deleted, why, and how to do it by hand."""

    was_interrupted: bool
    left_behind: str
    gave_up: bool = False
    """Deleting was stopped by a second Ctrl-C."""


class Simulation:
    """One run of a plan."""

    def __init__(self, plan: SimulationPlan, trace: Trace, state: FleetState, screen: FleetScreen) -> None:
        self._plan = plan
        self._trace = trace
        self._state = state
        self._screen = screen
        self._stopped = asyncio.Event()
        self._given_up = asyncio.Event()
        self._is_cleaning_up = False
        self._bench: RealBench | None = None

    async def run(self) -> SimulationResult:
        """Raises BrokenBench when the server cannot be reached or administered."""
        async with RealBench(Trace(), verify=self._plan.verify) as operator:
            with stop_signals_in_loop(self._stopped.set, self._given_up.set, say=self._say_at_once):
                try:
                    await self._until_done_or(self._stopped, self._live(operator))
                finally:
                    was_interrupted = self._stopped.is_set()
                    left_behind = await self._delete_temporary(operator)
        return SimulationResult(was_interrupted, left_behind, self._given_up.is_set())

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
            await self._register(operator, plan.temporary)
        screen.say("")
        async with RealBench(self._trace, seed=plan.seed, verify=plan.verify) as bench:
            self._bench = bench
            self._trace.emit(bench.now_us(), Lane.BENCH, "phase", name=POWER_ON)
            for agent in plan.agents:
                bench.power_on(agent, after_s=self._start_s(agent))
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
        if state.no_first_answer and not plan.waits_for_server:
            raise unreachable(plan.url, state.no_first_answer)
        yield Until(lambda: bool(state.all_first_answers()) or state.is_over, self._left_s(bench, deadline_us))
        if hint := plan.hint(state.all_first_answers()):
            say(hint)
            yield Until(lambda: state.came_through > 0 or state.is_over, self._left_s(bench, deadline_us))
            if state.came_through:
                say("")
        yield Until(lambda: state.is_over, self._left_s(bench, deadline_us))

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
        self._say_deleting(temporary)
        try:
            if not self._given_up.is_set():
                await self._until_done_or(self._given_up, self._delete(operator, temporary))
        except FleetrigError as broken:
            why = str(broken)
        left = temporary.left_behind()
        said = f"left behind on {self._plan.url}: {left} ({why}); {temporary.how_to_remove()}" if left else ""
        self._screen.say(said)
        return said

    def _say_deleting(self, temporary: TemporaryDevices) -> None:
        if temporary.created:
            self._screen.say(f"deleting {len(temporary.created):,} {temporary.noun} on {self._plan.url}")
            self._screen.count(partial(deleted_text, temporary, len(temporary.created)))

    async def _delete(self, operator: RealBench, temporary: TemporaryDevices) -> None:
        """Until there is nothing more to find."""
        for _ in range(ROUNDS):
            known = len(temporary.created)
            await operator.run(temporary.find_created())
            if not temporary.created:
                break
            if len(temporary.created) != known:
                self._say_deleting(temporary)
            workers = [operator.run(temporary.delete_all()) for _ in range(PARALLEL_DELETIONS)]
            for failed in filter(None, await asyncio.gather(*workers, return_exceptions=True)):
                raise failed
        await operator.run(temporary.restore_settings())

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


def deleted_text(temporary: TemporaryDevices, of: int) -> str:
    """`deleted 1,200 of 5,000 targets`."""
    return f"deleted {of - len(temporary.created):,} of {of:,} {temporary.noun}"


def wait_for(url: str, probe: Ask, say: Callable[[str], None]) -> Director[None]:
    """Until the server answers; any answer will do."""
    said = ""
    while isinstance(answer := (yield probe), NoReply):
        if said != answer.why:
            said = answer.why
            say(f"waiting for {url} ({said})")
        yield Pause(PROBE_EVERY_S, PROBE_EVERY_S, "wait for the server")


def http_probe(url: str) -> Ask:
    """The probe of a server that speaks HTTP."""
    origin, path = split_url(url)
    return Ask("probe", HttpRequest("GET", origin, path, (("Accept", "application/json"),)), PROBE_WITHIN_S)


def unreachable(url: str, why: str) -> NoAnswer:
    """For a server that gave the first device no answer; `why` is a word of `NoReply`."""
    return NoAnswer.at(url, why, " --wait waits for it" if why in WORTH_WAITING else "")
