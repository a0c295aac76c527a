"""What is left to do after many runs, at their end: one row for each that did not pass, with the sentence why.

What several have in common stands once: a warning with the runs that have it. Those that passed are a number in the
summary below, and why some were skipped stands under it (`skip_causes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.verdict import CheckResult, Report, Verdict

ORDER: Final = (Verdict.FAILED, Verdict.BROKEN, Verdict.WARNED, Verdict.KNOWN)
"""What somebody has to look into comes first; what was skipped is told by its causes."""
FEW: Final = 3
"""So many are still on the screen, with all that was said of them."""
FOLDED: Final = frozenset({Verdict.BROKEN, Verdict.WARNED, Verdict.KNOWN})
"""Of these the same stands once. Failures are told apart by scenario: each is somebody's bug."""
MOST_NAMED: Final = 3
MOST_CHARS: Final = 300
"""Of a sentence; the whole of it stands where the run ended."""
NUMBER: Final = re.compile(r"\d[\d.,]*")


def name_of_run(report: Report) -> str:
    return report.name


def name_of_row(report: Report) -> str:
    """`S02  targets/generated-token`, of a row of a contract."""
    path, _, number = report.name.rstrip("]").partition("[")
    return f"{number:<5}{path.partition('/')[2].partition('/')[2]}"


@dataclass(slots=True)
class ClosingRow:
    """A run that did not pass, or several that did not for the same reason."""

    verdict: Verdict
    title: str
    """What was to hold, and the rows of contracts that say so."""
    why: tuple[str, ...]
    """A sentence for each check that did not hold, or the one reason."""
    open: str = ""
    """The command that shows it."""
    names: list[str] = field(default_factory=list)

    @property
    def others(self) -> str:
        """`the same in 12 others: [a=2], x/b, x/c …`; empty for a run alone."""
        scenario = self.names[0].partition("[")[0]
        others = [name.removeprefix(scenario) if name.startswith(f"{scenario}[") else name for name in self.names[1:]]
        if not others:
            return ""
        more = " …" if len(others) > MOST_NAMED else ""
        count = f"{len(others)} others" if len(others) > 1 else "1 other"
        return f"the same in {count}: {', '.join(others[:MOST_NAMED])}{more}"


def closing_rows(reports: Sequence[Report], name_of: Callable[[Report], str] = name_of_run) -> Iterator[ClosingRow]:
    """Of one verdict in the order in which they ended."""
    for verdict in ORDER:
        rows: dict[object, ClosingRow] = {}
        for report in (one for one in reports if one.verdict is verdict and not one.was_interrupted):
            scenario = "" if verdict in FOLDED else report.name.partition("[")[0]
            key = (scenario, alike(report))
            row = rows.setdefault(key, ClosingRow(verdict, title_of(report), whys(report), command_of(report)))
            if (name := name_of(report)) not in row.names:
                row.names.append(name)
        yield from rows.values()


def title_of(report: Report) -> str:
    """Empty where nothing was judged."""
    if report.verdict is Verdict.BROKEN:
        return ""
    return f"{report.title} ({', '.join(report.cites)})" if report.cites else report.title


def command_of(report: Report) -> str:
    """Shows the first check that did not hold, else the phase or the run."""
    checks = (check for phase in report.phases for check in phase.checks if _counts(check, report.verdict))
    commands = (open_command(check, report.trace_file) for check in checks)
    return next(filter(None, commands), "") or open_phase_command(report)


def whys(report: Report) -> tuple[str, ...]:
    """The reason of a report, else what was got in place of what its checks expect."""
    found = tuple(why_of(check) for phase in report.phases for check in phase.checks if _counts(check, report.verdict))
    return found or ((_one_line(report.reason),) if report.reason else ())


def why_of(check: CheckResult) -> str:
    """`no device sends download; got: it happened once`; what is expected in many lines is told by its title."""
    finding = check.finding
    if finding is None:
        return check.title
    if finding.known:
        return f"{check.title}: {_one_line(finding.known)}"
    expected = check.title if "\n" in finding.expected else finding.expected
    return _one_line(f"{expected}; got: {finding.got}")


def _counts(check: CheckResult, verdict: Verdict) -> bool:
    """A run that failed is told by its failures; its warnings stand with its details."""
    return check.finding is not None and check.verdict is verdict


def alike(report: Report) -> tuple[str, ...]:
    """Equal for runs that have the same to say, but for their numbers."""
    titles = [check.title for phase in report.phases for check in phase.checks if _counts(check, report.verdict)]
    return tuple(NUMBER.sub("0", text) for text in titles or [report.reason])


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARS else f"{line[: MOST_CHARS - 1]}…"
