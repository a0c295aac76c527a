"""One device of a load run: it performs one effect after the other, in a greenlet of its own."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Final

from fleetrig.simulator.agent import Agent
from fleetrig.simulator.drivers.draw import draw_pause
from fleetrig.simulator.drivers.load.figures import LoadFigures
from fleetrig.simulator.drivers.load.http_client import SentOnly
from fleetrig.simulator.drivers.load.load_link import LoadLink
from fleetrig.simulator.drivers.load.request_outcome import TimedRequest, answer_bytes, failure_of, type_of
from fleetrig.simulator.drivers.load.request_told import RequestTold
from fleetrig.simulator.drivers.load.wake_ups import WakeUps
from fleetrig.simulator.drivers.power_cycle import PowerCycle
from fleetrig.simulator.drivers.schedule import Schedule, is_rhythm
from fleetrig.simulator.effects import (
    Apply,
    Ask,
    Await,
    Disconnect,
    Done,
    NoReply,
    Outcome,
    Pause,
    Reply,
    Tell,
    TimedEffect,
)

SEND_WITHIN_S: Final = 10.0
"""How long sending may take: after that the peer counts as unreachable."""


class LoadDevice:
    """One power cycle of a device."""

    __slots__ = ("_agent", "_figures", "_link", "_schedule", "_seed", "_told", "_wake_ups")

    def __init__(
        self,
        agent: Agent,
        link: LoadLink,
        schedule: Schedule,
        figures: LoadFigures,
        seed: int,
        told: RequestTold,
        wake_ups: WakeUps,
    ) -> None:
        self._agent = agent
        self._link = link
        self._schedule = schedule
        self._figures = figures
        self._seed = seed
        self._told = told
        self._wake_ups = wake_ups

    def run(self, cycle: PowerCycle) -> None:
        """From power-on to the end, or until the trigger cuts the power."""
        effect = cycle.power_on()
        while effect is not None and not cycle.cuts_when_sent:
            effect = cycle.resume(self._perform(effect))
        if effect is not None:
            self._perform_until_sent(effect)
            cycle.cut()

    def _perform(self, effect: TimedEffect) -> Outcome:
        match effect:
            case Ask():
                return self._ask(effect)
            case Pause() if is_rhythm(effect):
                seconds = draw_pause(self._seed, self._agent, effect)
                self._keep_rhythm(seconds)
                sleep_until(self._schedule.intended_s, self._figures, self._wake_ups)
                return Done(seconds)
            case Pause() | Apply():
                seconds = effect.slice_s if isinstance(effect, Apply) else draw_pause(self._seed, self._agent, effect)
                due_s = time.monotonic() + seconds
                self._schedule.resumes(due_s)
                sleep_until(due_s, self._figures, self._wake_ups)
                return Done(seconds)
            case Await() if is_rhythm(effect):
                return self._idle(effect)
            case Await():
                return self._link.perform(effect, draw_pause(self._seed, self._agent, effect))
            case Tell() | Disconnect():
                return self._link.perform(effect, SEND_WITHIN_S)
            case _:
                return self._ask(effect)

    def _perform_until_sent(self, effect: TimedEffect) -> None:
        """Abandons the effect as soon as it is out."""
        if isinstance(effect, Pause | Apply):
            return
        within_s = SEND_WITHIN_S if isinstance(effect, Tell | Disconnect | Await) else effect.within_s
        with suppress(SentOnly):
            self._link.perform(effect, within_s, sent_only=True)

    def _ask(self, effect: TimedRequest) -> Outcome:
        sent_s = time.monotonic()
        intended_s = self._schedule.begins(sent_s)
        self._figures.started(sent_s, intended_s)
        outcome = self._link.perform(effect, effect.within_s)
        ended_s = time.monotonic()
        failure = failure_of(outcome)
        self._figures.ended(ended_s, sent_s, intended_s, is_error=bool(failure))
        self._told(type_of(effect), effect.name, ended_s - sent_s, answer_bytes(outcome), failure)
        return outcome

    def _idle(self, effect: Await) -> Outcome:
        """Waits for its next round, and hears what comes meanwhile."""
        seconds = draw_pause(self._seed, self._agent, effect)
        self._keep_rhythm(seconds, effect.left_s)
        due_s = self._schedule.intended_s
        outcome = self._link.perform(effect, max(0.0, due_s - time.monotonic()))
        if isinstance(outcome, NoReply) and outcome.why == "timeout":
            self._figures.woke(time.monotonic(), due_s)
            return NoReply("timeout", seconds)
        if isinstance(outcome, Reply):
            self._schedule.cut_short(outcome.after_s)
        return outcome

    def _keep_rhythm(self, interval_s: float, left_s: float = 0.0) -> None:
        now_s = time.monotonic()
        for dropped_s in self._schedule.after(interval_s, now_s, left_s):
            self._figures.dropped(now_s, dropped_s)


def sleep_until(due_s: float, figures: LoadFigures, wake_ups: WakeUps) -> None:
    """Lets others run until then. How much too late it comes back is the generator's own lateness."""
    if time.monotonic() < due_s:
        wake_ups.sleep_until(due_s)
        figures.woke(time.monotonic(), due_s)
