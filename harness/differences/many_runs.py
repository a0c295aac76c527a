"""All runs of two sides laid on each other, pair by pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleetrig.harness.differences.run_difference import RunDifference, difference_of
from fleetrig.harness.differences.sides import Side


@dataclass(frozen=True, slots=True)
class OnlyIn:
    """A run that the other side has not; `side` is A or B."""

    side: str
    name: str


Compared = RunDifference | OnlyIn


def compared(first: Side, second: Side, within: float) -> Iterator[Compared]:
    """One run on either side is the same one, whatever it is called. Raises UsageError for what cannot be read."""
    if len(first) == len(second) == 1:
        (read,), (other,) = first.values(), second.values()
        yield difference_of(read(), other(), within)
        return
    for name, read in first.items():
        yield difference_of(read(), second[name](), within) if name in second else OnlyIn("A", name)
    yield from (OnlyIn("B", name) for name in second if name not in first)
