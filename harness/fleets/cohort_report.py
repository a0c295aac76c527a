"""One run of a scenario on the array engine, as a report; `harness/run/scenario_run.py` has those of the exact one."""

from __future__ import annotations

import asyncio
import shlex
import time

from fleetrig.harness.fleets.engine_choice import EngineChoice
from fleetrig.harness.fleets.figures_text import figures_text
from fleetrig.harness.fleets.fleet_run import FleetOutcome, FleetRun
from fleetrig.harness.platform import platform_of
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.run.interrupts import stopping_at_once
from fleetrig.harness.run.known_deviations import known_in
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.servers.lacking import LackingServer
from fleetrig.harness.verdict import PhaseResult, Report, Verdict, verdict_of_phases
from fleetrig.simulator.contract.clock import to_s
from fleetrig.simulator.contract.errors import FleetrigError
from fleetrig.simulator.contract.trace import Trace

OUR_SERVER = "reference server"


def run_as_cohort(expanded: Expanded, options: RunOptions, choice: EngineChoice) -> Report:
    """Failures become the verdict, as in every run."""
    return CohortRun(expanded, options, choice).run()


class CohortRun:
    """One run, and what is told of it."""

    def __init__(self, expanded: Expanded, options: RunOptions, choice: EngineChoice) -> None:
        self._expanded, self._options, self._choice = expanded, options, choice
        self._began_s = time.monotonic()
        self._fleet: FleetRun | None = None
        self.outcome: FleetOutcome | None = None
        """What came of it; None for a run that was skipped or broken off."""

    def run(self) -> Report:
        if why := self._lacks():
            return self._report(Verdict.SKIPPED, why)
        try:
            with stopping_at_once():
                self.outcome = self._run_fleet()
        except FleetrigError as broken:
            return self._report(Verdict.BROKEN, str(broken))
        except BaseException as gone:
            is_interrupt = isinstance(gone, KeyboardInterrupt | asyncio.CancelledError)
            why = "interrupted" if is_interrupt else f"this is a bug in fleetrig ({type(gone).__name__}: {gone})"
            self._options.broken_off(self._report(Verdict.BROKEN, why))
            raise
        return self._report(*verdict_of_phases(self.outcome.phases))

    def _run_fleet(self) -> FleetOutcome:
        trace = Trace()
        if self._options.listener is not None:
            trace.listen(self._options.listener)
        known = known_in(self._options.known, self._expanded.name)
        options = self._options
        self._fleet = FleetRun(
            self._expanded.scenario, options.seed, trace=trace, known=known, progress=options.progress
        )
        return self._fleet.run()

    def _lacks(self) -> str:
        """Why our own server of this profile could not play it."""
        vocabulary = platform_of(self._expanded.scenario.platform).vocabulary
        can = vocabulary.of_profile(self._options.profile)
        lacking = [word for word in self._expanded.scenario.needs if word not in can]
        if not lacking:
            return ""
        profiles_with = vocabulary.profiles_with(lacking)
        return LackingServer(OUR_SERVER, is_own=True, profiles_with=profiles_with).why_skipped(lacking)

    def _phases(self) -> tuple[PhaseResult, ...]:
        return () if self._fleet is None else tuple(self._fleet.done)

    def _report(self, verdict: Verdict, reason: str) -> Report:
        scenario, options = self._expanded.scenario, self._options
        again = ["fleetrig", options.verb, self._expanded.command_word, "--seed", str(options.seed), *options.again]
        return Report(
            name=self._expanded.name,
            title=scenario.title,
            verdict=verdict,
            reason=reason,
            phases=self._phases(),
            took_s=time.monotonic() - self._began_s,
            simulated_s=0.0 if self._fleet is None else to_s(self._fleet.now_us),
            devices=scenario.devices.unit_count(),
            target=OUR_SERVER,
            profile=options.profile,
            time=options.time,
            seed=options.seed,
            version=VERSION,
            rerun=shlex.join(again),
            file=scenario.file,
            line=scenario.line,
            cites=scenario.cites,
            engine=str(self._choice) if self.outcome is None else f"{self.outcome.engine}: {self._choice.why}",
            told=() if self.outcome is None else figures_text(self.outcome),
        )
