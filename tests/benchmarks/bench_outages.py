"""What an answer costs: commands as a user types them, for a million devices, start of the program included."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.measure import median, show

FLEETRIG: Final = Path(sys.executable).with_name("fleetrig")
SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
ROUNDS: Final = 3
WITHIN_S: Final = 600
MILLION: Final = ("--set", "devices=1000000")
KIB_PER_MIB: Final = 1_024
QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "one policy after 20 minutes of outage": ("run", "outage/long_outage[policy=full_jitter]", *MILLION),
    "six policies after 20 minutes of outage": ("run", "outage/long_outage", *MILLION),
    "Kura's storm, two policies": ("run", "kura/reconnect_storm", *MILLION),
    "collapse, and the way out": ("run", "outage/collapse", *MILLION),
    "a day of people who switch on": ("run", "outage/daily_curve", *MILLION),
    "a failing run of 300,000, shrunk": (
        "run", "outage/poll_jitter", "--set", "devices=300000", "--set", "jitter=5", "--shrink",
    ),
}  # fmt: skip
AIMS: Final = {"six policies after 20 minutes of outage": "120 s"}


class Cost(NamedTuple):
    cpu_s: float
    peak_mib: float


def cost_of(words: Sequence[str], folder: Path) -> Cost:
    """Of one command; the largest of all so far has the peak."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [FLEETRIG, *words, "--scenarios", SCENARIOS, "--results", folder],
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu_s, after.ru_maxrss / KIB_PER_MIB)


def bench_what_an_answer_costs(tmp_path: Path) -> None:
    print()
    spent: dict[str, list[Cost]] = {question: [] for question in QUESTIONS}
    for _ in range(ROUNDS):
        for question, words in QUESTIONS.items():
            spent[question].append(cost_of(words, tmp_path))
    for question, costs in spent.items():
        show(question, f"{median([cost.cpu_s for cost in costs]):.1f} s CPU", AIMS.get(question, ""))
    show("largest of them", f"{max(cost.peak_mib for costs in spent.values() for cost in costs):.0f} MiB")
