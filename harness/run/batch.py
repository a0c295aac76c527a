"""Many runs, in order or in parallel: each is shown as it ends, and a JUnit file is always written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from fleetrig.harness.exports.exported_trace import ExportedTrace
from fleetrig.harness.exports.writing import Export, write_exports
from fleetrig.harness.platform import platform_of
from fleetrig.harness.report.console import ConsoleReport
from fleetrig.harness.report.exits import ExitRules, remark_on_skips
from fleetrig.harness.report.junit import by_rules, write_junit
from fleetrig.harness.report_page.page import write_report_page
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.scenario_file.selection import Expanded
from fleetrig.harness.servers.no_answer import looked_closer
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.errors import BrokenBench
from fleetrig.simulator.contract.trace import Trace
from fleetrig.simulator.drivers.realtime import RealBench

Pair = tuple[Expanded, RunOptions]
STOPS: Final = frozenset({Verdict.FAILED, Verdict.BROKEN})


@dataclass(frozen=True, slots=True)
class BatchOutput:
    """Where the reports of a run go."""

    writer: ConsoleReport
    junit: Path | None = None
    trace: Path | None = None
    results: Path = Path("fleetrig-results")
    fail_fast: bool = False
    rules: ExitRules = field(default_factory=ExitRules)
    html: Path | None = None
    """The page that shows them: verdicts, events, curves."""
    exports: Sequence[Export] = ()
    """Files in the formats of other tools."""

    def written(self) -> dict[str, Path]:
        """The files that exist now, by kind."""
        exported = {export.name: export.path for export in self.exports}
        places = {"junit": self.junit, "html": self.html, **exported, "trace": self.trace, "results": self.results}
        return {what: path for what, path in places.items() if path is not None and path.exists()}


async def run_and_show(pairs: Sequence[Pair], output: BatchOutput, width: int) -> list[Report]:
    """Shows each report as its run ends; writes summary and JUnit file even if the batch is interrupted."""
    began_s = time.monotonic()
    reports: list[Report] = []
    broken_off: list[Report] = []
    why_not = "stopped after the first failure"
    told = [(expanded, replace(options, broken_off=broken_off.append)) for expanded, options in pairs]
    try:
        await _show(told, output, width, reports)
    except BaseException:
        why_not = "the run was broken off"
        reports += broken_off
        for report in broken_off:
            output.writer.show_interrupted(report)
        raise
    finally:
        seen = {(report.name, report.seed) for report in reports}
        left = [pair for pair in pairs if (pair[0].name, pair[1].seed) not in seen]
        not_run = reports_of(left, Verdict.SKIPPED, f"not run: {why_not}")
        remark = remark_on_skips([report.verdict for report in reports], output.rules)
        try:
            if output.junit is not None:
                order = {expanded.name: position for position, (expanded, _) in enumerate(pairs)}
                shown = [*by_rules(reports, output.rules), *not_run]
                write_junit(sorted(shown, key=lambda report: order[report.name]), output.junit)
            if output.html is not None:
                write_report_page(reports, output.html)
            write_exports(output.exports, [ExportedTrace(Path(one.trace_file), one) for one in reports])
        finally:
            took_s = time.monotonic() - began_s
            output.writer.finish(reports, output.written(), took_s=took_s, not_run=len(not_run), remark=remark)
    return reports


async def _show(pairs: Sequence[Pair], output: BatchOutput, width: int, reports: list[Report]) -> None:
    """Adds reports as runs end. If the server is unreachable, all runs are BROKEN and the cause is shown once."""
    if cause := await why_unreachable(pairs):
        reports += reports_of(pairs, Verdict.BROKEN, cause)
        output.writer.show_cause(cause)
        return
    with output.writer.progress(len(pairs)):
        async with aclosing(run_all(pairs, width, output.writer.began)) as ending:
            async for report in ending:
                reports.append(report)
                output.writer.show(report)
                if output.fail_fast and report.verdict in STOPS:
                    return


async def why_unreachable(pairs: Sequence[Pair]) -> str:
    """Returns why the server of all runs cannot be used, asked as one of the first platform; empty if it can."""
    for expanded, options in pairs:
        against, platform = options.against, expanded.scenario.platform
        if against is None or against.platform not in ("", platform):
            continue
        try:
            async with RealBench(Trace(), verify=options.verify) as bench:
                await bench.run(platform_of(platform).admin(against).greet())
        except BrokenBench as cause:
            return looked_closer(cause)
        return ""
    return ""


async def run_all(pairs: Sequence[Pair], width: int, began: Callable[[str], None]) -> AsyncGenerator[Report, None]:
    """Yields reports in order of completion; at most `width` runs in parallel. Leaving early cancels running ones."""
    gate = asyncio.Semaphore(width)

    async def one(pair: Pair) -> Report:
        async with gate:
            began(pair[0].name)
            return await run(*pair)

    tasks = [asyncio.create_task(one(pair)) for pair in pairs]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def reports_of(pairs: Sequence[Pair], verdict: Verdict, reason: str) -> list[Report]:
    """Reports of runs that were not started, so that a JUnit file always lists the same testcases."""
    return [
        Report(
            expanded.name, expanded.scenario.title, verdict, reason, time=options.time, seed=options.seed,
            file=expanded.scenario.file, line=expanded.scenario.line,
        )
        for expanded, options in pairs
    ]  # fmt: skip
