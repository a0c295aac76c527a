"""Where power can be cut in a scenario: a dry run in virtual time lists every point that its first device passes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.plan import Expanded
from harness.run import Attempt, RunOptions
from harness.scenario import Scenario
from harness.verdict import Verdict, worst
from simulator.contract.errors import BrokenBench
from simulator.drivers.power import PowerWatch


def power_cut_points(scenario: Scenario) -> Sequence[str]:
    """Stable names in the order in which the device reaches them.

    Raises BrokenBench when the scenario fails without any cut: then there is nothing to compare with.
    """
    watch = PowerWatch()
    with tempfile.TemporaryDirectory() as folder:
        attempt = Attempt(Expanded(scenario, {}, scenario.id), RunOptions(results=Path(folder)), watch)
        phases, _ = attempt.in_virtual_time()
        attempt.trace_file.close(keep=False)
    if worst(phase.verdict for phase in phases) is Verdict.FAILED:
        failed = next(phase.name for phase in phases if phase.verdict is Verdict.FAILED)
        raise BrokenBench(
            f"{scenario.id} fails in phase «{failed}» even without a power cut: there are no points to list"
        )
    return tuple(dict.fromkeys(watch.points))
