"""What a report says of a run, as data: its verdict tree, what failed first, and the commands that help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.report.text import about_lines, contract_place
from fleetrig.harness.report_page.event_columns import Point
from fleetrig.harness.verdict import CheckResult, PhaseResult, Report, Verdict

Document = dict[str, Any]


def section_of(report: Report) -> Document:
    """Everything but the events."""
    return {
        "run": report.name,
        "title": report.title,
        "verdict": str(report.verdict),
        "reason": report.reason,
        "seed": report.seed,
        "time": report.time,
        "target": report.target,
        "profile": report.profile,
        "engine": report.engine,
        "devices": report.devices,
        "took_s": round(report.took_s, 3),
        "simulated_s": round(report.simulated_s, 3),
        "phases": [_phase(phase, report) for phase in report.phases],
        "about": [[label, text] for label, text in about_lines(report)],
        "told": [list(pair) for pair in report.told],
        "commands": [list(pair) for pair in _commands(report)],
        "trace": report.trace_file,
    }


def evidence_of(report: Report) -> set[Point]:
    """The events that findings name."""
    findings = (check.finding for phase in report.phases for check in phase.checks)
    return {(one.lane, one.seq) for finding in findings if finding is not None for one in finding.evidence}


def _phase(phase: PhaseResult, report: Report) -> Document:
    return {
        "name": phase.name,
        "verdict": str(phase.verdict),
        "broken": phase.broken,
        "took_s": round(phase.took_s, 3),
        "checks": [_check(check, report) for check in phase.checks],
    }


def _check(check: CheckResult, report: Report) -> Document:
    document: Document = {
        "title": check.title,
        "verdict": str(check.verdict),
        "line": check.line,
        "measured": check.measured,
    }
    finding = check.finding
    if finding is not None:
        document |= {
            "expected": finding.expected,
            "got": finding.got,
            "clause": [contract_place(one) if "#" in one else one for one in finding.clause.split(", ") if one],
            "known": finding.known,
            "evidence": [[one.lane, one.seq, one.line] for one in finding.evidence],
            "open": open_command(check, report.trace_file),
        }
    return document


def _commands(report: Report) -> Iterator[tuple[str, str]]:
    if command := open_phase_command(report):
        yield "open", command
    if report.rerun:
        yield "run again", report.rerun


class RunCause(NamedTuple):
    """Why a run did not pass: a sentence that other runs share, and what came in this one."""

    sentence: str
    got: str = ""


def cause_of(report: Report) -> RunCause | None:
    """None for one that passed."""
    if report.verdict in (Verdict.PASSED, Verdict.SKIPPED):
        return None
    for phase in report.phases:
        for check in phase.checks:
            if check.finding is not None and check.verdict is report.verdict:
                finding = check.finding
                expected, _, _ = finding.expected.partition("\n")
                return RunCause(f"{check.title}: expected {expected}", finding.got)
    broken = (phase.broken for phase in report.phases if phase.broken)
    return RunCause(report.reason or next(broken, str(report.verdict)))
