"""The options of `fleetrig study`, checked as a whole, then performed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from fleetrig.harness.commands.output_places import check_own_folder
from fleetrig.harness.fleets.policy_of_trace import policy_of_trace
from fleetrig.harness.report.console import make_console
from fleetrig.harness.report.exits import Exit
from fleetrig.harness.report.spoken import spoken_s
from fleetrig.harness.run.interrupts import tell
from fleetrig.harness.scenario_file.given_params import check_params, params_of, read_params
from fleetrig.harness.scenario_file.selection_folders import Folders, folders_of
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.harness.studies.capacity_search import CapacityFound
from fleetrig.harness.studies.case import CaseOrder, perform, steady_rate
from fleetrig.harness.studies.case_store import CASES_FILE, CaseStore, digest_of
from fleetrig.harness.studies.crew import Crew, cores, local_crew
from fleetrig.harness.studies.dask_adapter import dask_crew
from fleetrig.harness.studies.estimate import LONG_S, estimate
from fleetrig.harness.studies.progress import StudyProgress
from fleetrig.harness.studies.recommendation import recommendation
from fleetrig.harness.studies.sole_use import sole_use
from fleetrig.harness.studies.study_file import TIMES
from fleetrig.harness.studies.study_lookup import find_study, read_study, studies_in
from fleetrig.harness.studies.study_output import StudyOutput
from fleetrig.harness.studies.study_rows import study_rows
from fleetrig.harness.studies.study_run import CapacitySeeker, orders_left, run_orders
from fleetrig.harness.studies.sweep import StudyPlan, plan_study
from fleetrig.harness.studies.traced_policy import with_traced_policy
from fleetrig.simulator.contract.errors import BrokenBench, NoSuchId, UsageError

STUDIES: Final = "studies"
"""The folder for all studies, among the results."""


@dataclass(frozen=True, slots=True)
class StudyRequest:
    """The options, under the names of the command's parameters."""

    study: str
    params: tuple[str, ...]
    policy_from: Path | None
    seeds: int | None
    seed: int
    jobs: int | None
    cluster: str | None
    resume: bool
    anew: bool
    yes: bool
    results: Path
    allow_outside: bool
    scenarios: Folders

    @contextmanager
    def crew(self) -> Iterator[Crew]:
        with local_crew(self.jobs or cores()) if self.cluster is None else dask_crew(self.cluster) as crew:
            yield crew

    def where(self, crew: Crew) -> str:
        if self.cluster is not None:
            return f"{crew.size} workers of {self.cluster}"
        return f"{crew.size} cores" if crew.size > 1 else "1 core"


def list_studies(folders: Folders) -> None:
    """One for each line. Raises NoSuchId when there is none."""
    found = studies_in(folders)
    if not found:
        raise NoSuchId(f"there are no studies (*.study.yaml) in {folders}; `fleetrig new NAME.study.yaml` writes one")
    width = max(map(len, found))
    own = folders_of(folders).own if folders_of(folders).shipped is not None else None
    for study_id, path in found.items():
        yours = f"  yours: {path}" if own is not None and path.is_relative_to(own) else ""
        typer.echo(f"{study_id:<{width}}  {read_study(path, folders)[0].title}{yours}")


def execute(request: StudyRequest) -> Exit:
    """Raises UsageError before anything is run."""
    study_id, plan = planned(request)
    folder = request.results / STUDIES / study_id
    check_own_folder("--results", request.results)
    folder.mkdir(parents=True, exist_ok=True)
    with sole_use(folder):
        store = CaseStore(folder / CASES_FILE, digest_of(plan, request.seed), plan.runs)
        store.prepare(resume=request.resume, anew=request.anew)
        if store.is_complete:
            tell(f"all {plan.runs} runs of this study were done before; --anew repeats them")
        found = performed(request, plan, store)
        return finish(plan, store, found)


def planned(request: StudyRequest) -> tuple[str, StudyPlan]:
    """The study's id, and all of its runs. Raises FileMistakes, UsageError."""
    study_id, path = find_study(request.study, request.scenarios)
    study, source, file = read_study(path, request.scenarios, allows_outside=request.allow_outside)
    study = study.otherwise(read_study_params(request.params, file), request.seeds)
    if request.policy_from is not None:
        found = policy_of_trace(request.policy_from)
        tell(f"{request.policy_from}: {found.say()}")
        study = with_traced_policy(study, file, request.policy_from.name, found.backoff)
    return study_id, plan_study(study, source, file, steady_rate)


def performed(request: StudyRequest, plan: StudyPlan, store: CaseStore) -> CapacityFound | None:
    """Runs what is left. A stop leaves what there is, marked as partial, and is raised again."""
    orders = orders_left(plan, request.seed, store.done)
    try:
        with request.crew() as crew:
            if orders:
                run_left(request, plan, store, crew, orders)
            return CapacitySeeker(plan, request.seed, crew, perform).capacity_for(study_rows(plan, store.done))
    except (KeyboardInterrupt, BrokenBench):
        store.reread()
        if store.done:
            with suppress(OSError):  # where the disk is full, what is raised again says so
                finish(plan, store, None)
        raise


def run_left(request: StudyRequest, plan: StudyPlan, store: CaseStore, crew: Crew, orders: Sequence[CaseOrder]) -> None:
    """Says how long it will take first. Raises UsageError when that is hours and nobody has agreed."""
    expected_s = estimate(orders, crew).wall_s([order.number for order in orders])
    takes = f"{len(orders)} runs of {plan.file.id}: about {spoken_s(expected_s)} on {request.where(crew)}"
    if expected_s > LONG_S and not request.yes:
        raise UsageError(f"{takes}; nothing was run. --yes begins, or try fewer devices or values first")
    tell(takes)
    progress = StudyProgress(make_console(stderr=True), plan.runs, len(store.done), expected_s, time.monotonic)
    with store.open() as writer, progress.on_screen():
        run_orders(orders, crew, perform, writer, progress.advance)


def finish(plan: StudyPlan, store: CaseStore, found: CapacityFound | None) -> Exit:
    """Shows and writes what there is."""
    rows = study_rows(plan, store.done)
    advice = recommendation(plan, rows, found, is_partial=not store.is_complete)
    output = StudyOutput(plan, rows, advice, store.path.parent, store.is_complete)
    if not store.is_complete:
        typer.echo(f"interrupted: {len(store.done)} of {plan.runs} runs; --resume goes on with the others\n")
    for line in output.lines():
        typer.echo(line)
    typer.echo("")
    for path in output.write():
        typer.echo(f"wrote  {path}")
    return Exit.PASSED if any(row.is_good for row in rows) else Exit.FAILED


def read_study_params(words: tuple[str, ...], file: ScenarioFile) -> dict[str, Any]:
    """`--set NAME=VALUE`, as for a run; a number may also be `1.5x`. Raises UsageError."""
    given = read_params(words)
    check_params(given, [file])
    times = {name: text for name, text in given.items() if TIMES.fullmatch(text)}
    return {**params_of({name: text for name, text in given.items() if name not in times}, file), **times}
