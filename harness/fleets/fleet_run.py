"""A scenario on the array engine: phase after phase, as `harness/run/phases.py` has it for the exact engine.

A phase of `within` ends in the microsecond in which all of it holds. The engine has then gone on to the end of its
step: a small fleet is set back, by doing again all that was asked of it; a large one stays there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from fleetrig.harness.checks.fold import curves_of
from fleetrig.harness.fleets.check_table import PhaseStart, figure_check, shortest_interval_us, watcher_of
from fleetrig.harness.fleets.device_checks import ReachesFigures
from fleetrig.harness.fleets.disruptions import disruption_of
from fleetrig.harness.fleets.figure_checks import FigureCheck
from fleetrig.harness.fleets.first_contacts import FirstContacts
from fleetrig.harness.fleets.repeatable_fleet import RepeatableFleet
from fleetrig.harness.fleets.translation import all_traits, fleet_model
from fleetrig.harness.fleets.watch import FleetWatch, WatchedFleet
from fleetrig.harness.run.evaluation import CheckOutcome, PhaseFolds, outcome_of, phase_folds, result_of
from fleetrig.harness.run.known_deviations import Known
from fleetrig.harness.scenario_file.action_words import ActionWord, CyclePower, PowerCut, PowerOn, Wait
from fleetrig.harness.scenario_file.fault_line import FaultLine
from fleetrig.harness.scenario_file.scenario import Phase, Scenario
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.verdict import PhaseResult, Verdict
from fleetrig.simulator.arrivals_shape import ALL, Shape, curve
from fleetrig.simulator.cohort.figures import FleetFigures
from fleetrig.simulator.cohort.model import Disruption, FleetModel, Starts
from fleetrig.simulator.contract.clock import US_PER_S, to_s, to_us
from fleetrig.simulator.contract.trace import Lane, Trace

SET_BACK_BELOW: Final = 20_000
"""Devices: a fleet of fewer ends its phases to the microsecond."""
LOOKED_AT_SINGLY: Final = 5_000
"""So many ends of requests in a step are looked at one by one."""
LOOKED_AT_IN_A_PHASE: Final = 20_000
STEP_US: Final = US_PER_S
TOLD_EVERY_US: Final = 60 * US_PER_S
LONG_PHASE_US: Final = 3_600 * US_PER_S
LONG_STEP_US: Final = 10 * US_PER_S
UNWATCHED_STEP_US: Final = 60 * US_PER_S
"""Of a run that expects nothing, such as those of a study."""

FleetProgress = Callable[[int, int], None]
"""`progress(now_us, until_us)`: how far the run is, and when it ends at the latest."""


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """When a phase was, from the beginning of the run."""

    name: str
    begin_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class FleetOutcome:
    """What came of a run."""

    model: FleetModel
    figures: FleetFigures
    spans: tuple[PhaseSpan, ...]
    disruptions: tuple[Disruption, ...]
    phases: tuple[PhaseResult, ...]
    engine: str
    """`cohort`, or `cohort, compiled`."""


def run_fleet(
    expanded: Expanded, *, seed: int, compiled: bool | None = None, progress: FleetProgress | None = None
) -> FleetOutcome:
    """Runs it. Raises NotACohort before anything happens."""
    return FleetRun(expanded.scenario, seed, compiled=compiled, progress=progress).run()


class FleetRun:
    """One run of a scenario."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        compiled: bool | None = None,
        progress: FleetProgress | None = None,
        known: Known | None = None,
        trace: Trace | None = None,
    ) -> None:
        """`trace` gets what the bench does; devices leave none."""
        self.scenario = scenario
        self.model = fleet_model(scenario, seed)
        self._traits = all_traits(scenario)
        self._known = known or Known()
        self._trace = trace or Trace()
        self.done: list[PhaseResult] = []
        self._progress = progress or (lambda now_us, until_us: None)
        contacts = FirstContacts(self._traits, [cohort.count for cohort in self.model.cohorts])
        self._watch = FleetWatch(WatchedFleet.of_size(self.model.count, contacts))
        self._is_watched = any(phase.expect for phase in scenario.phases)
        self._fleet = RepeatableFleet(self.model, self._watch, compiled=compiled, is_watched=self._is_watched)
        self.disruptions: list[Disruption] = []
        self.spans: list[PhaseSpan] = []
        self._latest_us = sum(to_us(phase.within_s or phase.for_s or 0.0) for phase in scenario.phases)

    def run(self) -> FleetOutcome:
        """All phases, up to the first that fails."""
        self._add_faults(self.scenario.faults)
        for phase in self.scenario.phases:
            self._emit("phase", phase.name)
            self.done.append(self._phase(phase))
            self._emit("verdict", phase.name, self.done[-1].verdict)
            if self.done[-1].verdict is Verdict.FAILED or self._known.ends_run(self.done[-1]):
                break
        return FleetOutcome(
            self.model,
            self._fleet.figures,
            tuple(self.spans),
            tuple(self.disruptions),
            tuple(self.done),
            self._fleet.engine,
        )

    @property
    def now_us(self) -> int:
        return self._fleet.now_us

    def _emit(self, kind: str, name: str, reason: str = "") -> None:
        self._trace.emit(self._fleet.now_us, Lane.BENCH, kind, name=name, reason=reason)

    def _phase(self, phase: Phase) -> PhaseResult:
        began_us = self._fleet.now_us
        start = PhaseStart(self._watch.fleet, began_us, shortest_interval_us(self._traits))
        checks = [figure_check(check.arguments, start) for check in phase.expect]
        contacts = self._watch.fleet.contacts
        self._watch.watchers = [
            watcher_of(check, each.arguments, contacts) for check, each in zip(checks, phase.expect, strict=True)
        ]
        self._add_faults(phase.faults)
        for action in phase.do:
            self._perform(action.arguments, checks)
        folds = phase_folds(self._known, phase.name, zip(phase.expect, checks, strict=True))
        self._wait(phase, folds, checks)
        outcomes: list[CheckOutcome] = [outcome_of(check, folds) for check in checks]
        judged = (
            self._known.result(phase.name, check, result_of(check, outcome))
            for check, outcome in zip(phase.expect, outcomes, strict=True)
        )
        self.spans.append(PhaseSpan(phase.name, began_us, self._fleet.now_us))
        took_s = to_s(self._fleet.now_us - began_us)
        return PhaseResult(phase.name, tuple(judged), took_s, curves=curves_of(checks))

    # Waiting

    def _wait(self, phase: Phase, folds: PhaseFolds, checks: list[FigureCheck]) -> None:
        """As long as the phase says, or until it is clear what comes of it."""
        span_us = to_us(phase.within_s if phase.within_s is not None else phase.for_s or 0.0)
        until_us = self._fleet.now_us + span_us

        def is_over() -> bool:
            return folds.settled if phase.within_s is not None else folds.failed

        self._look(checks)
        if not is_over():
            sets_back = phase.within_s is not None or self._asks_seldom(span_us)
            self._go_on(until_us, is_over, sets_back=sets_back, checks=checks)

    def _asks_seldom(self, span_us: int) -> bool:
        """So seldom that each moment can be looked at, also of a phase that nearly always lasts to its end."""
        return self.model.count * span_us // shortest_interval_us(self._traits) < LOOKED_AT_IN_A_PHASE

    def _go_on(self, until_us: int, is_over: Callable[[], bool], *, sets_back: bool, checks: list[FigureCheck]) -> None:
        sets_back = sets_back and self.model.count < SET_BACK_BELOW
        step_us = STEP_US if until_us - self._fleet.now_us < LONG_PHASE_US else LONG_STEP_US
        step_us = step_us if self._is_watched else UNWATCHED_STEP_US
        while self._fleet.now_us < until_us:
            to = min(until_us, self._next_drop_us(), self._fleet.now_us + step_us)
            self._fleet.run_until(to)
            self._note_progress(to, until_us)
            if sets_back and self._is_over_within(to, is_over):
                return
            self._watch.settle(to)
            self._note_drops(to, checks)
            if is_over():
                return

    def _let_pass(self, span_us: int, checks: list[FigureCheck]) -> None:
        """Whatever happens."""
        until_us = self._fleet.now_us + span_us
        while self._fleet.now_us < until_us:
            to = min(until_us, self._next_drop_us(), self._fleet.now_us + LONG_STEP_US)
            self._fleet.run_until(to)
            self._watch.settle(to)
            self._note_drops(to, checks)

    def _note_progress(self, now_us: int, until_us: int) -> None:
        self._progress(now_us, max(self._latest_us, until_us))
        if now_us % TOLD_EVERY_US < STEP_US:
            self._emit("action", f"{to_s(now_us) / 60:,.0f} of at most {to_s(until_us) / 60:,.0f} simulated minutes")

    def _is_over_within(self, until_us: int, is_over: Callable[[], bool]) -> bool:
        """Looks at one moment after the other; sets the fleet back to the one at which it was over."""
        moments = self._watch.ends_until(until_us)
        if len(moments) > LOOKED_AT_SINGLY:
            return False
        for moment in moments:
            self._watch.settle(moment)
            if is_over():
                self._watch.rewind(moment)
                self._fleet.set_back(moment)
                return True
        return False

    def _next_drop_us(self) -> int:
        """When connections end next."""
        now_us = self._fleet.now_us
        return min((one.begin_us for one in self.disruptions if one.drops_connections and one.begin_us > now_us),
                   default=1 << 62)  # fmt: skip

    def _note_drops(self, now_us: int, checks: list[FigureCheck]) -> None:
        """Whose connection has just ended is not online any more, and has failed once."""
        if any(one.drops_connections and one.begin_us == now_us for one in self.disruptions):
            for devices, traits in zip(self._ranges(), self._traits, strict=True):
                if traits.drops_at_once:
                    self._watch.lose_connections(devices)
                if traits.drops_at_once and traits.further_when_back:
                    self._fleet.give_work(devices, traits.further_when_back)
            self._look(checks)

    def _look(self, checks: list[FigureCheck]) -> None:
        for check in checks:
            if isinstance(check, ReachesFigures):
                check.look(self._watch.fleet, self._fleet.now_us)

    # What the scenario does

    def _add_faults(self, lines: tuple[FaultLine, ...]) -> None:
        for line in lines:
            disruption = disruption_of(line, self._fleet.now_us, self._traits)
            if disruption is not None:
                self.disruptions.append(disruption)
                self._fleet.disrupt(disruption)
                if disruption.begin_us == self._fleet.now_us:
                    self._note_drops(self._fleet.now_us, [])

    def _perform(self, words: ActionWord, checks: list[FigureCheck]) -> None:
        match words:
            case PowerOn():
                spread_s = self.scenario.devices.start_spread_s if words.spread_s is None else words.spread_s
                self._switch_on(words.shape, to_us(spread_s))
            case PowerCut():
                self._switch_off()
            case CyclePower():
                self._switch_off()
                self._start_all(lambda count, jitter: ((0, to_us(words.off_s)), (ALL, to_us(words.off_s))))
            case Wait():
                self._let_pass(to_us(words.for_s), checks)

    def _switch_on(self, shape: Shape, spread_us: int) -> None:
        """Each cohort over the whole spread."""
        self._start_all(lambda count, jitter: curve(shape, spread_us, count, jitter))

    def _start_all(self, points_for: Callable[[int, float], tuple[tuple[int, int], ...]]) -> None:
        """`points_for`: for so many devices, with such a jitter of their intervals."""
        jitters = (block.poll_jitter for _, _, block in self.scenario.devices.makes())
        for devices, traits, jitter in zip(self._ranges(), self._traits, jitters, strict=True):
            starts = Starts(points_for(len(devices), jitter))
            self._watch.fleet.switch_on(devices, starts.points, self._fleet.now_us)
            self._fleet.start(devices, starts)
            further = traits.further_at_first if self._fleet.is_first_start(devices) else traits.further_when_back
            if further:
                self._fleet.give_work(devices, further)

    def _switch_off(self) -> None:
        for devices in self._ranges():
            self._fleet.stop(devices)
            self._watch.cut_power(devices)

    def _ranges(self) -> Iterator[range]:
        """The devices of each cohort."""
        bounds = np.cumsum([0, *(cohort.count for cohort in self.model.cohorts)]).tolist()
        yield from (range(begin, end) for begin, end in pairwise(bounds))
