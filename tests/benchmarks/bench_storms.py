"""First contacts as a storm, and how well a prediction fits: load runs as programs, as a user starts them.

The figures of the real servers are for orientation, measured elsewhere: what a user would run otherwise.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from fleetrig.harness.load.comparison import compare
from fleetrig.harness.load.curves import CURVES_FILE, read_curves
from tests.benchmarks.measure import median, show

FLEETRIG: Final = Path(sys.executable).with_name("fleetrig")
SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
ROUNDS: Final = 3
"""Each takes half a minute."""
DEVICES: Final = 1_000
WITHIN_S: Final = 300
UNLIMITED: Final = "capacity=1000000"
ONLINE: Final = re.compile(r"devices online: p50 ([\d.]+) s, p99 ([\d.]+) s, ([\d.]+) s at most")
REQUESTS: Final = re.compile(r"requests +([\d,]+) sent, ([\d,]+) answered, ([\d,]+) errors")
LATENCY: Final = re.compile(r"latency +p50 ([\d.]+ \w+) +p90 [\d.]+ \w+ +p99 ([\d.]+ \w+)")


class StormKind(NamedTuple):
    """A storm: the run, its settings, and what a real server does."""

    run: str
    settings: tuple[str, ...]
    real: str


STORMS: Final[Mapping[str, StormKind]] = {
    "hawkBit, gateway token": StormKind(
        "load/boot_storm", (UNLIMITED, "spread=0s", "online_within=2m"), "hawkBit 1.1: polls 640/s on one core"
    ),
    "ThingsBoard, key over MQTT": StormKind(
        "load/first_contacts[over=mqtt]", (UNLIMITED, "spread=0s", "sending=1s", "online_within=2m"),
        "ThingsBoard 4.3.1: 230/s, p50 0.54 s, p99 0.73 s at 128 connections",
    ),
    "ThingsBoard, key over HTTP": StormKind(
        "load/first_contacts[over=http]", (UNLIMITED, "spread=0s", "sending=1s", "online_within=2m"),
        "ThingsBoard 4.3.1: 177/s",
    ),
}  # fmt: skip
PREDICTED: Final[Mapping[str, tuple[str, ...]]] = {
    "load/steady_polling": ("polling=00:00:02", "spread=2s", "steady=20s", "capacity=400", "peak=1000"),
    "load/boot_storm": (),
    "load/recovery_stampede": (
        "polling=00:00:02", "spread=2s", "outage=12s", "base=1s", "cap=10s", "capacity=200", "peak=2000",
    ),
    "load/first_contacts[over=mqtt]": ("interval=10s", "sending=12s"),
}  # fmt: skip


def fleetrig(verb: str, run: str, settings: Sequence[str], folder: Path, *words: str) -> str:
    """Runs it as a program; a run that did not pass says so in its text."""
    given = [word for one in settings for word in ("--set", one)]
    done = subprocess.run(
        [FLEETRIG, verb, run, "--scenarios", SCENARIOS, "--results", folder, *given, *words],
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def numbers(found: re.Match[str] | None, said: str) -> tuple[str, ...]:
    assert found is not None, said
    return tuple(found.groups())


def bench_first_contacts_as_a_storm(tmp_path: Path) -> None:
    for name, storm in STORMS.items():
        rounds = [fleetrig("load", storm.run, storm.settings, tmp_path, "--users", str(DEVICES)) for _ in range(ROUNDS)]
        said = sorted(rounds, key=lambda text: float(numbers(ONLINE.search(text), text)[2]))[len(rounds) // 2]
        p50_s, p99_s, all_s = map(float, numbers(ONLINE.search(said), said))
        _, _, errors = numbers(REQUESTS.search(said), said)
        p50, p99 = numbers(LATENCY.search(said), said)
        show(
            f"storm, {name}",
            f"{DEVICES / all_s:,.0f} devices/s; online after p50 {p50_s:g} s, p99 {p99_s:g} s; answers p50 {p50}, "
            f"p99 {p99}; {errors} tries failed; orientation: {storm.real}"
            + ("; the generator was the limit" if "the generator was the limit" in said else ""),
        )


def bench_predicted_against_measured(tmp_path: Path) -> None:
    for run, settings in PREDICTED.items():
        differ = []
        for number in range(ROUNDS):
            folder = tmp_path / f"{number}"
            for verb in ("predict", "load"):
                fleetrig(verb, run, settings, folder)
            files = (next(folder.rglob(f"*{ending}/{CURVES_FILE}")) for ending in (".predicted", ".load"))
            found = compare(*map(read_curves, files))
            differ.append({pair.measure.name: pair.difference or 0.0 for pair in found.pairs})
            for file in folder.rglob(CURVES_FILE):
                file.unlink()
        shares = {name: median([one[name] for one in differ]) for name in differ[0]}
        show(f"predicted against measured, {run}", ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
