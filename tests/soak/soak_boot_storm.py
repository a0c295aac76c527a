"""Two thousand devices provision themselves over real MQTT within half a minute, server and fleet in one process."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import plan
from fleetrig.harness.verdict import Verdict
from tests.benchmarks.measure import show

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def soak_boot_storm_in_real_time() -> None:
    (storm,) = plan(["thingsboard/boot_storm"], SCENARIOS)
    with TemporaryDirectory() as results:
        report = asyncio.run(run(storm, RunOptions(real_time=True, results=Path(results))))
    assert report.verdict is Verdict.PASSED, report
    show("2,000 devices get power within 30 s: all online after", f"{report.took_s:.0f} s")
    for check in report.phases[0].checks:
        show(f"  {check.title}", check.measured)
