"""The smallest value of a scenario's param with which something happens: how long an outage may last, how small a
capacity may be. Each try is a run of the whole scenario on the array engine, with the same seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleetrig.harness.fleets.bisection import Edge, smallest
from fleetrig.harness.fleets.figures_text import situation_of
from fleetrig.harness.fleets.findings import findings_of
from fleetrig.harness.fleets.fleet_run import FleetOutcome
from fleetrig.harness.verdict import Verdict, verdict_of_phases
from fleetrig.simulator.contract.errors import UsageError
from fleetrig.simulator.contract.units import DURATION, SECONDS_PER, duration_text

RANGE: Final = re.compile(r"(?P<name>\w+)=(?P<least>[^.]\S*?)\.\.(?P<most>\S+)")
NUMBER: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(%?)", re.ASCII)
EXPECTED: Final = "expected NAME=FROM..TO, such as outage=30s..20m, capacity=1%..5% or devices=100..5000"
PARTS: Final = 64
"""The edge is found to within so small a part of the range, unless somebody asks for less."""


class Happening(StrEnum):
    """What is looked for."""

    FAILS = "fails"
    PASSES = "passes"
    COLLAPSES = "collapses"
    SURVIVES = "survives"

    def is_so(self, outcome: FleetOutcome) -> bool:
        if self in (Happening.FAILS, Happening.PASSES):
            return (verdict_of_phases(outcome.phases)[0] is Verdict.FAILED) is (self is Happening.FAILS)
        found = findings_of(outcome.figures, situation_of(outcome))
        return found.collapse is not None if self is Happening.COLLAPSES else found.survives


@dataclass(frozen=True, slots=True)
class ParamRange:
    """A param and the values between which the edge is; `unit` is `s` for times, `%`, or nothing."""

    name: str
    least: float
    most: float
    unit: str = ""

    def text(self, value: float) -> str:
        """The value as a file writes it."""
        value = round(value) if self.is_whole else round(value, 3)
        return duration_text(value) if self.unit == "s" else f"{value:g}{self.unit}"

    @property
    def is_whole(self) -> bool:
        """Between two whole numbers that are far enough apart only whole ones are tried."""
        is_far = self.most - self.least >= PARTS or not self.unit
        return is_far and self.least.is_integer() and self.most.is_integer() and self.unit != "%"

    @property
    def within(self) -> float:
        return max(1.0 if self.is_whole else 0.0, (self.most - self.least) / PARTS)


def param_range(text: str) -> ParamRange:
    """`outage=30s..20m`. Raises UsageError."""
    found = RANGE.fullmatch(text)
    if found is None:
        raise UsageError(f"--vary {text}: {EXPECTED}")
    (least, unit), (most, other) = _read(text, found["least"]), _read(text, found["most"])
    if unit != other:
        raise UsageError(f"--vary {text}: its two ends are of different kinds; {EXPECTED}")
    if least >= most:
        raise UsageError(f"--vary {text}: the first must be the smaller of the two")
    return ParamRange(found["name"], least, most, unit)


def _read(text: str, end: str) -> tuple[float, str]:
    if (time := DURATION.fullmatch(end)) is not None:
        return float(time[1]) * SECONDS_PER[time[2]], "s"
    if (number := NUMBER.fullmatch(end)) is not None:
        return float(number[1]), number[2]
    raise UsageError(f"--vary {text}: {EXPECTED}")


def param_edge(
    span: ParamRange, happening: Happening, run: Callable[[str], FleetOutcome], told: Callable[[str, str], None]
) -> Edge:
    """`run` is given the value as a file writes it; `told` hears of each run, and what came of it."""

    def happens(value: float) -> bool:
        text = span.text(value)
        outcome = run(text)
        is_so = happening.is_so(outcome)
        told(text, f"{happening if is_so else f'not: {happening}'}{_why(happening, outcome)}")
        return is_so

    return smallest(happens, least=span.least, most=span.most, within=span.within)


def _why(happening: Happening, outcome: FleetOutcome) -> str:
    """The first check that did not hold, where checks are what is asked about."""
    if happening not in (Happening.FAILS, Happening.PASSES):
        return ""
    failed = (
        f" ({check.title}, in «{phase.name}»)"
        for phase in outcome.phases
        for check in phase.checks
        if check.verdict is Verdict.FAILED
    )
    return next(failed, "")


def edge_lines(span: ParamRange, happening: Happening, edge: Edge) -> Iterator[str]:
    """What was found, in a sentence."""
    runs = f"{len(edge.tried)} runs" if len(edge.tried) > 1 else "1 run"
    if edge.value is None:
        yield f"at no {span.name} up to {span.text(span.most)} the fleet {happening} ({runs})"
    elif edge.below is None:
        yield f"even at {span.name} {span.text(edge.value)} the fleet {happening}: begin lower ({runs})"
    else:
        yield (
            f"the fleet {happening} from {span.name} {span.text(edge.value)} on, and not yet at "
            f"{span.text(edge.below)} ({runs})"
        )
