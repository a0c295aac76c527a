"""Many runs: in order or side by side, each shown as it ends, and one JUnit file whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.plan import Expanded
from harness.report.console import ConsoleReport
from harness.report.junit import write_junit
from harness.run import Attempt, RunOptions, run
from harness.verdict import Report, Verdict
from simulator.contract.errors import BrokenBench
from simulator.contract.trace import Trace
from simulator.drivers.realtime import RealBench

Pair = tuple[Expanded, RunOptions]
STOPS: Final = frozenset({Verdict.FAILED, Verdict.BROKEN})


@dataclass(frozen=True, slots=True)
class Output:
    """Where the reports of a run go."""

    writer: ConsoleReport
    junit: Path | None = None
    trace: Path | None = None
    results: Path = Path("fleetrig-results")
    fail_fast: bool = False

    def written(self) -> dict[str, Path]:
        """The files that are there now, by what they are."""
        places = {"junit": self.junit, "trace": self.trace, "results": self.results}
        return {what: path for what, path in places.items() if path is not None and path.exists()}


async def run_and_show(pairs: Sequence[Pair], output: Output, width: int) -> list[Report]:
    """Shows each report as it comes; summary and JUnit file come even when the run breaks off."""
    began_s = time.monotonic()
    broken_off: list[Report] = []
    reports: list[Report] = []
    why_not = "stopped after the first failure"
    told = [(expanded, replace(options, broken_off=broken_off.append)) for expanded, options in pairs]
    try:
        with output.writer.progress(len(pairs)):
            async with aclosing(run_all(await reachable(told, reports), width)) as ending:
                async for report in ending:
                    reports.append(report)
                    output.writer.show(report)
                    if output.fail_fast and report.verdict in STOPS:
                        break
    except BaseException:
        why_not = "the run was broken off"
        raise
    finally:
        for report in broken_off:
            output.writer.show(report)
        reports += broken_off
        not_run = not_run_of(pairs, reports, why_not)
        if output.junit is not None:
            order = {expanded.name: position for position, (expanded, _) in enumerate(pairs)}
            write_junit(sorted([*reports, *not_run], key=lambda report: order[report.name]), output.junit)
        output.writer.finish(reports, output.written(), took_s=time.monotonic() - began_s, not_run=len(not_run))
    return reports


async def reachable(pairs: Sequence[Pair], reports: list[Report]) -> Sequence[Pair]:
    """The runs, or none when the server they are to meet cannot be used: then all of them are broken by one cause."""
    options = pairs[0][1]
    if options.against is None:
        return pairs
    try:
        async with RealBench(Trace(), verify=options.verify) as bench:
            await bench.conduct(options.against.admin.greet())
    except BrokenBench as cause:
        reports += [Attempt(*pair).report(Verdict.BROKEN, str(cause)) for pair in pairs]
        return ()
    return pairs


async def run_all(pairs: Sequence[Pair], width: int) -> AsyncIterator[Report]:
    """Reports in order of completion; at most `width` at a time. Leaving early cancels what still runs."""
    gate = asyncio.Semaphore(width)

    async def one(pair: Pair) -> Report:
        async with gate:
            return await run(*pair)

    tasks = [asyncio.create_task(one(pair)) for pair in pairs]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def not_run_of(pairs: Sequence[Pair], reports: Sequence[Report], why: str) -> list[Report]:
    """A skipped report for each run that has none, so that a JUnit file always lists the same testcases."""
    seen = {(report.name, report.seed) for report in reports}
    return [
        Report(expanded.name, expanded.scenario.title, Verdict.SKIPPED, f"not run: {why}", seed=options.seed)
        for expanded, options in pairs
        if (expanded.name, options.seed) not in seen
    ]
