"""A scenario file before its values are filled in.

`${name}` in a value stands for a value of `params` or `matrix`, `${env:NAME}` for an environment variable. That is all
there is. A value that is nothing but `${name}` keeps the type of what it stands for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from fleetrig.harness.scenario_file.marks import START, Mark, MarkedMapping, keys, locate, replaced, texts
from fleetrig.harness.scenario_file.platform_models import models_of
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source, not_known
from fleetrig.harness.scenario_file.reader import read_source
from fleetrig.harness.scenario_file.scenario import Heading, Scenario

PLACE: Final = re.compile(r"\$\{([^}]*)(\}?)")
ENVIRONMENT: Final = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
SOURCES: Final = ("params", "matrix")


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A file without syntax errors; its values are validated when they are filled in."""

    id: str
    source: Source
    heading: Heading
    allows_outside: bool = False
    """Files that it names may lie anywhere, not only below its folder."""

    def fill(self, values: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Scenario:
        """The scenario with these values of its matrix. Raises FileMistakes."""
        problems: list[Problem] = []
        params = replaced(self._part("params"), self._change({}, environ, problems))
        change = self._change({**params, **values}, environ, problems)
        tree = MarkedMapping(1)
        for key, value in self.source.tree.items():
            marks = self.source.tree.keys_at[key], self.source.tree.values_at[key]
            tree.put(key, value if key in SOURCES else replaced(value, change, marks[1]), *marks)
        scenario = _validated(self.source, self.id, tree, problems, allows_outside=self.allows_outside)
        if scenario is None or problems:
            raise FileMistakes(problems)
        return scenario

    def secrets(self, environ: Mapping[str, str] = os.environ) -> frozenset[str]:
        """What the environment gives to this file: to be masked wherever it turns up."""
        names = (
            ENVIRONMENT.fullmatch(place[1]) for text, _ in texts(self.source.tree) for place in PLACE.finditer(text)
        )
        return frozenset(environ[name[1]] for name in names if name and environ.get(name[1]))

    def _part(self, key: str) -> MarkedMapping:
        part: MarkedMapping = self.source.tree.get(key) or MarkedMapping(1)
        return part

    def _change(
        self, known: Mapping[str, Any], environ: Mapping[str, str], problems: list[Problem]
    ) -> Callable[[str, Mark], Any]:
        def change(text: str, mark: Mark) -> Any:
            try:
                return _filled(text, known, environ)
            except ValueError as wrong:
                problems.append(self.source.problem(self.source.find("${", mark), str(wrong)))
                return text

        return change


def read_scenario(path: Path, scenario_id: str, *, allows_outside: bool = False) -> ScenarioFile:
    """Reads a file and finds every mistake that shows without its values. Raises FileMistakes, UsageError."""
    source = read_source(path)
    if not isinstance(source.tree, MarkedMapping):
        raise FileMistakes([source.problem(START, "expected a mapping (key: value) that begins with scenario")])
    problems = [*_first_key_problems(source), *_place_problems(source)]
    _validated(source, scenario_id, source.tree, problems, allows_outside=allows_outside)
    if problems:
        raise FileMistakes(problems)
    heading = {key: source.tree[key] for key in _heading_keys() if key in source.tree}
    try:
        return ScenarioFile(scenario_id, source, Heading.model_validate(heading), allows_outside)
    except ValidationError as wrong:
        raise FileMistakes(source.model_problems(wrong.errors(), Heading)) from None


def _validated(
    source: Source, scenario_id: str, tree: MarkedMapping, problems: list[Problem], *, allows_outside: bool
) -> Scenario | None:
    """The scenario, or None with what is wrong added; what still holds a place to fill in cannot be judged."""
    folder = source.path.parent
    line = locate(source.tree, ["scenario"], key=True)[0].line
    context = {
        "folder": folder, "id": scenario_id, "path": source.path, "line": line, "allows_outside": allows_outside,
    }  # fmt: skip
    model = models_of(tree).scenario
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
    for part, node in source.tree.items():
        for text, mark in texts(node, source.tree.values_at[part]):
            for place in PLACE.finditer(text):
                allowed = () if part in SOURCES else known
                if why := _why_not(place, allowed, environment=part != "matrix"):
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


def _why_not(place: re.Match[str], known: list[str] | tuple[()], *, environment: bool) -> str:
    """Why a place cannot be filled in; empty when it can."""
    if not place[2]:
        return "${ is never closed"
    if ENVIRONMENT.fullmatch(place[1]):
        return "" if environment else "the environment cannot stand in matrix: its values are part of the name"
    return "" if place[1] in known else f"{place[0]} stands for nothing: {not_known(place[1], known)}"


def _filled(text: str, known: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    """Raises ValueError when something cannot be filled in."""
    if whole := PLACE.fullmatch(text):
        return _value(whole[1], known, environ)
    return PLACE.sub(lambda place: _as_text(_value(place[1], known, environ), place[0]), text)


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


def _is_unfilled(error: ErrorDetails, tree: MarkedMapping) -> bool:
    """True when an error is about a text that still holds a place to fill in; a key can be wrong all the same."""
    place = error["loc"]
    about = place[-1] if error["type"] == "extra_forbidden" else locate(tree, place)[1]
    return isinstance(about, str) and PLACE.search(about) is not None


def _heading_keys() -> list[str]:
    return [field.alias or name for name, field in Heading.model_fields.items()]
