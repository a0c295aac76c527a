"""The smallest value with which something happens: found by halving, for runs that are cheap enough to repeat.

    smallest_outage_that_collapses(run, least_s=60, most_s=3600, within_s=15)     run: seconds -> Findings
    smallest_capacity_that_survives(run, least_per_s=3333, most_per_s=20000, within_per_s=50)

What happens at one value is taken to happen at all larger ones. The seed is the same in all runs; a value near the edge
may fall to either side with another seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.fleets.findings import Findings

RunWith = Callable[[float], Findings]
MOST_RUNS: Final = 40


@dataclass(frozen=True, slots=True)
class Tried:
    value: float
    happened: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """`value`: the smallest that was tried with which it happens; None: it does not happen even with the largest."""

    value: float | None
    below: float | None
    """The largest that was tried with which it does not; None: it happens even with the smallest."""
    tried: tuple[Tried, ...]

    def say(self, what: str, unit: str) -> str:
        """`what`: what happens, such as «the fleet collapses»."""
        values = [one.value for one in self.tried]
        if self.value is None:
            return f"{what} at none of the values up to {max(values):,.0f} {unit}"
        if self.below is None:
            return f"{what} even at the smallest value, {self.value:,.0f} {unit}"
        return f"{what} from {self.value:,.0f} {unit} on, and not at {self.below:,.0f} ({len(values)} runs)"


def smallest(happens: Callable[[float], bool], *, least: float, most: float, within: float) -> Edge:
    """`within`: how near to the edge it stops. The ends are tried first."""
    tried = [Tried(least, happens(least))]
    if tried[0].happened:
        return Edge(least, None, tuple(tried))
    tried.append(Tried(most, happens(most)))
    if not tried[1].happened:
        return Edge(None, most, tuple(tried))
    while most - least > within and len(tried) < MOST_RUNS:
        tried.append(Tried(middle := (least + most) / 2, happens(middle)))
        least, most = (least, middle) if tried[-1].happened else (middle, most)
    return Edge(most, least, tuple(tried))


def smallest_outage_that_collapses(run: RunWith, *, least_s: float, most_s: float, within_s: float) -> Edge:
    return smallest(lambda value: run(value).collapse is not None, least=least_s, most=most_s, within=within_s)


def smallest_capacity_that_survives(
    run: RunWith, *, least_per_s: float, most_per_s: float, within_per_s: float
) -> Edge:
    return smallest(lambda value: run(value).survives, least=least_per_s, most=most_per_s, within=within_per_s)


def smallest_capacity_for(
    run: RunWith, allows: Callable[[Findings], bool], *, least_per_s: float, most_per_s: float, within_per_s: float
) -> Edge:
    """For a limit of one's own: `allows` says whether a run keeps it."""
    return smallest(lambda value: allows(run(value)), least=least_per_s, most=most_per_s, within=within_per_s)
