"""The one loop of a device: from power-on to its end, or to the moment when a trigger cuts its power.

It does everything that needs no time: storage and stages, clock and tokens, the device lane of the trace, the trigger.
Effects that need time it gives to a driver, one by one; drivers differ only in how they perform one.

    effect = cycle.power_on()
    while effect is not None and not cycle.cuts_when_sent:
        effect = cycle.resume(…perform it…)
    if effect is not None:
        …perform it until it is out…
        cycle.cut()

An object and not a generator: that takes 200 bytes less, for each of a hundred thousand devices.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.device_trace import trace_effect, trace_outcome, trace_power
from fleetrig.simulator.drivers.draw import drawn_token
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger
from fleetrig.simulator.effects import (
    ClockReading,
    DrawToken,
    Effect,
    Enter,
    Outcome,
    ReadClock,
    Remember,
    TimedEffect,
)


class CycleHost(Protocol):
    """What a power cycle needs of the driver that runs it."""

    trace: Trace
    seed: int
    """Decides every draw."""

    def now_us(self) -> int: ...


class PowerCycle:
    """One power cycle. `power_on` and `resume` return the next effect that needs time; None when it is over."""

    __slots__ = ("_effect", "_host", "_where", "agent", "trigger")

    def __init__(self, agent: Agent, trigger: PowerCutTrigger | None, host: CycleHost) -> None:
        self.agent = agent
        self.trigger = trigger
        self._host = host
        self._effect: TimedEffect | None = None
        self._where = ""

    @property
    def cuts_when_sent(self) -> bool:
        """The power is to be cut when the effect that was returned last is out: the driver then calls `cut`."""
        return self._where == "sent"

    @property
    def restart_after_s(self) -> float | None:
        """Once it is over: after how long the device is switched on again, if its trigger has cut the power."""
        return self.trigger.off_s if self.trigger is not None and self._where else None

    def power_on(self) -> TimedEffect | None:
        """Starts the program."""
        self._trace_power("power_on")
        return self._go_on(self.agent.power_on(), self._host.now_us())

    def resume(self, outcome: Outcome) -> TimedEffect | None:
        """Gives the program the outcome of its effect."""
        host = self._host
        at_us = host.now_us()
        if host.trace.wanted and self._effect is not None:
            trace_outcome(host.trace, at_us, self.agent, self._effect, outcome)
        if self._where == "answered":
            self.cut()
            return None
        return self._go_on(self.agent.resume(outcome), at_us)

    def cut(self) -> None:
        """Switches the device off, if it is on; it loses what it has not remembered."""
        if self.agent.is_on:
            self.agent.power_cut()
            self._trace_power("power_cut")

    def _go_on(self, effect: Effect | None, at_us: int) -> TimedEffect | None:
        """A program takes no time between two effects that need some."""
        agent, trigger, host = self.agent, self.trigger, self._host
        while effect is not None:
            self._where = trigger.on_effect(effect) if trigger is not None else ""
            if self._where == "before":
                self.cut()
                return None
            if host.trace.wanted:
                trace_effect(host.trace, at_us, agent, effect)
            match effect:
                case Remember() | Enter():
                    effect = agent.resume(agent.settle(effect))
                case ReadClock():
                    effect = agent.resume(ClockReading(at_us))
                case DrawToken():
                    effect = agent.resume(drawn_token(host.seed, agent, effect))
                case _:
                    self._effect = effect
                    return effect
        self._trace_power("ended")
        return None

    def _trace_power(self, kind: str) -> None:
        host = self._host
        if host.trace.wanted:
            trace_power(host.trace, host.now_us(), self.agent, kind)


def behind_same(agent: Agent, running: Iterable[Agent]) -> list[Agent]:
    """The others that run and hang on the power of the same gateway."""
    gateway = agent.identity.gateway
    if not gateway:
        return []
    return [other for other in running if other is not agent and other.identity.gateway == gateway]
