"""CTRF, the Common Test Report Format (ctrf.io): one document with a test for each run.

WARNED and KNOWN count as passed, as in JUnit; BROKEN is `other` there: the bench could not judge. Clauses, evidence,
seed and measurements are in `extra`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from fleetrig.harness.exports.exported_trace import JsonObject
from fleetrig.harness.report.text import failed_line, finding_lines
from fleetrig.harness.report.version import VERSION
from fleetrig.harness.verdict import Report, Verdict

SPEC_VERSION: Final = "0.0.0"
STATUSES: Final = ("passed", "failed", "skipped", "pending", "other")
STATUS_OF: Final = {
    Verdict.PASSED: "passed",
    Verdict.KNOWN: "passed",
    Verdict.WARNED: "passed",
    Verdict.FAILED: "failed",
    Verdict.BROKEN: "other",
    Verdict.SKIPPED: "skipped",
}


def ctrf(reports: Sequence[Report]) -> Iterator[str]:
    """The whole document. Stored traces do not say when somebody ran them: it begins at 0."""
    counts = Counter(STATUS_OF[report.verdict] for report in reports)
    took_ms = sum(_ms(report.took_s) for report in reports)
    summary = {"tests": len(reports), **{status: counts[status] for status in STATUSES}, "start": 0, "stop": took_ms}
    results = {
        "tool": {"name": "fleetrig", "version": VERSION},
        "summary": summary,
        "tests": [_test(report) for report in reports],
    }
    document = {"reportFormat": "CTRF", "specVersion": SPEC_VERSION, "generatedBy": "fleetrig", "results": results}
    yield json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _test(report: Report) -> JsonObject:
    text = "\n".join(finding_lines(report))
    given = {
        "message": report.reason or next(iter(text.splitlines()), ""),
        "trace": text,
        "filePath": report.file,
        "line": failed_line(report) or report.line,
    }
    return {
        "name": report.name,
        "status": STATUS_OF[report.verdict],
        "duration": _ms(report.took_s),
        "rawStatus": str(report.verdict),
        **{key: value for key, value in given.items() if value},
        "extra": {"title": report.title, "seed": report.seed, "time": report.time, "rerun": report.rerun,
                  "findings": list(_findings(report)), "measured": list(_measured(report))},
    }  # fmt: skip


def _findings(report: Report) -> Iterator[JsonObject]:
    for phase in report.phases:
        for check in phase.checks:
            if (found := check.finding) is not None:
                yield {"phase": phase.name, "check": check.title, "verdict": str(check.verdict),
                       "expected": found.expected, "got": found.got, "clause": found.clause,
                       "evidence": [f"{one.lane}:{one.seq}" for one in found.evidence]}  # fmt: skip


def _measured(report: Report) -> Iterator[Mapping[str, str]]:
    for phase in report.phases:
        for check in phase.checks:
            if check.measured:
                yield {"phase": phase.name, "check": check.title, "measured": check.measured}


def _ms(took_s: float) -> int:
    return round(took_s * 1000)
