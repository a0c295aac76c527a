"""What of a scenario can be less: how many devices there are, how long and how often something goes wrong.

A number that stands in `params` is changed there, so that what belongs together (an outage and the phase that lasts as
long) stays together, and `--set` can say it. All others are changed where they stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from fleetrig.harness.scenario_file.marks import MarkedMapping, replaced
from fleetrig.harness.scenario_file.template import PLACE, ScenarioFile
from fleetrig.harness.scenario_file.values import FLEET_SHARE, WHOLE_PERCENT
from fleetrig.simulator.contract.units import DURATION, duration_s, duration_text

ValuePlace = tuple[str | int, ...]
"""The keys and positions that lead to a value of a file."""
SAYS_SOMETHING = 100
"""Requests: of fewer, chance decides whether a limit is kept."""
STEPS_MS = ((60_000, 1_000), (1_000, 100))
"""A span from so long on is changed in such steps; a shorter one in milliseconds."""


class Reduced(StrEnum):
    DEVICES = "devices"
    SPAN = "span"
    TIMES = "times"


@dataclass(frozen=True, slots=True)
class Reducible:
    """A number in a scenario file of which there can be less. Spans are whole milliseconds."""

    name: str
    kind: Reduced
    place: ValuePlace
    whole: int
    least: int = 0

    @property
    def step(self) -> int:
        """What makes a difference: nobody asks for the millisecond of an outage of twenty minutes."""
        if self.kind is not Reduced.SPAN:
            return 1
        return next((step for span, step in STEPS_MS if self.whole >= span), 1)

    @property
    def param(self) -> str:
        """The name that `--set` takes; empty when it is no param."""
        return str(self.place[1]) if self.place[0] == "params" else ""

    def written(self, size: int) -> int | str:
        """A size as the file has it."""
        return duration_text(size / 1_000) if self.kind is Reduced.SPAN else size


def reducibles_of(file: ScenarioFile, values: Mapping[str, Any]) -> tuple[Reducible, ...]:
    """Those of a run with these values of its matrix, devices first, each once."""
    tree = file.source.tree
    params = tree.get("params") or {}
    found: dict[ValuePlace, Reducible] = {}
    for kind, name, place in _candidates(tree):
        value = _at(tree, place)
        inner = PLACE.fullmatch(value) if isinstance(value, str) else None
        if inner is not None and inner[1] in params:
            name, place, value = inner[1], ("params", inner[1]), params[inner[1]]
        elif inner is not None:
            value = values.get(inner[1])
        whole = _size(kind, value)
        least = {Reduced.SPAN: 0, Reduced.TIMES: 1, Reduced.DEVICES: _fewest_devices(tree, {**params, **values})}[kind]
        if whole > least:
            found.setdefault(place, Reducible(name, kind, place, whole, least))
    return tuple(found.values())


def _fewest_devices(tree: Mapping[str, Any], known: Mapping[str, Any]) -> int:
    """Where a rate is a share of the fleet, so many that it stands for `SAYS_SOMETHING` requests."""
    checks = (check for phase in tree["phases"] for check in _listed(phase.get("expect")))
    limits = (check["rate"].get("at_most") for check in checks if isinstance(check.get("rate"), Mapping))
    texts = (_filled(limit, known) for limit in limits)
    shares = [float(found[1]) for text in texts if (found := FLEET_SHARE.fullmatch(text))]
    return max((math.ceil(SAYS_SOMETHING * WHOLE_PERCENT / share) for share in shares if share > 0), default=1)


def _filled(value: Any, known: Mapping[str, Any]) -> str:
    whole = PLACE.fullmatch(value) if isinstance(value, str) else None
    return str(known.get(whole[1], "") if whole is not None else value)


def with_sizes(file: ScenarioFile, values: Mapping[str, Any], sizes: Sequence[tuple[Reducible, int]]) -> ScenarioFile:
    """The file with these sizes, and with one combination of its matrix only."""
    places = {one.place: one.written(size) for one, size in sizes}
    matrix = {name: (values[name],) for name in file.heading.matrix}
    return _changed(file, places, {"matrix": matrix})


def with_params(file: ScenarioFile, params: Mapping[str, Any]) -> ScenarioFile:
    """The file with other values of its params (`given_params.params_of`)."""
    return _changed(file, {("params", name): value for name, value in params.items()}, {})


def _changed(file: ScenarioFile, places: Mapping[ValuePlace, Any], heading: Mapping[str, Any]) -> ScenarioFile:
    tree: MarkedMapping = replaced(file.source.tree, lambda text, mark: text)
    for (*above, last), value in places.items():
        _at(tree, above)[last] = value
    heading = {**heading, "params": tree.get("params") or {}}
    return replace(file, source=replace(file.source, tree=tree), heading=file.heading.model_copy(update=heading))


def _candidates(tree: Mapping[str, Any]) -> Iterator[tuple[Reduced, str, ValuePlace]]:
    """Where such numbers stand, with a name for people."""
    devices = tree["devices"]
    if "count" in devices:
        yield Reduced.DEVICES, "devices", ("devices", "count")
    for number, cohort in enumerate(_listed(devices.get("cohorts"))):
        if "count" in cohort:
            yield (
                Reduced.DEVICES,
                f"devices of {cohort.get('name', number + 1)}",
                ("devices", "cohorts", number, "count"),
            )
    yield from _faults(tree.get("faults"), ("faults",), "the run")
    for number, phase in enumerate(tree["phases"]):
        yield from _faults(phase.get("faults"), ("phases", number, "faults"), f"«{phase.get('name')}»")


def _faults(lines: Any, above: ValuePlace, where: str) -> Iterator[tuple[Reduced, str, ValuePlace]]:
    for number, line in enumerate(_listed(lines)):
        for key, kind in (("for", Reduced.SPAN), ("times", Reduced.TIMES)):
            if key in line:
                times = "times of " if kind is Reduced.TIMES else ""
                yield kind, f"{times}{line.get('fault')} in {where}", (*above, number, key)


def _listed(value: Any) -> list[Any]:
    """The mappings of a list; a list that a param stands for has its numbers out of sight."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _at(tree: Any, place: Sequence[str | int]) -> Any:
    for part in place:
        tree = tree[part]
    return tree


def _size(kind: Reduced, value: Any) -> int:
    """0 for what is no plain number of its kind."""
    if kind is Reduced.SPAN:
        is_span = isinstance(value, str) and DURATION.fullmatch(value) is not None
        return round(duration_s(value) * 1_000) if is_span else 0
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
