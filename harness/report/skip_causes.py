"""Why much of a run was skipped or could not be judged, by cause, with what to do: the last thing that a person reads.

Broken runs are told only where the server lacks something; what else broke them is told with each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.verdict import Report, Verdict

FROM: Final = 3
"""So many skips are worth a summary; of fewer the reasons were just said."""
MOST_CAUSES: Final = 12
EXPLAINED: Final = "`fleetrig explain WORD` says what a word means"


def cause_lines(reports: Sequence[Report]) -> Iterator[str]:
    """The commonest cause first. One run can have several."""
    skipped = [report for report in reports if report.verdict is Verdict.SKIPPED]
    broken = [report for report in reports if report.verdict is Verdict.BROKEN and report.lacks]
    if len(skipped) + len(broken) < FROM:
        return
    causes = Counter(cause for report in (*skipped, *broken) for cause in causes_of(report))
    width = len(str(max(causes.values())))
    counts = {"were skipped": len(skipped), "could not be judged": len(broken)}
    yield f"why {' and '.join(f'{count} {what}' for what, count in counts.items() if count)}, and what to do:"
    for (what, remedy), number in causes.most_common(MOST_CAUSES):
        if what:
            yield f"  {number:>{width}} need {what}"
            yield f"  {'':>{width}} {remedy}"
        else:
            yield f"  {number:>{width}} {remedy}"
    if len(causes) > MOST_CAUSES:
        yield f"  … and {len(causes) - MOST_CAUSES} more causes"
    if any("." in what for what, _ in causes):
        yield EXPLAINED


def causes_of(report: Report) -> list[tuple[str, str]]:
    """What it lacks, and what to do; else its reason."""
    return [(lack.what, lack.remedy) for lack in report.lacks] or [("", report.reason)]
