"""The figures of a load run in a few lines for people, and why the two latencies differ where they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.load.curves import CurveRow, LoadTotals, peak_rate
from fleetrig.harness.load.progress_line import shown_s
from fleetrig.simulator.drivers.load.histogram import Histogram

SHARES: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
WHY: Final = (
    "why        {0} is {1} corrected and {2} as Locust counts: while an answer was outstanding its device sent nothing,"
    " so {3:,} starts never happened and others came late. Locust counts only what was sent, from then on; the"
    " corrected figure counts what should have been sent, from when it should"
)
DIFFERS: Final = 2.0
"""Corrected over uncorrected, from which on the difference is explained."""
DIFFERS_BY_S: Final = 0.01


def summary_lines(
    totals: LoadTotals, rows: Sequence[CurveRow], *, is_open: bool, lasted_s: float | None = None
) -> Iterator[str]:
    """One line for each subject. `lasted_s`: where it is known to the fraction of a second, else rows are counted."""
    seconds = max(1.0, len(rows) if lasted_s is None else lasted_s)
    yield (
        f"requests   {totals.started:,} sent, {totals.answered:,} answered, {totals.errors:,} errors; "
        f"{totals.started / seconds:,.1f}/s in the mean, {peak_rate(rows):,} in the fullest second"
    )
    yield f"latency    {percentiles(totals.took)}  from sending to the answer, as Locust counts"
    yield f"corrected  {percentiles(totals.corrected)}  from the intended start to the answer"
    late = f"late       {percentiles(totals.lateness)}  from the intended to the real start"
    if not is_open:
        yield "starts     closed model: each interval began with the answer, so none was dropped"
        return
    yield f"{late}; {totals.dropped:,} starts dropped"
    if why := why_they_differ(totals):
        yield why


def percentiles(histogram: Histogram) -> str:
    """`p50 1.2 ms  p90 …`."""
    return "  ".join(f"{name} {shown_s(histogram.percentile_s(share)):<8}" for name, share in SHARES).rstrip()


def why_they_differ(totals: LoadTotals) -> str:
    """A sentence where the corrected latency is much larger; empty where both say the same, or nothing was dropped."""
    if not totals.dropped:
        return ""
    for name, share in SHARES:
        own_s, corrected_s = totals.took.percentile_s(share), totals.corrected.percentile_s(share)
        if own_s is None or corrected_s is None:
            continue
        if corrected_s > DIFFERS * own_s and corrected_s > own_s + DIFFERS_BY_S:
            return WHY.format(name, shown_s(corrected_s), shown_s(own_s), totals.dropped)
    return ""
