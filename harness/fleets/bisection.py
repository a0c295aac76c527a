"""The smallest value with which something happens: found by halving, for runs that are cheap enough to repeat.

What happens at one value is taken to happen at all larger ones. The seed is the same in all runs; a value near the edge
may fall to either side with another seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

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
