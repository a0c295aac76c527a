"""What the reference server costs beside its requests (`bench_requests`): memory, manufacturing, start.

`make bench PEER=http://127.0.0.1:8080,PID` measures a running hawkBit (admin/admin) in the same run.
What it makes there stays: give it one that nobody needs.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.measure import ROUNDS, cpu_s, hammer, median, resident_mib, served, show
from tests.benchmarks.request_work import TARGETS, polls, registered, sides

MANY_POLLS = 100_000


def bench_memory_after_many_polls(tmp_path: Path) -> None:
    with sides(tmp_path) as measured:
        print(f"\n  resident memory after many polls of {TARGETS:,} targets")
        for side in measured:
            before_mib = resident_mib(side.pid)
            requests = polls(registered(side.address, TARGETS))
            many = MANY_POLLS if side is measured[0] else MANY_POLLS // 10
            for _ in range(many // len(requests)):
                hammer(side.address, requests)
            show(
                f"{side.name}: {many:,} polls",
                f"{resident_mib(side.pid):.0f} MiB",
                f"it began with {before_mib:.0f} MiB",
            )


def bench_manufacturing(tmp_path: Path) -> None:
    with sides(tmp_path) as measured:
        print("\n  10,000 targets through the management API in arrays of 1,000")
        for side in measured:
            began_s, cpu_before_s = time.monotonic(), cpu_s(side.pid)
            registered(side.address, 10_000)
            show(f"{side.name}: time", f"{time.monotonic() - began_s:.2f} s", "2.5 s" if side is measured[0] else "")
            show(f"{side.name}: server CPU", f"{cpu_s(side.pid) - cpu_before_s:.2f} s")


def bench_start(tmp_path: Path) -> None:
    print("\n  start")
    helps = []
    for _ in range(ROUNDS):
        began_s = time.monotonic()
        subprocess.run([sys.executable, "-m", "fleetrig.harness.cli", "--help"], check=True, stdout=subprocess.DEVNULL)
        helps.append(time.monotonic() - began_s)
    show("fleetrig --help (median)", f"{median(helps):.2f} s", "0.4 s")
    with served(tmp_path) as (pid, _, ready_s):
        show("serve ready", f"{ready_s:.2f} s", "1 s")
        show("serve resident memory", f"{resident_mib(pid):.0f} MiB", "100 MiB")
