"""`fleetrig run --shrink`: the smallest case with which a run still fails, as a command to copy."""

from __future__ import annotations

import shlex
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.status import Status

from fleetrig.harness.commands.run_request import RunRequest, check_places, execute, planned
from fleetrig.harness.report.console import ConsoleReport, make_console
from fleetrig.harness.report.exits import Exit, exit_of
from fleetrig.harness.report.heartbeat import heartbeat
from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.report.whole_file import whole_file
from fleetrig.harness.run.interrupts import run_until_stopped
from fleetrig.harness.run.private_files import make_private_folder
from fleetrig.harness.run.shrink_run import ShrinkRun
from fleetrig.harness.run.shrinking import ShrunkCase
from fleetrig.harness.run.trace_file import trace_name
from fleetrig.harness.scenario_file.given_params import params_of, read_params
from fleetrig.harness.scenario_file.reducible import with_params, with_sizes
from fleetrig.harness.scenario_file.selection import Expanded, select
from fleetrig.harness.scenario_file.selection_folders import scenario_folders
from fleetrig.harness.scenario_file.written_scenario import names_files, written_scenario
from fleetrig.harness.verdict import Verdict
from fleetrig.simulator.contract.errors import BrokenBench, UsageError, system_said

NAMED_RUNS: Final = 3
TRIES: Final = 200
SMALLEST: Final = ".smallest.yaml"
TOO_FEW: Final = (
    "fewer than {:,} devices were not tried: a limit that is a share of them would be less than 100 requests, "
    "which chance decides"
)
STOPPING: Final = "stopping; the smallest case so far is kept"
NOT_HERE: Final = "--shrink tries a run again and again in virtual time, against our own server: leave {} away"
FLAKY: Final = (
    "flaky: it failed, and with the same seed it did not fail again at the same check. Whatever makes it fail is not "
    "in the scenario, so nothing can be left away; `--repeat 20` shows how often it fails"
)


def shrunk(request: RunRequest) -> Exit:
    """Raises UsageError before anything is run."""
    chosen, tries = chosen_run(request), request.tries or TRIES
    with tempfile.TemporaryDirectory() as folder:
        shrinking = shrink_run(request, chosen, Path(folder))
        console = make_console()
        with ExitStack() as stack:
            status = stack.enter_context(console.status("")) if console.is_terminal else None
            shrinking.told = teller = Teller(console, status, shrinking)
            if status is None:
                stack.enter_context(heartbeat(teller.how_far))
            try:
                run_until_stopped(shrinking.work(tries), STOPPING)
            except KeyboardInterrupt:
                is_interrupted = True
            else:
                is_interrupted = False
    if shrinking.progress is None:
        if is_interrupted:
            raise KeyboardInterrupt
        return tell_whole(console, shrinking)
    smallest, command = smallest_request(replace(request, shrink=False, tries=None), shrinking)
    tell_smallest(console, shrinking, command, tries, is_interrupted=is_interrupted)
    return Exit.INTERRUPTED if is_interrupted else execute(smallest)


def chosen_run(request: RunRequest) -> Expanded:
    """The one run that is meant. Raises UsageError for several, and for what cannot be tried again and again."""
    runs = planned(replace(request, repeat=1))
    if len(runs) > 1:
        names = ", ".join(expanded.name for expanded in runs[:NAMED_RUNS])
        raise UsageError(f"--shrink takes one run, and these are {len(runs)}: name one of them, such as {names}")
    away = {
        "--against": request.against is not None,
        "--time real": request.time_mode == "real",
        "--device-command": request.device_command is not None,
        "--repeat": request.repeat > 1,
        "scenarios with boards": bool(runs[0].scenario.boards),
    }
    if given := [option for option, is_given in away.items() if is_given]:
        raise UsageError(NOT_HERE.format(" and ".join(given)))
    check_places(request.junit, request.trace, request.results, is_many=False)
    return runs[0]


def shrink_run(request: RunRequest, chosen: Expanded, folder: Path) -> ShrinkRun:
    platform = chosen.scenario.platform
    options = replace(request.options({platform}), results=folder, profile=request.profile_for(platform))
    wanted = [str(chosen.scenario.path)]
    (file,) = select(wanted, scenario_folders(request.scenarios), allows_outside=request.allow_outside)
    file = with_params(file, params_of(read_params(request.params), file))
    return ShrinkRun(file, chosen, options, lambda case, fails: None)


