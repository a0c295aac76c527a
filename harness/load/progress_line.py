"""The line in the terminal while a load run goes on."""

from __future__ import annotations

import math

from fleetrig.harness.load.curves import CurveRow
from fleetrig.harness.scenario_file.action_words import Wait
from fleetrig.harness.scenario_file.scenario import Scenario


def longest_s(scenario: Scenario) -> float:
    """How long the phases take at most; what actions take that only ask the server is not known before."""
    total_s = 0.0
    for phase in scenario.phases:
        total_s += (phase.within_s or 0.0) + (phase.for_s or 0.0)
        total_s += sum(action.arguments.for_s for action in phase.do if isinstance(action.arguments, Wait))
    return total_s


def progress_line(row: CurveRow, phase: str, at_most_s: float, cpu_share: float) -> str:
    """`  12 s  phase  1,024/s  5,000 online  …`, of the latest second that is settled."""
    parts = [
        f"{row.at_s:>4} s",
        phase or "clean-up",
        f"{row.rate:,.0f}/s",
        f"{row.online:,} online",
        f"{row.errors:,} errors/s",
        f"p99 {shown_s(row.p99_s)}",
        f"late p99 {shown_s(row.lateness_p99_s)}",
        f"generator {cpu_share:.0%} CPU",
        f"at most {max(0, math.ceil(at_most_s - row.at_s))} s left",
    ]
    if row.dropped:
        parts.insert(5, f"{row.dropped:,} dropped/s")
    return "  ".join(filter(None, [*parts, row.remark]))


def shown_s(seconds: float | None) -> str:
    """`12 ms`, `1.5 s`, `-` for nothing."""
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
