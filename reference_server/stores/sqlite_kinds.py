"""Which kinds a file knows, and in which shape: a kind with new fields or indexes is indexed anew, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fleetrig.reference_server.stores.codec import codec_for
from fleetrig.reference_server.stores.indexing import entries_of, key_of
from fleetrig.reference_server.stores.interface import Kind, R, StoreFailed
from fleetrig.reference_server.stores.sqlite_tables import Tables
from fleetrig.simulator.contract.errors import ModelError


class SqliteKinds:
    """Writes only inside of a transaction, which `begin` starts."""

    def __init__(self, tables: Tables, begin: Callable[[], None]) -> None:
        self._tables = tables
        self._begin = begin
        self._known: dict[str, type[Any]] = {}

    def is_current(self, kind: Kind[Any]) -> bool:
        """False when the index entries in the file are those of an older shape."""
        if kind.name in self._known:
            return True
        shape = self._tables.shape(kind.name)
        if shape == _shape(kind):
            self._known[kind.name] = kind.record
        return shape in {None, _shape(kind)}

    def admit(self, kind: Kind[Any]) -> None:
        """Before the first write of a kind. Raises ModelError when another has its name."""
        known = self._known.get(kind.name)
        if known is None:
            self._begin()
            if not self.is_current(kind):
                self._index_anew(kind)
            self._tables.set_shape(kind.name, _shape(kind))
            self._known[kind.name] = kind.record
        elif known is not kind.record:
            raise ModelError(f"two kinds are called {kind.name!r}: {known} and {kind.record}")

    def forget(self) -> None:
        """After a rollback, which may have taken back what was written here."""
        self._known.clear()

    def decode(self, kind: Kind[R], body: str) -> R:
        try:
            return codec_for(kind.record).decode(body)
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as problem:
            raise StoreFailed(
                f"the store {self._tables.path} holds a {kind.name} that this version cannot read: {problem}; it says"
                f" {body[:80]!r}"
            ) from problem

    def _index_anew(self, kind: Kind[Any]) -> None:
        self._tables.forget_entries(kind.name)
        for tenant, body in self._tables.of_kind(kind.name):
            record = self.decode(kind, body)
            self._tables.enter((kind.name, tenant, key_of(kind, record)), entries_of(kind, record))


def _shape(kind: Kind[Any]) -> str:
    return json.dumps([sorted(kind.indexes), sorted(codec_for(kind.record).names)])
