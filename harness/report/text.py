"""A report in words: what every writer prints about a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.verdict import INTERRUPTED, CheckResult, Report, Verdict


def finding_lines(report: Report) -> Iterator[str]:
    """Everything that failed, and how to reproduce it."""
    if report.verdict in (Verdict.PASSED, Verdict.SKIPPED):
        return
    if report.reason:
        yield report.reason
    yield from _failed_checks(report)
    for label, text in about_lines(report):
        yield f"{label}: {text}"
    for role, board in report.boards:
        yield f"board: {role} is {board}"
    if report.trace_file:
        yield f"trace: {report.trace_file}"
    if command := open_phase_command(report):
        yield f"open: {command}"
    if report.rerun:
        yield f"run again: {report.rerun}"


def _failed_checks(report: Report) -> Iterator[str]:
    for phase in report.phases:
        for check in phase.checks:
            if check.finding is not None:
                yield f"phase «{phase.name}», {f'line {check.line}: ' if check.line else ''}{check.title}"
                yield from check_lines(check)
                if command := open_command(check, report.trace_file):
                    yield open_line(command)


def about_lines(report: Report) -> Iterator[tuple[str, str]]:
    """Label and text of what a run is about: the rule that was broken, the scenario's place, what programs printed."""
    if report.cites and report.verdict is Verdict.FAILED:
        yield "rule", ", ".join(map(contract_place, report.cites))
    if report.file:
        line = failed_line(report) or report.line
        yield "scenario", f"{report.file}:{line}" if line else report.file
    if report.output:
        path, last = report.output[0]
        more = f" and {len(report.output) - 1} more" if len(report.output) > 1 else ""
        yield "output", f"{path}{more}{f', at last: {last}' if last else ''}"


def contract_place(cite: str) -> str:
    """`docs/contracts/NAME.md#S41` for `NAME#S41`."""
    name, _, row = cite.partition("#")
    return f"docs/contracts/{name}.md#{row}"


def failed_line(report: Report) -> int:
    """The line of the first check that failed; 0 when none did."""
    checks = (check for phase in report.phases for check in phase.checks if check.verdict is Verdict.FAILED)
    return next((check.line for check in checks if check.line), 0)


def check_lines(check: CheckResult) -> Iterator[str]:
    """Expected, got and where to look, indented under the check's title."""
    finding = check.finding
    if finding is None:
        return
    yield from _labelled("expected", finding.expected)
    yield from _labelled("got", finding.got)
    for evidence in finding.evidence:
        yield from _labelled("see", f"{evidence.lane} #{evidence.seq}: {evidence.line}")
    if finding.clause:
        yield from _labelled("clause", finding.clause)
    if finding.known:
        yield from _labelled("known", finding.known)


def open_line(command: str) -> str:
    """Below what is to be seen: how to see it."""
    return f"    {'open':<8}  {command}"


def measured_lines(report: Report) -> Iterator[str]:
    """What every passed check measured, phase by phase."""
    for phase in report.phases:
        for check in phase.checks:
            if check.measured:
                yield f"phase «{phase.name}», {f'line {check.line}: ' if check.line else ''}{check.title}"
                yield from measured_of(check)


def measured_of(check: CheckResult) -> Iterator[str]:
    """What a passed check measured, indented under its title."""
    if check.measured:
        yield from _labelled("measured", check.measured)


def _labelled(label: str, text: str) -> Iterator[str]:
    """Further lines of a text stand under its first."""
    for line in text.splitlines() or [""]:
        yield f"    {label:<8}  {line}"
        label = ""


def summary(reports: Sequence[Report]) -> str:
    """`12 passed, 1 failed, 2 skipped`, zeros left out."""
    counts = Counter(INTERRUPTED if report.was_interrupted else report.verdict for report in reports)
    order = (*Verdict, INTERRUPTED)
    return ", ".join(_counted(what, counts[what]) for what in order if counts[what]) or "nothing was run"


def _counted(what: str, count: int) -> str:
    return f"{count} {what}{'s' if what == Verdict.KNOWN and count > 1 else ''}"
