"""Two devices' rows laid on each other: which were added, removed, answered otherwise, or came in another order. Pure.

What a device repeats, such as its polls, is one row with a count: how often it asks in a while is a matter of timing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby, takewhile
from typing import Final, NamedTuple

from fleetrig.harness.differences.exchange_rows import ExchangeRow

MOST_ROWS: Final = 2_000


class RowChangeKind(StrEnum):
    REMOVED = "removed"  # only in the first
    ADDED = "added"  # only in the second
    ANSWER = "answer"  # asked in both, answered otherwise
    ORDER = "order"  # in both, at another place
    TIMES = "times"  # in both, repeated more or less often


class RepeatedRow(NamedTuple):
    """One row, and how often it came in a row."""

    row: ExchangeRow
    times: int

    @property
    def key(self) -> tuple[str, str, str]:
        return self.row.name, self.row.asked, self.row.answer


@dataclass(frozen=True, slots=True)
class RowChange:
    """`first` and `second`: the row in either run; None where it has none."""

    change: RowChangeKind
    first: RepeatedRow | None
    second: RepeatedRow | None

    @property
    def key(self) -> tuple[object, ...]:
        """The same change of two devices has the same."""
        ends = [None if one is None else one.key for one in (self.first, self.second)]
        return self.change, *ends


def shortened(rows: Sequence[ExchangeRow]) -> list[RepeatedRow]:
    """The rows, what is repeated once."""
    groups = groupby(rows, key=lambda row: (row.name, row.asked, row.answer))
    return [RepeatedRow(same[0], len(same)) for _, same in ((key, list(group)) for key, group in groups)]


def changes_between(ours: Sequence[RepeatedRow], theirs: Sequence[RepeatedRow]) -> list[RowChange]:
    """What differs, in the order of both. After their first difference so many rows are laid on each other that it
    takes a moment and no hour."""
    alike = _alike(ours, theirs)
    ours, theirs = ours[alike:], theirs[alike:]
    at_end = _alike(ours[::-1], theirs[::-1])
    ours, theirs = ours[: len(ours) - at_end], theirs[: len(theirs) - at_end]
    return list(_with_order(list(_by_place(ours[:MOST_ROWS], theirs[:MOST_ROWS]))))


def _alike(ours: Sequence[RepeatedRow], theirs: Sequence[RepeatedRow]) -> int:
    """How many rows at the beginning are the same."""
    pairs = zip(ours, theirs, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0].key == pair[1].key and pair[0].times == pair[1].times, pairs))


def _by_place(ours: Sequence[RepeatedRow], theirs: Sequence[RepeatedRow]) -> Iterator[RowChange]:
    matcher = SequenceMatcher(None, [one.key for one in ours], [one.key for one in theirs], autojunk=False)
    for what, a, a_end, b, b_end in matcher.get_opcodes():
        if what == "equal":
            for one, other in zip(ours[a:a_end], theirs[b:b_end], strict=True):
                if one.times != other.times:
                    yield RowChange(RowChangeKind.TIMES, one, other)
        else:
            yield from _replaced(ours[a:a_end], list(theirs[b:b_end]))


def _replaced(ours: Sequence[RepeatedRow], theirs: list[RepeatedRow]) -> Iterator[RowChange]:
    """At one place both have something else: what asks the same is answered otherwise."""
    for one in ours:
        same = next((other for other in theirs if other.key[:2] == one.key[:2]), None)
        if same is None:
            yield RowChange(RowChangeKind.REMOVED, one, None)
        else:
            theirs.remove(same)
            yield RowChange(RowChangeKind.ANSWER, one, same)
    for other in theirs:
        yield RowChange(RowChangeKind.ADDED, None, other)


def _with_order(found: Sequence[RowChange]) -> Iterator[RowChange]:
    """What is missing at one place and too much at another has moved: it is told where the first run has it."""
    added = [one for one in found if one.change is RowChangeKind.ADDED]
    moved: dict[int, RowChange] = {}
    for at, one in enumerate(found):
        if one.change is RowChangeKind.REMOVED and (other := _same_row(one, added)) is not None:
            added = [rest for rest in added if rest is not other]
            moved[at] = RowChange(RowChangeKind.ORDER, one.first, other.second)
    still_added = {id(one) for one in added}
    for at, one in enumerate(found):
        if at in moved:
            yield moved[at]
        elif one.change is not RowChangeKind.ADDED or id(one) in still_added:
            yield one


def _same_row(removed: RowChange, added: Sequence[RowChange]) -> RowChange | None:
    key = None if removed.first is None else removed.first.key
    return next((one for one in added if one.second is not None and one.second.key == key), None)
