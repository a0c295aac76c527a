"""Looking at every record for a page of those that match, in steps of a batch each. Pure.

No more records are held meanwhile than the page needs, with what it leaves out before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import total_ordering
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

from fleetrig.reference_server.platforms.hawkbit.search.sources import BATCH, batched

R = TypeVar("R")

MERGED: Final = 5_000
"""Merged without giving way: it takes less than to look at a batch."""


@dataclass(frozen=True)
class Wanted(Generic[R]):
    """What of the records: `match` leaves some out, `sort_key` puts the rest in order, of which a page is cut."""

    offset: int
    limit: int
    match: Callable[[R], bool] | None = None
    sort_key: Callable[[R], Any] | None = None
    turned_round: bool = False


@dataclass(frozen=True)
class FoundPage(Generic[R]):
    page: Sequence[R]
    total: int


@total_ordering
class Downwards:
    """Turns an order round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Downwards) and bool(self.value == other.value)

    def __lt__(self, other: Downwards) -> bool:
        return bool(other.value < self.value)

    __hash__ = None  # type: ignore[assignment]


def looked_through(batches: Iterable[Sequence[R]], wanted: Wanted[R]) -> Generator[None, None, FoundPage[R]]:
    """Gives way after each batch. Equals stay in the order in which they came."""
    total = 0
    kept = _kept_of(wanted)
    for batch in batches:
        found = batch if wanted.match is None else list(filter(wanted.match, batch))
        total += len(found)
        yield from kept.take(found)
        yield
    page = yield from kept.page()
    return FoundPage(page, total)


def _kept_of(wanted: Wanted[R]) -> _First[R] | _Last[R] | _Least[R]:
    if wanted.sort_key is not None:
        return _Least(wanted.offset, wanted.limit, wanted.sort_key)
    return (_Last if wanted.turned_round else _First)(wanted.offset, wanted.limit)


class _First(Generic[R]):
    """Those of the page, as they come."""

    def __init__(self, offset: int, limit: int) -> None:
        self._skips, self._limit = offset, limit
        self._kept: list[R] = []

    def take(self, found: Sequence[R]) -> Iterable[None]:
        if len(self._kept) < self._limit:
            self._kept += found[self._skips : self._skips + self._limit - len(self._kept)]
        self._skips = max(0, self._skips - len(found))
        return ()

    def page(self) -> Generator[None, None, list[R]]:
        yield
        return self._kept


class _Last(Generic[R]):
    """The page counted from the end."""

    def __init__(self, offset: int, limit: int) -> None:
        self._offset = offset
        self._kept: deque[R] = deque(maxlen=offset + limit)

    def take(self, found: Sequence[R]) -> Iterable[None]:
        self._kept.extend(found)
        return ()

    def page(self) -> Generator[None, None, list[R]]:
        yield
        return list(self._kept)[::-1][self._offset :]


class _Least(Generic[R]):
    """As many of the least as the page needs; what has come since they were put in order waits until it is worth it."""

    def __init__(self, offset: int, limit: int, key: Callable[[R], Any]) -> None:
        self._offset, self._needs, self._key = offset, offset + limit, key
        self._ordered: list[tuple[Any, R]] = []
        self._waiting: list[list[tuple[Any, R]]] = []
        self._count = 0

    def take(self, found: Sequence[R]) -> Generator[None, None, None]:
        self._waiting.append(sorted(((self._key(record), record) for record in found), key=itemgetter(0)))
        self._count += len(found)
        if self._count >= max(BATCH, len(self._ordered) // 2):
            yield from self._put_in_order()

    def page(self) -> Generator[None, None, list[R]]:
        yield from self._put_in_order()
        return [record for _, record in self._ordered[self._offset :]]

    def _put_in_order(self) -> Generator[None, None, None]:
        """Gives way too: there may be as many as there are records."""
        merged = islice(merge(self._ordered, *self._waiting, key=itemgetter(0)), self._needs)
        self._ordered, self._waiting, self._count = [], [], 0
        for part in batched(merged, MERGED):
            self._ordered += part
            yield
