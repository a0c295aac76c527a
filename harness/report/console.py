"""The terminal: progress while a run goes on, a tree of verdicts when it ends. Plain text in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn
from rich.text import Text

from fleetrig.harness.report.curve_groups import groups_of
from fleetrig.harness.report.curve_text import curve_lines
from fleetrig.harness.report.heartbeat import heartbeat
from fleetrig.harness.report.marks import MARKS, mark
from fleetrig.harness.report.open_command import open_command, open_phase_command
from fleetrig.harness.report.skip_causes import cause_lines
from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.report.text import check_lines, measured_of, open_line, summary
from fleetrig.harness.verdict import CheckResult, PhaseResult, Report, Verdict, worst_verdict

MAX_LEFT = 10


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
        self._last_skip = ""
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
        with Progress(SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=self._console,
                      transient=True) as bar:  # fmt: skip
            self._advance = partial(bar.advance, bar.add_task("scenarios", total=total))
            yield

    def how_far(self, total: int, passed_s: float) -> str:
        failed = f", {self._failed} of them not passed" if self._failed else ""
        left = f", about {spoken_s(passed_s / self._shown * (total - self._shown))} left" if self._shown else ""
        return f"{spoken_s(passed_s)}: {self._shown} of {total} done{failed}{left}"

    def _count(self, report: Report) -> None:
        self._advance()
        self._shown += 1
        self._failed += report.verdict in (Verdict.FAILED, Verdict.BROKEN)

    def show(self, report: Report) -> None:
        self._count(report)
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
        if self._verbose or report.verdict is not Verdict.PASSED:
            self._phases(report)
        if report.verdict in (Verdict.FAILED, Verdict.BROKEN):
            if report.trace_file:
                self._indented(1, Text(f"trace      {report.trace_file}"))
            if command := open_phase_command(report):
                self._copied(1, f"open       {command}")
            self._copied(1, f"run again  {report.rerun}")

    def _skip(self, report: Report) -> None:
        """Says why once for those in a row that share the reason."""
        is_told = report.reason == self._last_skip
        same = Text("  for the same reason" if is_told else "", "dim")
        self._line(mark(self._console, report.verdict), Text(report.name, "bold"), same)
        if not is_told:
            self._indented(1, Text(report.reason, "dim"))
        self._last_skip = report.reason
        self._told(report)

    def _told(self, report: Report) -> None:
        """Also of a run in which nothing was judged: its figures are what it was for."""
        if report.engine and (report.told or self._verbose or ":" in report.engine):
            self._indented(1, Text(f"engine     {report.engine}", "dim"))
        for subject, sentence in report.told:
            self._indented(1, Text(f"{subject:<11}{sentence}"))

    def show_cause(self, reason: str) -> None:
        """Shows why nothing could be run."""
        self._line(mark(self._console, Verdict.BROKEN), Text(reason, "magenta"))

    def show_row(self, report: Report) -> None:
        """A row of a contract: one line when it agrees and that is asked for, all that is known when it does not."""
        self._count(report)
        if report.verdict is Verdict.PASSED and not self._verbose:
            return
        number = report.name.partition("[")[2].rstrip("]")
        path = report.name.partition("[")[0].partition("/")[2].partition("/")[2]
        self._line(mark(self._console, report.verdict), Text(f"{number:<5}{path}", "bold"), Text(f"  {report.title}"))
        if report.reason:
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
        """The curves that checks draw, one line for everything, why much was skipped, then where files were written."""
        for group in groups_of(reports):
            self._console.print()
            for line in curve_lines(group):
                self._console.print(line, markup=False)
            self._console.print()
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
        for check in phase.checks if self._verbose or phase.verdict is not Verdict.PASSED else ():
            self._check(check, trace_file)

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
