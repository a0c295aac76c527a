"""Why much of a run was skipped, counted by cause, with what to do about each: the last thing that a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.verdict import Report, Verdict

FROM: Final = 3
"""So many skips are worth a summary; of fewer the reasons were just said."""
MOST_CAUSES: Final = 12


def cause_lines(reports: Sequence[Report]) -> Iterator[str]:
    """The commonest cause first. One run can have several."""
    skipped = [report for report in reports if report.verdict is Verdict.SKIPPED]
    if len(skipped) < FROM:
        return
    causes = Counter(cause for report in skipped for cause in causes_of(report))
    width = len(str(max(causes.values())))
    yield f"why {len(skipped)} were skipped, and what to do:"
    for (what, remedy), number in causes.most_common(MOST_CAUSES):
        if what:
            yield f"  {number:>{width}} need {what}"
            yield f"  {'':>{width}} {remedy}"
        else:
            yield f"  {number:>{width}} {remedy}"
    if len(causes) > MOST_CAUSES:
        yield f"  … and {len(causes) - MOST_CAUSES} more causes"


def causes_of(report: Report) -> list[tuple[str, str]]:
    """What it lacks, and what to do; else its reason."""
    return [(lack.what, lack.remedy) for lack in report.lacks] or [("", report.reason)]
