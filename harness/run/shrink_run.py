"""Shrinks one run: each try is a run in virtual time, and what fails otherwise than the whole does not count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fleetrig.harness.checks.fold import is_over_nothing
from fleetrig.harness.fleets.engine_choice import EngineName, engine_for
from fleetrig.harness.run.run import run
from fleetrig.harness.run.run_options import RunOptions
from fleetrig.harness.run.shrinking import Shrinking, ShrunkCase
from fleetrig.harness.scenario_file.problems import FileMistakes
from fleetrig.harness.scenario_file.reducible import Reducible, reducibles_of, with_sizes
from fleetrig.harness.scenario_file.selection import Expanded, expand
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.harness.verdict import Report, Verdict
from fleetrig.simulator.contract.errors import UsageError

FailedCheck = tuple[str, int, str, bool]
"""Phase, line, the title of a check that stands on none, and whether it failed only because nothing happened."""


def failed_checks(report: Report) -> frozenset[FailedCheck]:
    """A smaller case has to fail at one of these: one that is too small to get so far fails for its own reason."""
    return frozenset(
        (phase.name, check.line, "" if check.line else check.title, is_over_nothing(check.finding))
        for phase in report.phases
        for check in phase.checks
        if check.verdict is Verdict.FAILED
    )


@dataclass(slots=True)
class ShrinkRun:
    """The tries of one run. `told` hears of each that begins, and whether it still fails once that is known."""

    file: ScenarioFile
    """With the values of `--set` in its params."""
    chosen: Expanded
    options: RunOptions
    told: Callable[[ShrunkCase, bool | None], object]
    parts: tuple[Reducible, ...] = ()
    whole: Report | None = None
    smallest: Report | None = None
    is_flaky: bool = False
    """It failed, and did not fail again."""
    progress: Shrinking | None = None
    """None until the whole has failed twice."""

    async def work(self, tries: int) -> None:
        self.options = replace(self.options, engine=self.engine())
        self.parts = reducibles_of(self.file, self.chosen.values)
        case = self.whole_case
        self.whole = await run(self.chosen, self.options)
        if self.whole.verdict is not Verdict.FAILED:
            return
        self.is_flaky = not await self.fails(case)
        if not self.is_flaky:
            self.progress = Shrinking(case)
            await self.progress.work(self.parts, self.fails, tries)

    def engine(self) -> EngineName:
        """That of the whole, for all cases: chance falls otherwise on the other one."""
        options = self.options
        return engine_for(self.chosen.scenario, options.engine, needs_exact=options.needs_exact).engine

    @property
    def whole_case(self) -> ShrunkCase:
        return ShrunkCase(tuple(part.whole for part in self.parts), self.options.seed)

    async def fails(self, case: ShrunkCase) -> bool:
        """One try. What cannot be run, cannot be judged, or fails at other checks only, does not count."""
        assert self.whole is not None
        expanded = self.expanded(case)
        if expanded is None:
            return False
        self.told(case, None)
        report = await run(expanded, replace(self.options, seed=case.seed))
        fails = bool(failed_checks(report) & failed_checks(self.whole))
        if fails:
            self.smallest = report
        self.told(case, fails)
        return fails

    def expanded(self, case: ShrunkCase) -> Expanded | None:
        """None for sizes with which the scenario makes no sense, such as a check that counts more devices."""
        sizes = list(zip(self.parts, case.sizes, strict=True))
        try:
            (one,) = expand(with_sizes(self.file, self.chosen.values, sizes))
        except (FileMistakes, UsageError):
            return None
        return one

    def named(self, case: ShrunkCase) -> str:
        """`devices=7, outage=12s, seed=3`."""
        sizes = (f"{part.name}={part.written(size)}" for part, size in zip(self.parts, case.sizes, strict=True))
        return ", ".join([*sizes, f"seed={case.seed}"])
