"""Virtual time: a fleet under SimPy. A day of polls takes seconds, and the same seed gives the same run.

One event is scheduled per effect that takes time; devices are callbacks on those events, not SimPy processes, which
keeps a hundred thousand of them affordable. Each has one event for all its waits. A device that waits for something to
come is parked: its time-out is such an event, and the network may wake it before; then it gets another one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.clock import VIRTUAL_EPOCH_US, to_s, to_us
from fleetrig.simulator.contract.delivery import Delivery
from fleetrig.simulator.contract.envelope import Conversation, Envelope
from fleetrig.simulator.contract.errors import ModelError
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.bucketed_environment import Alarm, BucketedEnvironment
from fleetrig.simulator.drivers.device_trace import trace_dropped
from fleetrig.simulator.drivers.director import AdminCall, Direction, Director, RealWork, Until
from fleetrig.simulator.drivers.draw import draw_pause
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.drivers.power_cycle import PowerCycle, behind_same
from fleetrig.simulator.drivers.schedule import Schedule, is_rhythm
from fleetrig.simulator.effects import (
    Apply,
    Ask,
    Await,
    Connect,
    Disconnect,
    Done,
    Download,
    NoReply,
    Outcome,
    Pause,
    Reply,
    Tell,
    TimedEffect,
)
from fleetrig.simulator.transports.link import where_to_connect
from fleetrig.simulator.transports.virtual_handshake import session_of
from fleetrig.simulator.transports.virtual_http import VirtualHttp
from fleetrig.simulator.transports.virtual_network import VirtualLink, VirtualNetwork

T = TypeVar("T")

Due = Outcome | float
"""An outcome, or the seconds of a pause: most devices are in one, and its `Done` is made when it is over."""

SeenAfter = tuple[Due, int]
"""An outcome, and the microseconds after which the device sees it."""


class WakeUp(Alarm):
    """Switches a device on, or brings it back with an outcome."""

    __slots__ = ("cycle", "outcome")

    def __init__(self, cycle: VirtualCycle) -> None:
        super().__init__()
        self.cycle: VirtualCycle | None = cycle
        """None when the device does not wait for it any more."""
        self.outcome: Due | None = None


class VirtualCycle(PowerCycle):
    """A power cycle, from the moment it is scheduled."""

    __slots__ = ("held_id", "link", "schedule", "wake_up")

    def __init__(self, agent: Agent, trigger: PowerCutTrigger | None, bench: VirtualBench) -> None:
        super().__init__(agent, trigger, bench)
        self.link: VirtualLink | None = None
        self.schedule = Schedule(0.0) if bench.is_open else None
        self.wake_up: WakeUp | None = None
        """It is scheduled, or it was and can be scheduled again."""
        self.held_id = 0
        """The HTTP request that the server holds; 0: none."""

    def hang_up(self) -> None:
        """Ends the connection, if there is one."""
        if self.link is not None:
            self.link.close()

    def hear(self, outcome: Outcome) -> None:
        """What comes to an idle device ends a wait of its rhythm before its time."""
        effect = self._effect
        if self.schedule is not None and isinstance(outcome, Reply) and isinstance(effect, Await) and is_rhythm(effect):
            self.schedule.cut_short(outcome.after_s)

    def sleep_on(self) -> None:
        """It does not wait any more for what was to wake it, which still comes due."""
        wake_up, self.wake_up = self.wake_up, None
        if wake_up is not None:
            wake_up.cycle = wake_up.outcome = None


class VirtualBench:
    """Drives agents against a server in virtual time. `seed` decides every draw."""

    def __init__(
        self,
        server: Conversation,
        trace: Trace,
        *,
        seed: int = 0,
        start_us: int = VIRTUAL_EPOCH_US,
        is_open: bool = False,
        admin_listener: str = "http",
    ) -> None:
        """`is_open`: devices keep to a schedule as in a load run, however long answers take.

        `admin_listener`: the one by which a director's requests come in.
        """
        self.trace = trace
        self.is_open = is_open
        self.events = 0
        """Events so far, for benchmarks."""
        self._env = BucketedEnvironment(initial_time=start_us)
        self._network = VirtualNetwork(server, self, self._call_later)
        self._http = VirtualHttp(self._network.exchange)
        self.seed = seed
        self._cycles: dict[Agent, VirtualCycle] = {}
        self._session = Session()
        self._admin_session = Session(listener=admin_listener)
        # One list for all events of a kind: SimPy only reads it, and a fleet has an event for every device.
        self._switches_on: list[Callable[[WakeUp], None]] = [self._switch_on]
        self._wakes: list[Callable[[WakeUp], None]] = [self._wake]

    def now_us(self) -> int:
        return int(self._env.now)

    def power_on(self, agent: Agent, *, after_s: float = 0.0, trigger: PowerCutTrigger | None = None) -> None:
        """See `Driver`."""
        if agent not in self._cycles:
            cycle = self._cycles[agent] = VirtualCycle(agent, trigger, self)
            self._wake_later(cycle, to_us(after_s), None, self._switches_on)

    def power_cut(self, agent: Agent) -> None:
        """See `Driver`."""
        cycle = self._cycles.pop(agent, None)
        if cycle is not None:
            cycle.cut()
            self._hang_up(cycle)

    def run(self, director: Director[T] | AdminCall[T]) -> T:
        """Carries out a director's directions; fleet and time go on meanwhile."""
        answer: Outcome | bool | None = None
        try:
            while True:
                direction = director.send(answer)  # type: ignore[arg-type]
                self._network.look_ahead()  # a director may have added a fault
                answer = self._do(direction)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            director.close()

    def run_for(self, seconds: float) -> None:
        """Lets everything go on for a while."""
        self._run_until(self.now_us() + to_us(seconds))

    def _do(self, direction: Direction) -> Outcome | bool:
        match direction:
            case Ask():
                return self._ask_now(direction)
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
            case RealWork():
                raise ModelError("real work was asked for in virtual time: the run should have been in real time")

    def _ask_now(self, effect: Ask) -> Outcome:
        """A director's request; everything goes on until its answer has come."""
        began_us, held, came = self.now_us(), list[int](), list[Delivery]()
        outcome, after_us = self._http.ask(effect, self._admin_session, began_us, held.append)
        for held_id in held:
            self._network.await_answer(held_id, came.append)
            while not came and self._env.peek() <= began_us + after_us:
                self._step()
            self._network.leave(held_id)
        if came:
            outcome, left_us = self._http.answered_late(came[0], effect, self.now_us() - began_us)
            after_us = self.now_us() - began_us + left_us
        self._run_until(began_us + after_us)
        return outcome

    def _run_until(self, until_us: int) -> None:
        self.events += self._env.run_through(until_us)
        if until_us > self.now_us():
            self._env.run(until=until_us)

    def _step(self) -> None:
        self.events += 1
        self._env.step()

    def _switch_on(self, wake_up: WakeUp) -> None:
        cycle = wake_up.cycle
        if cycle is not None:
            if cycle.schedule is not None:
                cycle.schedule.resumes(to_s(self.now_us()))
            self._go_on(cycle, cycle.power_on())

    def _wake(self, wake_up: WakeUp) -> None:
        cycle, outcome = wake_up.cycle, wake_up.outcome
        if cycle is None or outcome is None:
            return
        if cycle.link is not None:
            cycle.link.give_up()
        self._let_go(cycle)
        self._go_on(cycle, cycle.resume(Done(outcome) if isinstance(outcome, float) else outcome))

    def _woken(self, cycle: VirtualCycle, outcome: Outcome) -> None:
        """The network has what a parked device waits for."""
        cycle.sleep_on()
        cycle.hear(outcome)
        self._go_on(cycle, cycle.resume(outcome))

    def _go_on(self, cycle: VirtualCycle, effect: TimedEffect | None) -> None:
        """Begins an effect; its event, or the network, brings the device back."""
        if effect is not None:
            outcome, after_us = self._begin(cycle, effect)
            if not cycle.cuts_when_sent:
                self._wake_later(cycle, after_us, outcome, self._wakes)
                return
            cycle.cut()
        del self._cycles[cycle.agent]
        self._hang_up(cycle)
        if (after_s := cycle.restart_after_s) is not None:
            self.power_on(cycle.agent, after_s=after_s, trigger=cycle.trigger)
            for other in behind_same(cycle.agent, self._cycles):
                self.power_cut(other)
                self.power_on(other, after_s=after_s)

    def _begin(self, cycle: VirtualCycle, effect: TimedEffect) -> SeenAfter:
        """Performs an effect. For one that waits for the network the outcome is its time-out."""
        match effect:
            case Ask(request=HttpRequest() as request):
                return self._ask(cycle, effect, request)
            case Pause():
                seconds = draw_pause(self.seed, cycle.agent, effect)
                return float(seconds), self._wait_us(cycle, effect, seconds)
            case Download():
                session = self._session_for(cycle.agent, effect.request)
                return self._http.download(effect, cycle.agent.identity.serial, session, self.now_us())
            case Apply(_, slice_s):
                return Done(slice_s), self._wait_us(cycle, effect, slice_s)
            case Disconnect():
                cycle.hang_up()
                return Done(), 0
            case _:
                return self._converse(cycle, effect)

    def _ask(self, cycle: VirtualCycle, effect: Ask, request: HttpRequest) -> SeenAfter:
        began_us = self.now_us()

        def held(held_id: int) -> None:
            cycle.held_id = held_id
            self._network.await_answer(held_id, partial(self._answered, cycle, effect, began_us))

        return self._http.ask(effect, self._session_for(cycle.agent, request), began_us, held)

    def _answered(self, cycle: VirtualCycle, effect: Ask, began_us: int, delivery: Delivery) -> None:
        """The server has answered the request that it held for this device."""
        cycle.held_id = 0
        cycle.sleep_on()
        outcome, after_us = self._http.answered_late(delivery, effect, self.now_us() - began_us)
        self._wake_later(cycle, after_us, outcome, self._wakes)

    def _let_go(self, cycle: VirtualCycle) -> None:
        """Nobody waits for the request that the server holds."""
        if cycle.held_id:
            self._network.leave(cycle.held_id)
            cycle.held_id = 0

    def _hang_up(self, cycle: VirtualCycle) -> None:
        cycle.hang_up()
        self._let_go(cycle)
        cycle.sleep_on()

    def _session_for(self, agent: Agent, request: HttpRequest) -> Session:
        """As a listener would see the device's connection: over TLS with what the device shows."""
        if not request.origin.startswith("https:"):
            return self._session
        return session_of(request.origin, self._session.id, agent.tls_credential)

    def _converse(self, cycle: VirtualCycle, effect: Connect | Ask | Tell | Await) -> SeenAfter:
        """What goes over the device's connection."""
        within_s = self._within_s(cycle.agent, effect)
        link = cycle.link
        where = where_to_connect(effect, "" if link is None or link.ended else link.where)
        if where is not None:
            woken, dropped = partial(self._woken, cycle), partial(self._note_dropped, cycle.agent)
            link = cycle.link = VirtualLink(self._network, where, woken, dropped, cycle.agent.tls_credential)
        outcome = NoReply("closed", 0.0) if link is None else link.perform(effect)
        if outcome is not None:
            return outcome, 0
        wait_us = self._wait_us(cycle, effect, within_s) if isinstance(effect, Await) else to_us(within_s)
        return NoReply("timeout", within_s), wait_us

    def _wait_us(self, cycle: VirtualCycle, effect: Pause | Apply | Await, seconds: float) -> int:
        """As long as was drawn; in the open model until the schedule's next start."""
        schedule, now_us = cycle.schedule, self.now_us()
        if schedule is None:
            return to_us(seconds)
        if is_rhythm(effect):
            schedule.after(seconds, to_s(now_us), effect.left_s if isinstance(effect, Await) else 0.0)
            return max(0, to_us(schedule.intended_s) - now_us)
        if not isinstance(effect, Await):
            schedule.resumes(to_s(now_us) + seconds)
        return to_us(seconds)

    def _within_s(self, agent: Agent, effect: Connect | Ask | Tell | Await) -> float:
        match effect:
            case Await():
                return draw_pause(self.seed, agent, effect)
            case Tell():
                return 0.0
            case _:
                return effect.within_s

    def _note_dropped(self, agent: Agent, envelope: Envelope) -> None:
        if self.trace.wanted:
            trace_dropped(self.trace, self.now_us(), agent, envelope)

    def _wake_later(
        self, cycle: VirtualCycle, after_us: int, outcome: Due | None, callbacks: list[Callable[[WakeUp], None]]
    ) -> None:
        wake_up = cycle.wake_up
        if wake_up is None:
            wake_up = cycle.wake_up = WakeUp(cycle)
        wake_up.outcome, wake_up.callbacks = outcome, callbacks
        self._env.schedule(wake_up, delay=after_us)

    def _call_later(self, after_us: int, call: Callable[[], None]) -> None:
        alarm = Alarm()
        alarm.callbacks = [lambda _: call()]
        self._env.schedule(alarm, delay=after_us)
