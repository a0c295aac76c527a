"""Where a list comes from: records in order of their keys, read in batches, so that nobody waits for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from fleetrig.reference_server.platforms.hawkbit.state.context import Context
from fleetrig.reference_server.stores.interface import Key, Kind

R = TypeVar("R")
T = TypeVar("T")

BATCH: Final = 250
"""Looked at without giving way: some 10 ms."""


@dataclass(frozen=True)
class Stored(Generic[R]):
    """All records of a kind, or those that an index entry (name, value) names, as far as they fit."""

    kind: Kind[R]
    of: tuple[str, Key] | None = None
    fits: Callable[[R], bool] | None = None
    by: Callable[[R], Any] | None = None
    """What they are in order of when nobody asks for another one, if that is not the key."""
    key_fields: frozenset[str] = frozenset({"id"})
    """The names, in lower case, by which the key can be sorted."""

    def count(self, ctx: Context) -> int:
        """How many there are, fitting or not."""
        store = ctx.repo.store
        return store.count(self.kind, ctx.tenant) if self.of is None else store.count(self.kind, ctx.tenant, *self.of)

    def batches(self, ctx: Context) -> Iterator[Sequence[R]]:
        """Records may come and go between two batches; each is met once at most."""
        key: Key | None = None
        while batch := ctx.repo.store.after(self.kind, ctx.tenant, key, BATCH, of=self.of):
            key = self.kind.key(batch[-1])
            yield batch if self.fits is None else list(filter(self.fits, batch))


@dataclass(frozen=True)
class Chosen(Generic[R]):
    """Records that something else names, so many of them."""

    names: Sequence[Key]
    get: Callable[[Any], R | None]
    by: Callable[[R], Any] | None = None

    def count(self, ctx: Context) -> int:
        return len(self.names)

    def batches(self, ctx: Context) -> Iterator[Sequence[R]]:
        for names in batched(self.names, BATCH):
            yield [record for record in map(self.get, names) if record is not None]


@dataclass(frozen=True)
class Derived(Generic[R]):
    """A record for each of another kind, as far as it is there: the targets of actions."""

    source: Stored[Any]
    get: Callable[[Any], R | None]
    by: Callable[[R], Any] | None = None

    def count(self, ctx: Context) -> int:
        return self.source.count(ctx)

    def batches(self, ctx: Context) -> Iterator[Sequence[R]]:
        for batch in self.source.batches(ctx):
            yield [record for record in map(self.get, batch) if record is not None]


Source = Stored[R] | Chosen[R] | Derived[R]


def batched(items: Iterable[T], count: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, count)):
        yield batch
