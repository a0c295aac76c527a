"""`fleetrig study`: one scenario over many values, in parallel, with a table, pictures and an advice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import AllowOutside, Params, Scenarios, Seed, within
from fleetrig.harness.commands.policy_option import PolicyFrom
from fleetrig.harness.commands.run_request import RESULTS
from fleetrig.harness.scenario_file.selection_folders import scenario_folders
from fleetrig.simulator.contract.bounds import PARALLEL_RUNS, REPEATS
from fleetrig.simulator.contract.errors import UsageError

StudyGiven = Annotated[
    str | None, typer.Argument(metavar="STUDY", help="An ID or a file *.study.yaml; without it all are listed.")
]
Seeds = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, callback=within(REPEATS), help="Seeds for each combination.  [default: as the file says]"
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, callback=within(PARALLEL_RUNS), help="So many processes.  [default: one for each core]"
    ),
]
Cluster = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Run on the workers of this Dask scheduler instead.")
]
StudyResults = Annotated[
    Path, typer.Option(metavar="DIR", help="Where table and pictures go, in a folder for each study.")
]


@examples(
    "fleetrig study  # which there are",
    "fleetrig study outage/recovery --set devices=20000",
    "fleetrig study mine.study.yaml --seeds 3 --resume",
)
def study_command(
    study: StudyGiven = None,
    params: Params = None,
    policy_from: PolicyFrom = None,
    seeds: Seeds = None,
    seed: Seed = 1,
    jobs: Processes = None,
    cluster: Cluster = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a study that was interrupted.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Throw away what an earlier study has left.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Begin even if it will take hours.")] = False,
    results: StudyResults = RESULTS,
    allow_outside: AllowOutside = False,
    scenarios: Scenarios = None,
) -> None:
    """Run a scenario with many values of its params, on all cores: a table, pictures, and what to do in one sentence.

    Exits with 1 when nothing keeps the limit of the study.
    """
    if resume and anew:
        raise UsageError("--resume goes on with what is there and --anew throws it away: give one of them")
    if jobs is not None and cluster is not None:
        raise UsageError("--jobs is for this machine, and --cluster has workers of its own: give one of them")
    from fleetrig.harness.commands.study_request import StudyRequest, execute, list_studies  # arrays take time to load

    folders = scenario_folders(scenarios)
    if study is None:
        list_studies(folders)
        return
    request = StudyRequest(
        study,
        tuple(params or ()),
        policy_from,
        seeds,
        seed,
        jobs,
        cluster,
        resume,
        anew,
        yes,
        results,
        allow_outside,
        folders,
    )
    raise typer.Exit(execute(request))
