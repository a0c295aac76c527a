"""The terminal: progress while a run goes on, a tree of verdicts when it ends. Plain text in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from fleetrig.harness.report.closing_table import FEW, ClosingRow, alike, closing_rows, name_of_row, name_of_run
from fleetrig.harness.report.curve_groups import groups_of
from fleetrig.harness.report.curve_text import curve_lines
from fleetrig.harness.report.heartbeat import heartbeat
from fleetrig.harness.report.marks import MARKS, mark
from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.report.skip_causes import cause_lines
from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.report.text import about_lines, check_lines, measured_of, open_line, summary
from fleetrig.harness.verdict import CheckResult, PhaseResult, Report, Verdict, worst_verdict

MAX_LEFT = 10
MARGIN = "       "
"""Under the longest mark."""


def make_console(*, stderr: bool = False) -> Console:
    """Colours only on a terminal, and not with NO_COLOR; long lines stay whole in a pipe."""
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=10_000)


class ConsoleReport:
    """Prints each report as it comes in, and the summary at the end."""

    def __init__(self, console: Console, *, verbose: bool = False, single: bool = False) -> None:
        """`single`: there is one run, whose title has room even when it passed."""
        self._console = console
        self._verbose = verbose
        self._single = single
        self._advance: Callable[[], object] = lambda: None
        self._describe: Callable[[str], object] = lambda _: None
        self._under_way: dict[str, None] = {}
        self._has_rows = False
        """They are rows of a contract, not runs of scenarios."""
        self._has_one_cause = False
        """Nothing was run, and it is said why."""
        self._last_skip = ""
        self._first_with: dict[tuple[str, ...], str] = {}
        """What runs say that were skipped or warned of, without its numbers -> the first that said it."""
        self._shown = self._failed = 0

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        """A line that says how far the runs are; where nothing can be drawn, now and then one on stderr."""
        if total < 2:
            yield
            return
        if not self._console.is_terminal:
            with heartbeat(partial(self.how_far, total)):
                yield
            return
        waits = TextColumn("{task.description}", style="dim", table_column=Column(no_wrap=True, overflow="ellipsis"))
        with Progress(SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn(), waits, console=self._console,
                      transient=True) as bar:  # fmt: skip
            task = bar.add_task("", total=total)
            self._advance = partial(bar.advance, task)
            self._describe = lambda text: bar.update(task, description=text)
            yield

    def began(self, name: str) -> None:
        """A run is under way: the one that takes longest is named beside the progress."""
        self._under_way[name] = None
        self._describe_progress()

    def _ended(self, report: Report) -> None:
        self._under_way.pop(report.name, None)
        self._count(report)
        self._describe_progress()

    def _describe_progress(self) -> None:
        others = len(self._under_way) - 1
        more = f" and {others} more" if others > 0 else ""
        self._describe(f"{next(iter(self._under_way), '')}{more}")

    def how_far(self, total: int, passed_s: float) -> str:
        failed = f", {self._failed} of them not passed" if self._failed else ""
        left = f", about {spoken_s(passed_s / self._shown * (total - self._shown))} left" if self._shown else ""
        return f"{spoken_s(passed_s)}: {self._shown} of {total} done{failed}{left}"

    def _count(self, report: Report) -> None:
        self._advance()
        self._shown += 1
        self._failed += report.verdict in (Verdict.FAILED, Verdict.BROKEN)

    def show(self, report: Report) -> None:
        self._ended(report)
        if report.verdict is Verdict.SKIPPED:
            self._skip(report)
            return
        self._line(
            mark(self._console, report.verdict), Text(report.name, "bold"), Text(f"  {self._took(report)}", "dim")
        )
        if self._single or self._verbose or report.verdict is not Verdict.PASSED:
            self._indented(1, Text(report.title, "italic"))
            for role, board in report.boards:
                self._indented(1, Text(f"board      {role} is {board}", "dim"))
        if report.reason:
            self._indented(1, Text(report.reason, "magenta"))
        self._told(report)
        if not self._verbose and report.verdict is Verdict.WARNED and (first := self._said_before(report)):
            self._indented(1, Text(f"the same as in {first}", "yellow"))
        elif self._verbose or report.verdict is not Verdict.PASSED:
            self._phases(report)
        if report.verdict in (Verdict.FAILED, Verdict.BROKEN):
            self._where(report)

    def _where(self, report: Report) -> None:
        """What it was about, and how to look closer."""
        for label, text in about_lines(report):
            self._indented(1, Text(f"{label:<11}{text}"))
        if report.trace_file:
            self._indented(1, Text(f"trace      {report.trace_file}"))
        if command := open_phase_command(report):
            self._copied(1, f"open       {command}")
        self._copied(1, f"run again  {report.rerun}")

    def _skip(self, report: Report) -> None:
        """Says why once for all that share the reason."""
        first, is_told = self._said_before(report), report.reason == self._last_skip
        again = "" if not first else "  for the same reason" if is_told else f"  for the same reason as {first}"
        same = Text(again, "dim")
        self._line(mark(self._console, report.verdict), Text(report.name, "bold"), same)
        if not first:
            self._indented(1, Text(report.reason, "dim"))
        self._last_skip = report.reason
        self._told(report)

    def _said_before(self, report: Report) -> str:
        """The run that had the same to say; empty for the first."""
        key = alike(report)
        if key in self._first_with:
            return self._first_with[key]
        self._first_with[key] = report.name
        return ""

    def _told(self, report: Report) -> None:
        """Also of a run in which nothing was judged: its figures are what it was for."""
        if report.engine and (report.told or self._verbose or ":" in report.engine):
            self._indented(1, Text(f"engine     {report.engine}", "dim"))
        for subject, sentence in report.told:
            self._indented(1, Text(f"{subject:<11}{sentence}"))

    def show_interrupted(self, report: Report) -> None:
        """One of several that were under way: one line, unless it had found something or left something behind."""
        has_found = any(phase.verdict in (Verdict.FAILED, Verdict.WARNED) for phase in report.phases)
        if has_found or self._single or not report.was_interrupted:
            self.show(report)
            return
        self._ended(report)
        where = f" in «{report.phases[-1].name}»" if report.phases else ""
        said = Text(f"  interrupted{where} after {report.took_s:.1f} s", "magenta")
        self._line(mark(self._console, report.verdict), Text(report.name, "bold"), said)

    def show_cause(self, reason: str) -> None:
        """Shows why nothing could be run, for all runs at once."""
        self._has_one_cause = True
        self._line(mark(self._console, Verdict.BROKEN), Text(reason, "magenta"))

    def show_row(self, report: Report) -> None:
        """A row of a contract: one line when it agrees and that is asked for, all that is known when it does not."""
        self._count(report)
        self._has_rows = True
        if report.verdict is Verdict.PASSED and not self._verbose:
            return
        self._line(mark(self._console, report.verdict), Text(name_of_row(report), "bold"), Text(f"  {report.title}"))
        if report.reason and not (report.verdict is Verdict.SKIPPED and self._said_before(report)):
            self._indented(1, Text(report.reason, "dim" if report.verdict is Verdict.SKIPPED else "magenta"))
        for phase in report.phases:
            for check in phase.checks:
                for line in check_lines(check):
                    self._line(Text(line))
        if report.verdict is Verdict.FAILED:
            self._indented(2, Text(f"again     {report.rerun}", "dim"))

    def finish(
        self,
        reports: Sequence[Report],
        written: Mapping[str, Path],
        *,
        took_s: float,
        not_run: int = 0,
        remark: str = "",
    ) -> None:
        """Curves, a row for what did not pass, one line for everything, why some were skipped, and the files."""
        for group in groups_of(reports):
            self._console.print()
            for line in curve_lines(group):
                self._console.print(line, markup=False)
            self._console.print()
        if len(reports) > FEW and not self._has_one_cause:
            self._closing_table(list(closing_rows(reports, name_of_row if self._has_rows else name_of_run)))
        overall = worst_verdict(report.verdict for report in reports)
        style = "bold green" if overall is Verdict.PASSED else MARKS[overall][1]
        more = f", {not_run} not run" if not_run else ""
        self._console.print(Text(f"{summary(reports)}{more} in {took_s:.1f} s", style))
        for line in cause_lines(reports):
            self._console.print(Text(line, "yellow"), soft_wrap=True)
        if remark:
            self._console.print(Text(remark, "yellow"))
        for what, where in written.items():
            self._console.print(Text(f"{what:<9}{where}", "dim"))

    def _closing_table(self, rows: Sequence[ClosingRow]) -> None:
        if rows:
            self._console.print()
        for row in rows:
            self._line(mark(self._console, row.verdict), Text(row.names[0], "bold"))
            if row.title:
                self._hanging(row.title, "italic")
            for why in row.why:
                self._hanging(why, "")
            if row.others:
                self._hanging(row.others, "dim")
            if row.open:
                self._console.print(Text(f"{MARGIN}open  {row.open}", "dim"), soft_wrap=True)
        if rows:
            self._console.print()

    def _hanging(self, text: str, style: str) -> None:
        """As wide as the terminal, further lines under the first."""
        for line in Text(text, style).wrap(self._console, max(20, self._console.width - len(MARGIN))):
            line.rstrip()
            self._line(Text(MARGIN), line)

    def left_behind(self, sentences: Sequence[str]) -> None:
        """What could not be cleaned up on the server and must be fixed by hand."""
        for sentence in sentences[:MAX_LEFT]:
            self._line(Text("left behind  ", "magenta"), Text(sentence))
        if len(sentences) > MAX_LEFT:
            self._line(Text(f"left behind  {len(sentences) - MAX_LEFT} more", "magenta"))

    def _phases(self, report: Report) -> None:
        for phase in report.phases:
            self._phase(phase, report.trace_file)

    def _phase(self, phase: PhaseResult, trace_file: str) -> None:
        self._indented(1, mark(self._console, phase.verdict), Text(phase.name), Text(f"  {phase.took_s:.1f} s", "dim"))
        if not self._verbose and phase.verdict is Verdict.PASSED:
            return
        for check in phase.checks:
            self._check(check, trace_file)
        if any(check.verdict is Verdict.SKIPPED for check in phase.checks):
            self._indented(2, Text("skip: not judged, since the phase ended before", "dim"))

    def _check(self, check: CheckResult, trace_file: str) -> None:
        place = f"  line {check.line}" if check.line else ""
        self._indented(2, mark(self._console, check.verdict), Text(check.title), Text(place, "dim"))
        for line in (*check_lines(check), *measured_of(check)):
            self._indented(2, Text(line, "dim" if check.measured else ""))
        if command := open_command(check, trace_file):
            self._copied(2, open_line(command))

    def _took(self, report: Report) -> str:
        return f"{report.took_s:.1f} s" + (
            f" ({_span(report.simulated_s)} simulated)" if report.time == "virtual" else ""
        )

    def _indented(self, depth: int, *parts: Text) -> None:
        self._line(Text("  " * depth), *parts)

    def _copied(self, depth: int, command: str) -> None:
        """A line to be copied: only the terminal breaks it, which takes nothing away from it."""
        self._console.print(Text("  " * depth + command), soft_wrap=True)

    def _line(self, *parts: Text) -> None:
        self._console.print(Text.assemble(*parts))


def _span(seconds: float) -> str:
    """A span of simulated time as a person says it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
