"""What a study costs: the commands as a user types them, on all cores, start of the program and pictures included."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.measure import median, show

FLEETRIG: Final = Path(sys.executable).with_name("fleetrig")
SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
WITHIN_S: Final = 3_600
STUDIES: Final = (
    ("160 runs of 100,000 devices for an hour", "outage/jitter", 100_000, 3, "120 s"),
    ("160 runs of 1,000,000 devices for an hour", "outage/jitter", 1_000_000, 1, "900 s"),
    ("32 runs of 1,000,000 devices for an hour", "outage/recovery", 1_000_000, 3, "120 s"),
)
"""Title, study, devices, rounds, and how long it may take on two cores."""


class StudyCost(NamedTuple):
    wall_s: float
    cpu_s: float


def cost_of(study: str, devices: int, folder: Path) -> StudyCost:
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    words = ("study", study, "--anew", "--set", f"devices={devices}", "--scenarios", SCENARIOS, "--results", folder)
    done = subprocess.run(
        [FLEETRIG, *words],
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return StudyCost(time.monotonic() - began_s, cpu_s)


def bench_what_a_study_costs(tmp_path: Path) -> None:
    print()
    for title, study, devices, rounds, aim in STUDIES:
        costs = [cost_of(study, devices, tmp_path) for _ in range(rounds)]
        wall_s, used_s = median([cost.wall_s for cost in costs]), median([cost.cpu_s for cost in costs])
        show(title, f"{wall_s:.0f} s", aim)
        show("  CPU time, on all cores together", f"{used_s:.0f} s")
    show("cores", str(len(os.sched_getaffinity(0))))
