"""Where power can be cut in a scenario: a dry run in virtual time lists every point that its first device passes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.scenario_run import ScenarioRun, SkipScenario
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.verdict import PhaseResult, Verdict
from fleetrig.simulator.contract.errors import BrokenBench, UsageError
from fleetrig.simulator.contract.trace import Lane, TraceEvent, TraceListener
from fleetrig.simulator.drivers.power_cut_trigger import PowerCutTrigger


def power_cut_points(scenario: Scenario) -> Sequence[str]:
    """Stable names in the order in which the device reaches them.

    Those of the last phase do not count when there are several: it is there to see what came of a cut, and in real
    time a device may not get so far. Raises BrokenBench when the scenario fails without any cut: then there is nothing
    to compare with.
    """
    if scenario.boards:
        raise UsageError(
            f"{scenario.id}: power cut points are moments inside a simulated device, and nobody can look into a board: "
            "cut with `cut_after`, or leave power_cut_points away"
        )
    watch = PowerCutTrigger()
    before_last: list[str] = []

    def note(event: TraceEvent) -> None:
        if event.lane is Lane.BENCH and event.kind == "phase" and event.name == scenario.phases[-1].name:
            before_last[:] = watch.passed

    failed = next((phase.name for phase in dry_run(scenario, watch, note) if phase.verdict is Verdict.FAILED), None)
    if failed is not None:
        raise BrokenBench(
            f"{scenario.id} fails in phase «{failed}» even without a power cut: there are no points to list"
        )
    return tuple(dict.fromkeys(before_last or watch.passed))


def dry_run(scenario: Scenario, watch: PowerCutTrigger, listener: TraceListener) -> tuple[PhaseResult, ...]:
    """Raises UsageError for a scenario that our own server cannot run, since its points cannot be listed."""
    with tempfile.TemporaryDirectory() as folder:
        options = RunOptions(results=Path(folder), listener=listener)
        run = ScenarioRun(Expanded(scenario, {}, scenario.id), options, watch)
        try:
            return run.in_virtual_time()
        except SkipScenario as lacking:
            raise UsageError(f"{scenario.id}: power cut points are listed by a dry run, but the {lacking}") from None
        finally:
            run.trace_file.close(keep=False)
