"""The verbs that look at scenario files and run nothing: list, check, schema, new."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from fleetrig.harness.commands.editor_schema import SchemaKind, made_schema, modeline, schema_place, write_schema
from fleetrig.harness.commands.fleet_options import warn_of_tokens
from fleetrig.harness.commands.help_page import examples
from fleetrig.harness.commands.options import AllowOutside, BenchFileGiven, Scenarios, Tags, Wanted, WantedInList
from fleetrig.harness.commands.scenario_lookup import looked_up
from fleetrig.harness.platforms import FIRST
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem
from fleetrig.harness.scenario_file.recognition import STUDY_SUFFIXES, SUFFIXES
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.selection import expand, read_all
from fleetrig.harness.scenario_file.selection_folders import OWN, SHIPPED, ScenarioFolders, scenario_folders
from fleetrig.harness.scenario_file.selection_lookup import find, find_everywhere
from fleetrig.harness.scenario_file.starter import starter_for
from fleetrig.harness.scenario_file.template import ScenarioFile
from fleetrig.harness.studies.study_starter import STUDY_STARTER
from fleetrig.simulator.contract.errors import NoSuchId, UsageError, system_said


@examples(
    f"fleetrig list {FIRST}",
    "fleetrig list --tag load",
)
def list_scenarios(
    wanted: WantedInList = None, tag: Tags = None, allow_outside: AllowOutside = False, scenarios: Scenarios = None
) -> None:
    """List scenarios, one per line: ID, title, tags, needs. Yours in ./scenarios come first and are marked."""
    folders = scenario_folders(scenarios)
    files, problems = read_all(find_everywhere(wanted or [], folders), allows_outside=allow_outside)
    shown = [file for file in files if not tag or set(tag) & set(file.heading.tags)]
    width = max((len(file.id) for file in shown), default=0)
    own, shipped = (folders.of_own(), folders.of_shipped()) if folders.own and folders.shipped else ({}, {})
    for file in shown:
        is_own = own.get(file.id) == file.source.path
        typer.echo(_line(file, width) + (_whose(file, stands_in=file.id in shipped) if is_own else ""))
    if own and shown:
        are = "is yours" if len(own) == 1 else "are yours"
        typer.echo(f"{len(own)} in {folders.own} {are}, and what commands without an ID mean", err=True)
    if problems:
        raise FileMistakes(problems)
    if not shown:
        raise NoSuchId(f"no scenario carries the tag {', '.join(tag or [])}")


def check_studies(wanted: Sequence[str], folders: ScenarioFolders, *, allows_outside: bool) -> None:
    """All combinations of each, from its scenario up to the array engine. Raises FileMistakes, UsageError."""
    from fleetrig.harness.studies.case import steady_rate  # arrays take time to load
    from fleetrig.harness.studies.study_lookup import find_study, read_study
    from fleetrig.harness.studies.sweep import plan_study

    for one in wanted:
        _, path = find_study(one, folders)
        plan = plan_study(*read_study(path, folders, allows_outside=allows_outside), steady_rate)
        typer.echo(f"{one}: a study of {plan.runs:,} runs, OK")


SchemaOf = Annotated[SchemaKind, typer.Argument(metavar="KIND", help="Of what: scenario, bench or study files.")]


@examples(
    "fleetrig check",
    "fleetrig check mine/first.yaml mine.study.yaml",
)
def check(
    wanted: Wanted = None,
    allow_outside: AllowOutside = False,
    bench: BenchFileGiven = None,
    scenarios: Scenarios = None,
) -> None:
    """Check scenario files, every combination of their matrices included, and studies, without running them."""
    studies = [one for one in wanted or () if one.endswith(STUDY_SUFFIXES)]
    if studies:
        check_studies(studies, scenario_folders(scenarios), allows_outside=allow_outside)
        wanted = [one for one in wanted or () if one not in studies]
        if not wanted:
            return
    found = find(wanted or [], looked_up(scenarios, wanted or []))
    files, problems = read_all(found, allows_outside=allow_outside)
    problems += [problem for file in files for problem in _expansion_problems(file)]
    if problems:
        raise FileMistakes(problems, of_scenarios=True)
    for file in files:
        runs = [run.scenario for run in expand(file)]
        warn_of_tokens(file.id, runs)
        for line in () if bench is None else _skipped_on(bench, runs):
            typer.echo(line)
    typer.echo(f"{len(found)} scenarios OK" if len(found) != 1 else "1 scenario OK")


@examples(
    "fleetrig schema > scenario.schema.json",
    "fleetrig schema bench > bench.schema.json",
)
def schema(
    kind: Annotated[
        SchemaKind, typer.Argument(metavar="KIND", help="Of what: scenario, bench, or study.")
    ] = SchemaKind.SCENARIO,
) -> None:
    """Print the JSON Schema of scenario files, of bench files, or of study files, for editors."""
    typer.echo(json.dumps(made_schema(kind), indent=2, ensure_ascii=False))


@examples(
    "fleetrig new mine/first",
    "fleetrig new scenarios/mine/first_contact.yaml",
    "fleetrig new mine.study.yaml",
)
def new(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="An ID such as mine/first_contact, a file *.yaml, or a study *.study.yaml."
        ),
    ],
    scenarios: Scenarios = None,
) -> None:
    """Write a scenario, or a study, to start from. Never overwrites an existing file."""
    if str(scenarios) == SHIPPED and not Path(SHIPPED).is_dir():
        raise UsageError(f"--scenarios {SHIPPED} are those that came with fleetrig: leave it away, or name a folder")
    kind = SchemaKind.STUDY if path.endswith(STUDY_SUFFIXES) else SchemaKind.SCENARIO
    is_file = path.endswith(SUFFIXES)
    file = Path(path) if is_file else (scenarios or OWN) / f"{path}.yaml"
    schema = schema_place(file, kind, None if is_file else scenarios)
    text = STUDY_STARTER if kind is SchemaKind.STUDY else starter_for(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(modeline(file, schema) + text)
    except FileExistsError:
        raise UsageError(f"{file} exists already; choose another name") from None
    except OSError as wrong:
        raise UsageError(f"cannot write {file}: {system_said(wrong)}") from None
    beside = f", and {schema} for editors" if write_schema(schema, kind) else ""
    then = f"`fleetrig study {file}` runs it" if kind is SchemaKind.STUDY else f"`fleetrig check {file}` validates it"
    typer.echo(f"wrote {file}{beside}; {then}")


def _skipped_on(bench: Path, runs: Sequence[Scenario]) -> Iterator[str]:
    """Those that this bench has no boards for, and why."""
    from fleetrig.harness.bench.role_matching import NoFittingBoard  # serial ports are for those who have some
    from fleetrig.harness.run.board_run import desk_for, roles_on

    desk = desk_for(bench)
    for scenario in runs:
        try:
            roles_on(scenario.boards, desk)
        except NoFittingBoard as lacking:
            yield f"{scenario.id} would be skipped: {lacking}"


def _whose(file: ScenarioFile, *, stands_in: bool) -> str:
    """Behind one of one's own, where shipped ones are listed too."""
    return f"  yours: {file.source.path}{', in place of the shipped one' if stands_in else ''}"


def _line(file: ScenarioFile, width: int) -> str:
    heading = file.heading
    return f"{file.id:<{width}}  {heading.title}{_words('tags', heading.tags)}{_words('needs', heading.needs)}"


def _words(title: str, words: Sequence[str]) -> str:
    return f"  {title}: {', '.join(words)}" if words else ""


def _expansion_problems(file: ScenarioFile) -> tuple[Problem, ...]:
    try:
        runs = expand(file)
    except FileMistakes as wrong:
        return wrong.problems
    asking = [run.scenario for run in runs if run.scenario.server.properties]
    return _property_problems(file, asking) if asking else ()


def _property_problems(file: ScenarioFile, asking: Sequence[Scenario]) -> tuple[Problem, ...]:
    from fleetrig.harness.run.start_properties import property_problems  # only these files need our server to be read

    return tuple(property_problems(file.source, asking))
