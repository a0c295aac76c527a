"""Runs one scenario, in virtual or in real time; errors become its verdict."""

from __future__ import annotations

import asyncio

from fleetrig.harness.fleets.engine_choice import engine_for
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.scenario_run import ScenarioRun, SkipScenario
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.servers.lacking import LeaveMissing
from fleetrig.harness.verdict import INTERRUPTED, Report, Verdict
from fleetrig.simulator.contract.errors import FleetrigError


async def run(expanded: Expanded, options: RunOptions) -> Report:
    """Runs one expanded scenario. Failures of server, device or bench become the verdict and are never raised."""
    options = options.for_scenario(expanded.scenario)
    engine = ""
    if options.time == "virtual":
        choice = engine_for(expanded.scenario, options.engine, needs_exact=options.needs_exact)
        if choice.engine == "cohort":
            # NumPy is imported for large fleets only.
            from fleetrig.harness.fleets.cohort_report import run_as_cohort

            return run_as_cohort(expanded, options, choice)
        engine = str(choice)
    scenario_run = ScenarioRun(expanded, options, engine=engine)
    try:
        if options.time == "real":
            await scenario_run.in_real_time()
        else:
            scenario_run.in_virtual_time()
    except SkipScenario as skip:
        return scenario_run.report(Verdict.SKIPPED, str(skip))
    except FleetrigError as broken:
        scenario_run.lacks = (broken.lack,) if isinstance(broken, LeaveMissing) else ()
        return scenario_run.report(Verdict.BROKEN, str(broken))
    except BaseException as gone:
        is_interrupt = isinstance(gone, KeyboardInterrupt | asyncio.CancelledError)
        why = INTERRUPTED if is_interrupt else f"this is a bug in fleetrig ({type(gone).__name__}: {gone})"
        verdict = Verdict.BROKEN if scenario_run.has_begun or not is_interrupt else Verdict.SKIPPED
        report = scenario_run.report(verdict, "; ".join(filter(None, [why, scenario_run.boards_left])))
        if report.verdict is Verdict.BROKEN:
            options.broken_off(report)
        raise
    return scenario_run.report()
