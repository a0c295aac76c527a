"""From a study file to its runs: every combination, checked as a whole before anything runs."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleetrig.harness.scenario_file.marks import locate
from fleetrig.harness.scenario_file.problems import FileMistakes, Problem, Source, not_known
from fleetrig.harness.scenario_file.scenario import Scenario
from fleetrig.harness.scenario_file.template import PLACE, ScenarioFile
from fleetrig.harness.studies.study_file import TIMES, StudyFile
from fleetrig.simulator.contract.bounds import COMBINATIONS, FILLED_VALUES, RUNS

SteadyRate = Callable[[Scenario], float]
"""Requests a second of a fleet that nothing disturbs; 0 for one that stays connected. Raises UsageError for a scenario
that the array engine cannot run."""
Indices = tuple[int, ...]
"""The number of a value on each axis."""


@dataclass(frozen=True, slots=True)
class Combination:
    """Values of all axes, and what they are for the scenario."""

    number: int
    labels: tuple[str, ...]
    """Of its values, axis by axis."""
    values: Mapping[str, Any]
    """All params of the scenario that are not the file's own."""


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What is to be run."""

    study: StudyFile
    file: ScenarioFile
    combinations: tuple[Combination, ...]
    capacity_param: str
    """The param that says how much the server can do; empty when none does."""
    capacity_axis: str
    """The axis that sets it; empty when none does."""

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """Axis -> the labels of its values."""
        sweep = self.study.sweep
        return {axis: tuple(self.study.label_of(axis, n) for n in range(len(sweep[axis]))) for axis in sweep}

    @property
    def runs(self) -> int:
        return len(self.combinations) * self.study.seeds


def plan_study(study: StudyFile, source: Source, file: ScenarioFile, steady: SteadyRate) -> StudyPlan:
    """Raises FileMistakes with every mistake, and what `steady` raises."""
    problems = [*_size_problems(study, source), *_name_problems(study, source, file)]
    if problems:
        raise FileMistakes(problems)
    filler = _Filler(study, source, file, steady)
    if problems := list(filler.value_problems()):
        raise FileMistakes(problems)
    combinations = tuple(
        Combination(number, tuple(map(study.label_of, study.sweep, indices)), filler.values(indices))
        for number, indices in enumerate(_all_indices(study))
    )
    capacity = capacity_param(file)
    axis = next((axis for axis in study.sweep if capacity in _named_at(study, axis)), "") if capacity else ""
    return StudyPlan(study, file, combinations, capacity, axis)


def capacity_param(file: ScenarioFile) -> str:
    """The param that alone stands for `server.capacity.requests_per_s`; empty when there is none."""
    _, raw = locate(file.source.tree, ("server", "capacity", "requests_per_s"))
    found = PLACE.fullmatch(raw) if isinstance(raw, str) else None
    return found[1] if found and found[1] in file.heading.params else ""


@dataclass(frozen=True, slots=True)
class _Filler:
    """Values for the scenario, from those that the study names."""

    study: StudyFile
    source: Source
    file: ScenarioFile
    steady: SteadyRate

    def values(self, indices: Indices) -> dict[str, Any]:
        """What a combination sets, `1.5x` as a number. Raises FileMistakes of the scenario's file, UsageError."""
        named = dict(self.study.params)
        for axis, index in zip(self.study.sweep, indices, strict=True):
            named |= self.study.params_at(axis, index)
        relative = {name: float(found[1]) for name, value in named.items() if (found := self._relative(name, value))}
        plain = {name: value for name, value in named.items() if name not in relative}
        try:
            rate = self.steady(self.file.fill(plain))
        except FileMistakes as wrong:  # what a multiple of the rate will replace is not to blame
            raise FileMistakes([one for one in wrong.problems if not _names(one, relative)] or wrong.problems) from None
        if not relative:
            return plain
        plain |= {name: self._times(name, factor, rate) for name, factor in relative.items()}
        self.file.fill(plain)
        return plain

    def _relative(self, name: str, value: Any) -> re.Match[str] | None:
        """`1.5x`, where the scenario has a rate: a number, or a share of its devices."""
        own = self.file.heading.params.get(name)
        is_rate = isinstance(own, int | float) or (isinstance(own, str) and own.endswith("%"))
        return TIMES.fullmatch(value) if is_rate and isinstance(value, str) else None

    @staticmethod
    def _times(name: str, factor: float, rate: float) -> float:
        if rate == 0:
            raise _NoRate(name)
        return round(factor * rate, 3)

    def value_problems(self) -> Iterator[Problem]:
        """What cannot be, each once: a wrong first value, or one of `params`, comes with every other value again."""
        told = set()
        for problem in self._all_value_problems():
            if (where := (str(problem.mark), problem.sentence)) not in told:
                told.add(where)
                yield problem

    def _all_value_problems(self) -> Iterator[Problem]:
        """Each value of each axis, the others at their first. The first ones are tried once."""
        first = (0,) * len(self.study.sweep)
        for number, axis in enumerate(self.study.sweep):
            for index in range(0 if number == 0 else 1, len(self.study.sweep[axis])):
                yield from self._problems_of((*first[:number], index, *first[number + 1 :]), axis)

    def _problems_of(self, indices: Indices, axis: str) -> Iterator[Problem]:
        try:
            self.values(indices)
        except FileMistakes as wrong:
            for problem in wrong.problems:
                sentence = f"{problem.sentence} ({problem.path}:{problem.mark.line})"
                blamed = next((axis for axis in self.study.sweep if _names(problem, _named_at(self.study, axis))), "")
                own = next((name for name in self.study.params if _names(problem, [name])), "")
                if own and not blamed:
                    yield self.source.problem(_key(self.source, "params", own), f"params.{own}: {sentence}")
                else:
                    yield self._problem(blamed or axis, indices, sentence)
        except _NoRate as wrong:
            blamed = next((one for one in self.study.sweep if wrong.param in _named_at(self.study, one)), axis)
            yield self._problem(blamed, indices, str(wrong))

    def _problem(self, axis: str, indices: Indices, sentence: str) -> Problem:
        index, values = indices[list(self.study.sweep).index(axis)], self.study.sweep[axis]
        part = list(values)[index] if isinstance(values, Mapping) else index
        mark, _ = locate(self.source.tree, ("sweep", axis, part), key=isinstance(part, str))
        return self.source.problem(mark, f"sweep.{axis}: {self.study.label_of(axis, index)}: {sentence}")


