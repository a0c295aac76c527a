"""The line in the terminal while a load run goes on."""

from __future__ import annotations

import math

from fleetrig.harness.load.curves import CurveRow
from fleetrig.harness.scenario_file.phase_spans import longest_spans_s
from fleetrig.harness.scenario_file.scenario import Scenario


class TimeLeft:
    """How long the phases take at most; what actions take that only ask the server is not known before."""

    def __init__(self, scenario: Scenario) -> None:
        self._spans_s = longest_spans_s(scenario)
        self._phase = ""
        self._until_s = sum(self._spans_s.values())

    def at(self, phase: str, at_s: float) -> float:
        """Seconds that are left, at a second of a phase. What earlier ones did not need is not counted."""
        if phase != self._phase and phase in self._spans_s:
            names = list(self._spans_s)
            self._phase, self._until_s = phase, at_s + sum(self._spans_s[one] for one in names[names.index(phase) :])
        return max(0.0, self._until_s - at_s)


def progress_line(row: CurveRow, phase: str, left_s: float, cpu_share: float) -> str:
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
        f"at most {math.ceil(left_s)} s left",
    ]
    if row.dropped:
        parts.insert(5, f"{row.dropped:,} dropped/s")
    return "  ".join(filter(None, [*parts, row.remark]))


def shown_s(seconds: float | None) -> str:
    """`12 ms`, `1.5 s`, `-` for nothing."""
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
