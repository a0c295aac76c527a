"""Delta debugging: the smallest case that still fails, asked for one try at a time.

After Zeller and Hildebrandt, «Simplifying and Isolating Failure-Inducing Input»: halves first, then ever smaller parts.
Failing need not be monotone (seven devices may fail where ten do not), so a bisection alone would stop too early.
Nothing is run here: the search yields a case, and is sent whether it fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Final

from fleetrig.harness.scenario_file.reducible import Reducible

FEWEST: Final = 3
"""Most failures need so few devices: they are tried first, since such a try costs next to nothing."""
OTHER_SEEDS: Final = range(1, 6)
"""Chance can hide a smaller case from one seed: so many are asked whether they see it."""
SEEDS: Final = 20
"""How many seeds are tried when a smaller one is looked for."""


@dataclass(frozen=True, slots=True)
class ShrunkCase:
    """What a try runs: a size for each reducible, and the seed."""

    sizes: tuple[int, ...]
    seed: int

    def with_size(self, place: int, size: int) -> ShrunkCase:
        return ShrunkCase((*self.sizes[:place], size, *self.sizes[place + 1 :]), self.seed)


Search = Generator[ShrunkCase, bool, ShrunkCase]
"""Yields cases, is sent whether they fail, returns the smallest that does."""


def smallest_case(case: ShrunkCase, parts: Sequence[Reducible]) -> Search:
    """From a case that fails. Every case that is asked for is smaller than one that failed."""
    while True:
        before = case
        for place, part in enumerate(parts):
            case = yield from _less_of(case, place, part)
        if case == before:
            case = yield from _with_other_seeds(case, parts)
        if case == before:
            return (yield from _smallest_seed(case))


def _less_of(case: ShrunkCase, place: int, part: Reducible) -> Search:
    """As little as possible of one part, all else left as it is."""
    for size in range(part.least, min(part.least + FEWEST * part.step, case.sizes[place]), part.step):
        if (yield case.with_size(place, size)):
            return case.with_size(place, size)
    case = yield from _bisected(case, place, part)
    return (yield from _chipped(case, place, part))


def _bisected(case: ShrunkCase, place: int, part: Reducible) -> Search:
    passes, fails = part.least // part.step, -(-case.sizes[place] // part.step)
    while fails - passes > 1:
        middle = (passes + fails) // 2
        if (yield case.with_size(place, middle * part.step)):
            fails, case = middle, case.with_size(place, middle * part.step)
        else:
            passes = middle
    return case


def _chipped(case: ShrunkCase, place: int, part: Reducible) -> Search:
    """Takes away a quarter, an eighth … down to one step; what comes off makes it begin anew."""
    size = case.sizes[place]
    chip = size // 4 // part.step * part.step
    while chip >= part.step:
        if size - chip >= part.least and (yield case.with_size(place, size - chip)):
            return (yield from _chipped(case.with_size(place, size - chip), place, part))
        chip = chip // 2 // part.step * part.step
    return case


def _with_other_seeds(case: ShrunkCase, parts: Sequence[Reducible]) -> Search:
    for place, part in enumerate(parts):
        size = case.sizes[place]
        for smaller in dict.fromkeys((size // 2 // part.step * part.step, size - part.step)):
            for seed in OTHER_SEEDS:
                other = ShrunkCase(case.with_size(place, smaller).sizes, seed)
                if part.least <= smaller < size and (yield other):
                    return other
    return case


def _smallest_seed(case: ShrunkCase) -> Search:
    for seed in range(1, min(case.seed, SEEDS + 1)):
        if (yield ShrunkCase(case.sizes, seed)):
            return ShrunkCase(case.sizes, seed)
    return case


@dataclass(slots=True)
class Shrinking:
    """How far the search has come; the best case so far outlives an interruption."""

    best: ShrunkCase
    known: dict[ShrunkCase, bool] = field(default_factory=dict)
    """Case -> whether it fails."""
    is_done: bool = False
    """Nothing smaller that the search asks for fails."""

    async def work(
        self, parts: Sequence[Reducible], fails: Callable[[ShrunkCase], Awaitable[bool]], tries: int
    ) -> None:
        """Ends when the search does, or after so many tries."""
        search = smallest_case(self.best, parts)
        answer = None
        while True:
            try:
                case = next(search) if answer is None else search.send(answer)
            except StopIteration:
                self.is_done = True
                return
            if case not in self.known:
                if len(self.known) == tries:
                    return
                self.known[case] = await fails(case)
            answer = self.known[case]
            if answer:
                self.best = case