@dataclass(slots=True)
class Teller:
    """Tells each case that still fails; on a terminal also the one that is being tried."""

    console: Console
    status: Status | None
    shrinking: ShrinkRun
    tries: int = 0
    tried: str = ""

    def how_far(self, passed_s: float) -> str:
        return f"{spoken_s(passed_s)}: try {self.tries}: {self.tried}" if self.tries else ""

    def __call__(self, case: ShrunkCase, fails: bool | None) -> None:
        named = self.shrinking.named(case)
        if fails is None:
            self.tries, self.tried = self.tries + 1, named
            if self.status is not None:
                self.status.update(f"try {self.tries}: {named}")
        elif fails and self.shrinking.progress is None:
            self.console.print(f"{self.shrinking.chosen.name} fails with {named}; looking for less", markup=False)
        elif fails:
            self.console.print(f"  still fails with {named}", markup=False)


def tell_whole(console: Console, shrinking: ShrinkRun) -> Exit:
    """A run of which nothing can be left away: it did not fail, or not again."""
    whole = shrinking.whole
    assert whole is not None
    ConsoleReport(console, single=True).show(replace(whole, trace_file=""))
    if shrinking.is_flaky:
        console.print(FLAKY, markup=False)
    else:
        console.print(f"nothing to shrink: it {'passes' if whole.verdict is Verdict.PASSED else 'does not fail'}")
    return exit_of(whole.verdict)


def tell_smallest(console: Console, shrinking: ShrinkRun, command: str, tries: int, *, is_interrupted: bool) -> None:
    progress = shrinking.progress
    assert progress is not None
    if progress.is_done:
        how = "nothing smaller that was tried fails"
    elif is_interrupted:
        how = "interrupted: there may be a smaller one"
    else:
        how = f"--tries {tries} are used up: there may be a smaller one"
    tried = len(progress.known)
    console.print(f"smallest case after {tried} {'try' if tried == 1 else 'tries'}: {shrinking.named(progress.best)}",
                  markup=False)  # fmt: skip
    console.print(f"  {how}", markup=False)
    for part, size in zip(shrinking.parts, progress.best.sizes, strict=True):
        if size == part.least > 1:
            console.print(f"  {TOO_FEW.format(size)}", markup=False)
    console.print(f"  {command}", markup=False)


def smallest_request(request: RunRequest, shrinking: ShrinkRun) -> tuple[RunRequest, str]:
    """What runs the smallest case, and the same as a command; writes a file where `--set` cannot say it."""
    assert shrinking.progress is not None
    best = shrinking.progress.best
    if shrinking.options.engine == "cohort":
        request = replace(request, engine="cohort")
    sizes = [(part, size) for part, size in zip(shrinking.parts, best.sizes, strict=True) if size != part.whole]
    if all(part.param for part, _ in sizes):
        changed = {part.param: str(part.written(size)) for part, size in sizes}
        params = [f"{name}={value}" for name, value in {**read_params(request.params), **changed}.items()]
        smallest = replace(request, ids=request.ids or [shrinking.chosen.command_word], params=params, seed=best.seed)
    else:
        path = write_smallest(request, shrinking)
        outside = request.allow_outside or names_files(shrinking.file, shrinking.chosen.values)
        smallest = replace(request, ids=[str(path)], params=None, seed=best.seed, allow_outside=outside)
    words = [*(smallest.ids or ()), "--seed", str(best.seed), *smallest.again()]
    return smallest, shlex.join(["fleetrig", "run", *words])


def write_smallest(request: RunRequest, shrinking: ShrinkRun) -> Path:
    """Raises BrokenBench when the file cannot be written."""
    assert shrinking.progress is not None
    name, best = shrinking.chosen.name, shrinking.progress.best
    path = request.results / trace_name(name, best.seed, SMALLEST)
    small = with_sizes(shrinking.file, shrinking.chosen.values, list(zip(shrinking.parts, best.sizes, strict=True)))
    heading = f"The smallest case of {name} that still fails: {shrinking.named(best)}"
    try:
        make_private_folder(path.parent)
        with whole_file(path) as file:
            file.write(written_scenario(small, shrinking.chosen.values, heading))
    except OSError as wrong:
        raise BrokenBench(f"cannot write {path}: {system_said(wrong)}") from None
    return path
