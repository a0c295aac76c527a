"""A summary in Markdown for the page that a CI shows of a step (GitHub, GitLab, Gitea).

What was said over the wire may hold anything: text is escaped, commands stand in code blocks that nothing can end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.report.text import about_lines, summary
from fleetrig.harness.verdict import CheckResult, Report, Verdict

SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|~<>&@$-])")
ENTITIES: Final = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "&#64;"}
QUIET: Final = frozenset({Verdict.PASSED, Verdict.SKIPPED})
MOST_SHOWN: Final = 50
"""Of runs that did not pass: CIs cut long pages (GitHub at 1 MiB)."""
LONGEST_TEXT: Final = 1_000


def markdown(reports: Sequence[Report]) -> Iterator[str]:
    """Totals, a table of all that did not pass, then each of these: the finding, the rule and what to do next."""
    yield f"## fleetrig: {escaped(summary(reports))}\n\n"
    loud = [report for report in reports if report.verdict not in QUIET]
    if loud:
        yield "| Verdict | Run | Why |\n| --- | --- | --- |\n"
    for report in loud[:MOST_SHOWN]:
        yield f"| {str(report.verdict).upper()} | {escaped(report.name)} | {escaped(_why(report))} |\n"
    for report in loud[:MOST_SHOWN]:
        yield from _section(report)
    if len(loud) > MOST_SHOWN:
        yield f"\nand {len(loud) - MOST_SHOWN:,} more that did not pass.\n"


def _why(report: Report) -> str:
    first = next((check for check in _found(report)), None)
    return report.reason or (first.title if first is not None else "")


def _found(report: Report) -> Iterator[CheckResult]:
    for phase in report.phases:
        yield from (check for check in phase.checks if check.finding is not None)


def _section(report: Report) -> Iterator[str]:
    yield f"\n### {str(report.verdict).upper()}: {escaped(report.name)}\n\n{escaped(report.title)}\n\n"
    commands = [open_phase_command(report)]
    for check in _found(report):
        yield from _finding(check)
        commands.append(open_command(check, report.trace_file))
    for label, text in about_lines(report):
        yield f"- {label}: {escaped(text)}\n"
    told = [command for command in (*dict.fromkeys(commands), report.rerun) if command]
    if told:
        yield "\n" + _code(told)


def _finding(check: CheckResult) -> Iterator[str]:
    found = check.finding
    if found is None:
        return
    yield f"- **{escaped(check.title)}**\n"
    rows = {"expected": found.expected, "got": found.got, "clause": found.clause, "known": found.known}
    yield from (f"  - {label}: {escaped(text)}\n" for label, text in rows.items() if text)


def _code(lines: Sequence[str]) -> str:
    """The fence is longer than any that stands in the text."""
    text = "\n".join(" ".join(line.split("\n")) for line in lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}sh\n{text}\n{fence}\n"


def escaped(text: str) -> str:
    """One line of text that stands for itself."""
    one_line = " ".join(text.split())
    shown = one_line if len(one_line) <= LONGEST_TEXT else one_line[:LONGEST_TEXT] + " …"
    return SPECIAL.sub(lambda found: ENTITIES.get(found[0], "\\" + found[0]), shown)
