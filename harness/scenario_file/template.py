"""A scenario file before its values are filled in.

`${name}` in a value stands for a value of `params` or `matrix`, `${env:NAME}` for an environment variable. That is all
there is. A value that is nothing but `${name}` keeps the type of what it stands for.

What comes from the environment is a secret. It can only stand where something is configured, sent or compared, never in
a name: names are shown, stored by the server, and called in files.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fleetrig.harness.scenario_file.marks import (
    START,
    Mark,
    MarkedMapping,
    count_values,
    keys,
    locate,
    replaced,
    texts,
    texts_below,
)
from fleetrig.harness.scenario_file.platform_models import models_of
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source, not_known
from fleetrig.harness.scenario_file.reader import read_source
from fleetrig.harness.scenario_file.scenario import Heading, Scenario
from fleetrig.simulator.contract.bounds import FILLED_CHARS, FILLED_VALUES, YAML_VALUES
from fleetrig.simulator.contract.masking import Secrets

PLACE: Final = re.compile(r"\$\{([^}]*)(\}?)")
ENVIRONMENT: Final = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
UNFILLED_COUNT: Final = 1_000
SOURCES: Final = ("params", "matrix")
SECRETS_BELONG_BELOW: Final = frozenset(
    {"settings", "properties", "configure", "attributes", "header", "headers", "body_has", "set", "body", "line",
     "path", "reason_has"}
)  # fmt: skip
"""Keys below which `${env:NAME}` may stand, or a param that holds one."""
NO_SECRET_HERE: Final = (
    "{place} is a secret and cannot stand here, where it would be shown and stored in clear: write the value itself, "
    "or put it where secrets belong (settings, properties, attributes, headers, bodies)"
)


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A file without syntax errors; its values are validated when they are filled in."""

    id: str
    source: Source
    heading: Heading
    allows_outside: bool = False
    """Files that it names may lie anywhere, not only below its folder."""
    called: str = ""
    """How a command line names it: its id, or its path where the id does not find it. Empty: nobody has asked."""

    def fill(self, values: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Scenario:
        """The scenario with these values of its matrix. Raises FileMistakes."""
        problems: list[Problem] = []
        params = replaced(self._part("params"), _Filling(self.source, {}, environ, problems))
        change = _Filling(self.source, {**params, **values}, environ, problems)
        tree = MarkedMapping(1)
        for key, value in self.source.tree.items():
            marks = self.source.tree.keys_at[key], self.source.tree.values_at[key]
            tree.put(key, value if key in SOURCES else replaced(value, change, marks[1]), *marks)
        scenario = _validated(self.source, self.id, tree, problems, allows_outside=self.allows_outside)
        if scenario is None or problems:
            raise FileMistakes(self._masked(problems, environ))
        return scenario

    def _masked(self, problems: Iterable[Problem], environ: Mapping[str, str]) -> Iterator[Problem]:
        secrets = Secrets()
        for secret in self.secrets(environ):
            secrets.learn("secret", secret)
        return (replace(problem, sentence=secrets.hide(problem.sentence)) for problem in problems)

    def secrets(self, environ: Mapping[str, str] = os.environ) -> frozenset[str]:
        """What the environment gives to this file: to be masked wherever it turns up."""
        names = (
            ENVIRONMENT.fullmatch(place[1]) for text, _ in texts(self.source.tree) for place in PLACE.finditer(text)
        )
        return frozenset(environ[name[1]] for name in names if name and environ.get(name[1]))

    def _part(self, key: str) -> MarkedMapping:
        part: MarkedMapping = self.source.tree.get(key) or MarkedMapping(1)
        return part


@dataclass(slots=True)
class _Filling:
    """Fills in places, as much as is allowed: what few of them stand for can be more than a machine holds."""

    source: Source
    known: Mapping[str, Any]
    environ: Mapping[str, str]
    problems: list[Problem]
    chars: int = 0
    values: int = 0

    def __call__(self, text: str, mark: Mark) -> Any:
        if self.chars > FILLED_CHARS.most or self.values > YAML_VALUES.most:
            return text
        try:
            return self._filled(text)
        except ValueError as wrong:
            self.problems.append(self.source.problem(self.source.find("${", mark), str(wrong)))
            return text

    def _filled(self, text: str) -> Any:
        """Raises ValueError when something cannot be filled in."""
        if whole := PLACE.fullmatch(text):
            value = _value(whole[1], self.known, self.environ)
            self._count(value)
            return value
        return PLACE.sub(self._text_of, text)

    def _text_of(self, place: re.Match[str]) -> str:
        text = _as_text(_value(place[1], self.known, self.environ), place[0])
        self._count(text)
        return text

    def _count(self, value: Any) -> None:
        self.values += count_values(value)
        self.chars += len(value) if isinstance(value, str) else 0
        YAML_VALUES.check(self.values)
        FILLED_CHARS.check(self.chars)


def read_scenario(path: Path, scenario_id: str, *, allows_outside: bool = False) -> ScenarioFile:
    """Reads a file and finds every mistake that shows without its values. Raises FileMistakes, UsageError."""
    source = read_source(path)
    if not isinstance(source.tree, MarkedMapping):
        raise FileMistakes([source.problem(START, "expected a mapping (key: value) that begins with scenario")])
    source = replace(source, secret_names=_secret_names(source.tree))
    problems = [*_first_key_problems(source), *_place_problems(source)]
    _validated(source, scenario_id, source.tree, problems, allows_outside=allows_outside)
    if problems:
        raise FileMistakes(problems)
    heading = {key: source.tree[key] for key in _heading_keys() if key in source.tree}
    try:
        file = ScenarioFile(scenario_id, source, Heading.model_validate(heading), allows_outside)
    except ValidationError as wrong:
        raise FileMistakes(source.model_problems(wrong.errors(), Heading)) from None
    _check_product(file)
    return file


def _without_sources(tree: MarkedMapping) -> Iterator[Any]:
    """What is filled in anew for each combination."""
    return (value for key, value in tree.items() if key not in SOURCES)


def _check_product(file: ScenarioFile) -> None:
    """Raises FileMistakes for a matrix whose combinations would take for ever to read."""
    lists = [axis for axis in file.heading.matrix.values() if isinstance(axis, tuple)]
    combinations, values = math.prod(map(len, lists)), sum(map(count_values, _without_sources(file.source.tree)))
    try:
        FILLED_VALUES.check(combinations * values)
    except ValueError as wrong:
        sentence = f"matrix makes {combinations:,} combinations of a file with {values:,} values: {wrong}"
        raise FileMistakes([file.source.problem(file.source.tree.keys_at["matrix"], sentence)]) from None


def _validated(
    source: Source, scenario_id: str, tree: MarkedMapping, problems: list[Problem], *, allows_outside: bool
) -> Scenario | None:
    """The scenario, or None with what is wrong added; what still holds a place to fill in cannot be judged."""
    folder = source.path.parent
    line = locate(source.tree, ["scenario"], key=True)[0].line
    models = models_of(tree)
    model = models.scenario
    context = {
        "folder": folder, "id": scenario_id, "path": source.path, "line": line, "allows_outside": allows_outside,
        "known": models.known, "devices": _device_count(tree),
    }  # fmt: skip
    try:
        return model.model_validate(tree, context=context)
    except ValidationError as wrong:
        errors = (error for error in wrong.errors() if not _is_unfilled(error, tree))
        problems += source.model_problems(errors, model)
        return None


def _first_key_problems(source: Source) -> Iterator[Problem]:
    first = next(iter(source.tree), "")
    if "scenario" in source.tree and first != "scenario":
        mark = source.tree.keys_at["scenario"]
        yield source.problem(mark, "scenario must come first: a sentence that is true when the scenario passes")


def _place_problems(source: Source) -> Iterator[Problem]:
    """Unknown names, unused names, and places where nothing can be filled in."""
    parts = {key: source.tree[key] for key in SOURCES if isinstance(source.tree.get(key), MarkedMapping)}
    known = [name for part in parts.values() for name in part]
    used: set[str] = set()
    for text, mark, above in texts_below(source.tree):
        for place in PLACE.finditer(text):
            is_value = above[0] not in SOURCES
            why = _why_not(place, known if is_value else (), environment=above[0] != "matrix")
            if not why and is_value and place[1] in source.secret_names and SECRETS_BELONG_BELOW.isdisjoint(above):
                why = NO_SECRET_HERE.format(place=place[0])
            if why:
                yield source.problem(source.find(place[0], mark), why)
            used.add(place[1])
    for key, mark in keys(source.tree):
        if PLACE.search(key):
            yield source.problem(mark, "keys are not filled in, only values")
    for part in parts.values():
        for name in part.keys() - used:
            yield source.problem(part.keys_at[name], f"{name} is never used: write ${{{name}}} where it belongs")
    for name in parts.get("params", {}).keys() & parts.get("matrix", {}).keys():
        yield source.problem(parts["matrix"].keys_at[name], f"{name} stands in params as well")


def _secret_names(tree: MarkedMapping) -> frozenset[str]:
    """What stands for a secret in places: variables of the environment, and params that hold one."""
    found = [(place[1], above) for text, _, above in texts_below(tree) for place in PLACE.finditer(text)]
    variables = {name for name, _ in found if ENVIRONMENT.fullmatch(name)}
    return frozenset(
        variables | {above[1] for name, above in found if name in variables and above[0] == "params" and len(above) > 1}
    )


def _why_not(place: re.Match[str], known: list[str] | tuple[()], *, environment: bool) -> str:
    """Why a place cannot be filled in; empty when it can."""
    if not place[2]:
        return "${ is never closed"
    if ENVIRONMENT.fullmatch(place[1]):
        return "" if environment else "the environment cannot stand in matrix: its values are part of the name"
    return "" if place[1] in known else f"{place[0]} stands for nothing: {not_known(place[1], known)}"


def _value(name: str, known: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    if found := ENVIRONMENT.fullmatch(name):
        if found[1] not in environ:
            raise ValueError(f"the environment variable {found[1]} is not set")
        return environ[found[1]]
    if name not in known:
        raise ValueError(f"no value was given for {name}")
    return known[name]


def _as_text(value: Any, place: str) -> str:
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"{place} stands for more than a single value and must stand alone")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _device_count(tree: MarkedMapping) -> int | None:
    """What shares of the fleet are of. None where there is no such number; any number where it is not filled in yet."""
    devices = tree.get("devices")
    count = devices.get("count", 1) if isinstance(devices, MarkedMapping) and "csv" not in devices else None
    if isinstance(count, str) and PLACE.search(count):
        return UNFILLED_COUNT
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _is_unfilled(error: ErrorDetails, tree: MarkedMapping) -> bool:
    """True when an error is about a text that still holds a place to fill in; a key can be wrong all the same.

    Where a word may stand for a mapping, a mapping that does not fit yet is also told to be none of the words.
    """
    place = error["loc"]
    about = place[-1] if error["type"] == "extra_forbidden" else locate(tree, place)[1]
    if error["type"] == "literal_error" and isinstance(about, MarkedMapping):
        return any(PLACE.search(text) is not None for text, _ in texts(about))
    return isinstance(about, str) and PLACE.search(about) is not None


def _heading_keys() -> list[str]:
    return [field.alias or name for name, field in Heading.model_fields.items()]
