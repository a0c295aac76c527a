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


def cause_lines(reports: Sequence[Report]) -> Iterator[str]:
    """The commonest cause first. One run can have several."""
    skipped = [report for report in reports if report.verdict is Verdict.SKIPPED]
    broken = [report for report in reports if report.verdict is Verdict.BROKEN and report.lacks]
    if len(skipped) + len(broken) < FROM:
        return
    causes = Counter(cause for report in (*skipped, *broken) for cause in causes_of(report))
    width = len(str(max(causes.values())))
    what_became = [f"{len(skipped)} were skipped"] * bool(skipped) + [f"{len(broken)} could not be judged"] * bool(
        broken
    )
    yield f"why {' and '.join(what_became)}, and what to do:"
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
