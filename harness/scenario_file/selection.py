"""Selects scenarios and expands their matrices."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fleetrig.harness.scenario_file.board_mistakes import board_mistakes
from fleetrig.harness.scenario_file.given_params import check_params, params_of
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem
from fleetrig.harness.scenario_file.scenario import POWER_CUT_POINTS, Scenario
from fleetrig.harness.scenario_file.selection_folders import Folders, ScenarioFolders, folders_of
from fleetrig.harness.scenario_file.selection_lookup import command_word, find, is_file, no_such, without_values
from fleetrig.harness.scenario_file.selections import Selections, idle_checks
from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario
from fleetrig.simulator.contract.bounds import COMBINATIONS, DEVICES_OF_A_MATRIX
from fleetrig.simulator.contract.errors import NoSuchId, UsageError

CutPoints = Callable[[Scenario], Sequence[str]]
"""Lists the points at which power can be cut in a scenario (a dry run)."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """One run: a scenario with its values filled in."""

    scenario: Scenario
    values: Mapping[str, Any]
    """The values of its matrix, and params that were given; None stands for power cut points that were not listed."""
    name: str
    """`folder/power_cuts[cut=poll#1:sent]`: stable, and accepted wherever an id is."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """What came from the environment."""
    by_path: str = ""
    """The same with the file's path in place of the id, for a file that the id does not find."""

    @property
    def command_word(self) -> str:
        """What a command line calls this run."""
        return self.by_path or self.name


def select(
    wanted: Sequence[str], folders: Folders, tags: Iterable[str] = (), *, allows_outside: bool = False
) -> tuple[ScenarioFile, ...]:
    """What `find` finds, read; with tags only those that carry one of them.

    Raises FileMistakes for all of them, NoSuchId for a tag that none carries.
    """
    files, problems = read_all(find(wanted, folders), allows_outside=allows_outside)
    if problems:
        raise FileMistakes(problems)
    known = folders_of(folders).known()
    files = [replace(file, called=command_word(file.id, file.source.path, known)) for file in files]
    tags = frozenset(tags)
    there = sorted({tag for file in files for tag in file.heading.tags})
    if unused := sorted(tags.difference(there)):
        said = f"no scenario carries the tag {', '.join(unused)}; tags are: {', '.join(there) or 'none'}"
        raise NoSuchId(said + ("" if wanted else _shipped_too(unused[0], folders_of(folders))))
    return tuple(file for file in files if not tags or tags & set(file.heading.tags))


def _shipped_too(tag: str, folders: ScenarioFolders) -> str:
    """Where else to look for a tag, where one's own scenarios were all that was meant."""
    is_own = folders.shipped is not None and bool(folders.of_own())
    return f" (of yours; `fleetrig list --tag {tag}` also looks at those shipped with fleetrig)" if is_own else ""


def read_all(found: Mapping[str, Path], *, allows_outside: bool = False) -> tuple[list[ScenarioFile], list[Problem]]:
    """Reads every file; mistakes in some do not affect the others."""
    files: list[ScenarioFile] = []
    problems: list[Problem] = []
    for scenario_id, path in found.items():
        try:
            files.append(read_scenario(path, scenario_id, allows_outside=allows_outside))
        except FileMistakes as wrong:
            problems += wrong.problems
    return files, problems


def expand(
    file: ScenarioFile,
    points: CutPoints | None = None,
    environ: Mapping[str, str] = os.environ,
    params: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Expanded, ...]:
    """Every combination of a file's matrix, the last name changing fastest. Raises FileMistakes for all of them.

    `params`: texts in place of the file's own values. Raises UsageError when one does not fit.
    """
    given = params_of(params, file)
    secrets = file.secrets(environ)
    runs: list[Expanded] = []
    problems: set[Problem] = set()
    selections, devices = Selections(file.source), 0
    for chosen in _combinations(file, points, environ):
        values = {**given, **chosen}
        try:
            scenario = file.fill(values, environ)
            devices += scenario.devices.unit_count()
            _check_sizes(file, len(runs) + 1, devices)
            found = (
                selections.empty(scenario),
                idle_checks(scenario, file.source),
                board_mistakes(scenario, file.source),
            )
            problems |= set(itertools.chain(*found))
            by_path = _name(file.called, chosen) if file.called not in ("", file.id) else ""
            runs.append(Expanded(scenario, values, _name(file.id, chosen), secrets, by_path))
        except FileMistakes as wrong:
            problems |= set(wrong.problems)
    if problems:
        raise FileMistakes(problems)
    return tuple(runs)


def _check_sizes(file: ScenarioFile, runs: int, devices: int) -> None:
    """Raises UsageError for a matrix that makes more than anybody could run."""
    try:
        COMBINATIONS.check(runs)
        DEVICES_OF_A_MATRIX.check(devices)
    except ValueError as wrong:
        raise UsageError(f"{file.source.path}: matrix: {wrong}") from None


def plan(
    wanted: Sequence[str],
    folders: Folders,
    tags: Iterable[str] = (),
    points: CutPoints | None = None,
    *,
    allows_outside: bool = False,
    params: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Expanded, ...]:
    """Selects and expands. A whole name (`id[cut=poll#1:sent]`, `file.yaml[cut=poll#1:sent]`) selects just that run."""
    plain = [one for one in wanted if one == without_values(one)]
    named = [one for one in wanted if one not in plain]
    whole = set(find(plain, folders)) if plain or not named else set()
    files = select(wanted, folders, tags, allows_outside=allows_outside)
    check_params(params, files)
    runs = [run for file in files for run in expand(file, points, params=params)]
    names = {run.name for one in named for run in _named_by(one, runs, folders)}
    return tuple(run for run in runs if run.name in names or run.scenario.id in whole)


def _named_by(text: str, runs: Sequence[Expanded], folders: Folders) -> list[Expanded]:
    """The run that a whole name means, of an id or a file. Raises NoSuchId."""
    plain = without_values(text)
    scenario_id = next(iter(find([plain], folders))) if is_file(plain) else plain
    found = [run for run in runs if run.name == scenario_id + text[len(plain) :]]
    if not found:
        raise NoSuchId(no_such(text, [run.name for run in runs]))
    return found


def _combinations(file: ScenarioFile, points: CutPoints | None, environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Values by name. Power cut points are asked for once for each combination of the others, and change fastest."""
    matrix = file.heading.matrix
    lists = [axis if isinstance(axis, tuple) else (None,) for axis in matrix.values()]
    cut = next((name for name, axis in matrix.items() if axis == POWER_CUT_POINTS), None)
    for row in itertools.product(*lists):
        values = dict(zip(matrix, row, strict=True))
        if cut is None or points is None:
            yield values
            continue
        found = points(file.fill(values, environ))
        if not found:
            raise UsageError(f"{file.id}: there is no point at which power could be cut")
        yield from ({**values, cut: point} for point in found)


def _name(scenario_id: str, values: Mapping[str, Any]) -> str:
    if not values:
        return scenario_id
    return f"{scenario_id}[{','.join(f'{name}={_written(value)}' for name, value in values.items())}]"


def _written(value: Any) -> str:
    if value is None:
        return POWER_CUT_POINTS
    return str(value).lower() if isinstance(value, bool) else str(value)
