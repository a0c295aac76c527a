"""Selects scenarios and expands their matrices."""

from __future__ import annotations

import difflib
import importlib.util
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from fleetrig.harness.scenario_file.board_mistakes import board_mistakes
from fleetrig.harness.scenario_file.given_params import check_params, params_of
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem
from fleetrig.harness.scenario_file.recognition import SUFFIXES, is_other_file
from fleetrig.harness.scenario_file.scenario import POWER_CUT_POINTS, Scenario
from fleetrig.harness.scenario_file.selections import Selections, idle_checks
from fleetrig.harness.scenario_file.template import ScenarioFile, read_scenario
from fleetrig.simulator.contract.bounds import COMBINATIONS, DEVICES_OF_A_MATRIX
from fleetrig.simulator.contract.errors import NoSuchId, UsageError

SHOWN_CHARACTERS: Final = 200

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


def scenario_root(given: Path | None = None) -> Path:
    """The folder in which ids are looked up: the one given, else ./scenarios, else the one installed with fleetrig."""
    if given is not None:
        if not given.is_dir():
            raise NoSuchId(f"there is no folder {given}")
        return given
    here = Path("scenarios")
    if here.is_dir():
        return here
    package = importlib.util.find_spec("fleetrig.scenarios")
    for installed in (package.submodule_search_locations or ()) if package else ():
        return Path(installed)
    raise NoSuchId("there is no folder ./scenarios; name one with --scenarios DIR")


def ids_below(folder: Path) -> dict[str, Path]:
    """Every scenario below a folder by its id, in order. Names that begin with `_` or `.` are other files.

    Raises UsageError for two files with one id.
    """
    found: dict[str, Path] = {}
    for path in sorted(path for suffix in SUFFIXES for path in folder.rglob(f"*{suffix}")):
        inner = path.relative_to(folder)
        if is_other_file(inner):
            continue
        scenario_id = inner.with_suffix("").as_posix()
        if scenario_id in found:
            raise UsageError(f"{found[scenario_id]} and {path} are both called {scenario_id}: rename one of them")
        found[scenario_id] = path
    return found


def find(wanted: Sequence[str], folder: Path) -> dict[str, Path]:
    """The scenarios meant by ids, prefixes, files and folders; all of them when nothing is named. Raises NoSuchId."""
    known = ids_below(folder)
    if not wanted and not known:
        raise NoSuchId(f"there are no scenarios in {folder}")
    found = {} if wanted else known
    for one in wanted:
        found |= _meant_by(one.partition("[")[0], known, folder)
    return found


def select(
    wanted: Sequence[str], folder: Path, tags: Iterable[str] = (), *, allows_outside: bool = False
) -> tuple[ScenarioFile, ...]:
    """The same, read; with tags only those that carry one of them.

    Raises FileMistakes for all of them, NoSuchId for a tag that none carries.
    """
    files, problems = read_all(find(wanted, folder), allows_outside=allows_outside)
    if problems:
        raise FileMistakes(problems)
    tags = frozenset(tags)
    there = sorted({tag for file in files for tag in file.heading.tags})
    if unused := sorted(tags.difference(there)):
        raise NoSuchId(f"no scenario carries the tag {', '.join(unused)}; tags are: {', '.join(there) or 'none'}")
    return tuple(file for file in files if not tags or tags & set(file.heading.tags))


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
            runs.append(Expanded(scenario, values, _name(file.id, chosen), secrets))
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
    folder: Path,
    tags: Iterable[str] = (),
    points: CutPoints | None = None,
    *,
    allows_outside: bool = False,
    params: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Expanded, ...]:
    """Selects and expands. A whole name (`id[cut=poll#1:sent]`) selects just that run."""
    plain = [one for one in wanted if "[" not in one]
    names = set(wanted) - set(plain)
    whole = set(find(plain, folder)) if plain or not names else set()
    files = select(wanted, folder, tags, allows_outside=allows_outside)
    check_params(params, files)
    runs = [run for file in files for run in expand(file, points, params=params)]
    if missing := names - {run.name for run in runs}:
        raise NoSuchId(_no_such(min(missing), [run.name for run in runs]))
    return tuple(run for run in runs if run.name in names or run.scenario.id in whole)


def _meant_by(text: str, known: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    below = {one: path for one, path in known.items() if one == text or one.startswith(text.rstrip("/") + "/")}
    if below:
        return below
    path = Path(text)
    try:
        is_file, is_folder = path.is_file(), bool(text) and path.is_dir()
    except OSError:  # too long a name
        is_file = is_folder = False
    if is_file:
        return {id_of(path, folder): path}
    if is_folder and (inside := ids_below(path)):
        return {id_of(one, folder): one for one in inside.values()}
    raise NoSuchId(_no_such(text[:SHOWN_CHARACTERS], list(known), folder))


def id_of(path: Path, folder: Path) -> str:
    """The id of a file named by its path: below `folder`, else below the nearest folder `scenarios`, else its name."""
    inner = path.resolve().with_suffix("")
    if inner.is_relative_to(folder.resolve()):
        return inner.relative_to(folder.resolve()).as_posix()
    parts = inner.parts
    above = len(parts) - parts[::-1].index("scenarios") if "scenarios" in parts[:-1] else len(parts) - 1
    return "/".join(parts[above:])


def _no_such(text: str, known: Sequence[str], folder: Path | None = None) -> str:
    where = f" in {folder}" if folder else ""
    prefixes = {"/".join(one.split("/")[:depth]) for one in known for depth in range(1, one.count("/") + 1)}
    nearest = difflib.get_close_matches(text, [*known, *sorted(prefixes)], n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else "`fleetrig list` shows what there is"
    return f"no scenario is called {text}{where}; {hint}"


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
