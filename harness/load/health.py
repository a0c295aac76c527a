"""Whether the generator was up to it: a run in which it was the limit says nothing about the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.simulator.drivers.load.histogram import Histogram

MOST_CPU: Final = 0.8
"""Of one core: a process of the generator uses one."""
MOST_LATENESS_S: Final = 0.05
WINDOW_S: Final = 10
"""A busy second is no limit; ten are."""
ADVICE: Final = (
    "spread the devices over more processes (--workers N) or machines (--master, --worker HOST), or use fewer"
)


@dataclass(frozen=True, slots=True)
class GeneratorUse:
    """What the generator did, as far as it judges itself."""

    cpu_shares: Sequence[tuple[str, Sequence[float]]]
    """For each process of the generator: its name, and second by second its share of a core."""
    waking: Histogram
    """How much too late devices went on after their pauses."""


def why_generator_was_limit(use: GeneratorUse) -> str:
    """A sentence for the report; empty when the generator was not the limit."""
    reasons = limits_of(use)
    if not reasons:
        return ""
    return f"the generator was the limit: {' and '.join(reasons)}; these figures say nothing about the server: {ADVICE}"


def limits_of(use: GeneratorUse) -> list[str]:
    """What the generator could not do, each a part of a sentence."""
    reasons = []
    name, most_cpu = busiest(use.cpu_shares)
    if most_cpu > MOST_CPU:
        seconds = min(WINDOW_S, max(len(shares) for _, shares in use.cpu_shares))
        reasons.append(f"{name} used {most_cpu:.0%} of a core for {seconds} s (at most {MOST_CPU:.0%})")
    late_s = use.waking.percentile_s(0.99)
    if late_s is not None and late_s > MOST_LATENESS_S:
        reasons.append(
            f"one start in a hundred came {late_s * 1e3:,.0f} ms late though nothing but this machine held it up "
            f"(at most {MOST_LATENESS_S * 1e3:.0f} ms)"
        )
    return reasons


def busiest(cpu_shares: Sequence[tuple[str, Sequence[float]]]) -> tuple[str, float]:
    """The process with the busiest window, and its mean share in that; shorter runs are one window."""
    found = [(busiest_window(shares), name) for name, shares in cpu_shares]
    share, name = max(found, default=(0.0, ""))
    return name, share


def busiest_window(shares: Sequence[float]) -> float:
    """The largest mean over `WINDOW_S` seconds."""
    if not shares:
        return 0.0
    width = min(WINDOW_S, len(shares))
    return max(sum(shares[at : at + width]) / width for at in range(len(shares) - width + 1))
