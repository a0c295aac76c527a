"""Transactions that go wrong half way, or at their commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fleetrig.reference_server.stores.interface import Store, StoreFailed
from fleetrig.reference_server.stores.memory import MemoryStore


class Failure(Exception):
    pass


def fail_after(store: Store, write: Callable[[], object]) -> None:
    """Does `write` in a transaction and fails."""
    try:
        with store.transaction():
            write()
            raise Failure
    except Failure:
        return


class FailingStore(MemoryStore):
    """While it `fails`, nothing can be committed, as on a full disk."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with super().transaction():
            yield
            if self.fails:
                raise StoreFailed("the disk is full")