def _names(problem: Problem, params: Iterable[str]) -> bool:
    """It speaks of one of them, as `${param}`."""
    text = f"{problem.sentence} {problem.source_line}"
    return any(f"${{{name}}}" in text for name in params)


class _NoRate(Exception):
    """A multiple of a steady rate that is not there."""

    def __init__(self, param: str) -> None:
        super().__init__(
            f"${{{param}}} is so many times the steady request rate, and a fleet that stays connected has none: "
            "give a number"
        )
        self.param = param


def _size_problems(study: StudyFile, source: Source) -> Iterator[Problem]:
    count = math.prod(map(len, study.sweep.values()))
    try:
        COMBINATIONS.check(count)
        RUNS.check(count * study.seeds)
        FILLED_VALUES.check(count)
    except ValueError as wrong:
        yield source.problem(locate(source.tree, ("sweep",))[0], f"sweep makes {count:,} combinations: {wrong}")


def _name_problems(study: StudyFile, source: Source, file: ScenarioFile) -> Iterator[Problem]:
    """Names that the scenario does not have, that are given twice, or that nobody gives."""
    known = [*file.heading.params, *file.heading.matrix]
    what = f"a param of {file.id}"
    given: dict[str, str] = {}
    for name in study.params:
        if name not in known:
            yield source.problem(_key(source, "params", name), f"params: {_no_param(name, known, what)}")
        given[name] = "params"
    for axis in study.sweep:
        for name, place in _named_at(study, axis).items():
            if name not in known:
                yield source.problem(_key(source, *place), f"sweep.{axis}: {_no_param(name, known, what)}")
            elif name in given:
                yield source.problem(_key(source, *place), f"sweep.{axis}: {name} is set by {given[name]} already")
            given.setdefault(name, f"sweep.{axis}")
    for name in file.heading.matrix:
        if name not in given:
            mark, _ = locate(source.tree, ("scenario",))
            yield source.problem(mark, f"{file.id} has a matrix over {name}: give it in sweep or params")


def _no_param(name: str, known: Sequence[str], what: str) -> str:
    return f"{not_known(name, known)} (expected {what})" if known else f"{name}: expected {what}, and it has none"


def _key(source: Source, *place: str) -> Any:
    return locate(source.tree, place, key=True)[0]


def _named_at(study: StudyFile, axis: str) -> dict[str, tuple[str, ...]]:
    """Param that an axis sets -> where its name first stands in the file."""
    values = study.sweep[axis]
    if not isinstance(values, Mapping):
        return {axis: ("sweep", axis)}
    found: dict[str, tuple[str, ...]] = {}
    for variant, params in values.items():
        for name in params:
            found.setdefault(name, ("sweep", axis, variant, name))
    return found


def _all_indices(study: StudyFile) -> Iterator[Indices]:
    """The last axis changing fastest."""
    return itertools.product(*(range(len(values)) for values in study.sweep.values()))
