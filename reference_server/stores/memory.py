"""MemoryStore: dicts, for virtual time, for tests and for `serve` without a `--store`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from fleetrig.reference_server.stores.codec import codec_for
from fleetrig.reference_server.stores.indexing import Entry, entries_of, key_of, require_index
from fleetrig.reference_server.stores.interface import Key, Kind, R
from fleetrig.reference_server.stores.key_order import KeyOrder, KeyOrders
from fleetrig.reference_server.stores.transaction import Transaction
from fleetrig.simulator.contract.errors import ModelError


@dataclass(slots=True)
class _Table:
    """The records of one kind and tenant."""

    kind: Kind[Any]
    records: dict[Key, Any] = field(default_factory=dict)
    found: defaultdict[str, dict[Key, Key | set[Key]]] = field(default_factory=lambda: defaultdict(dict))
    """Index name -> value -> who has it: a key that is alone there, as most are, stands without a set."""
    orders: KeyOrders = field(default_factory=KeyOrders)

    def place(self, key: Key, record: Any) -> Any:
        """Puts a record, or removes it when None, and its index entries with it. Returns the one before, or None."""
        before, new = self.records.get(key), entries_of(self.kind, record)
        if before is not None:
            old = entries_of(self.kind, before)
            for entry in old - new:
                self._leave(entry, key)
                self.orders.removed(entry, key)
            new = new - old
        for name, value in new:
            self.orders.added((name, value), key)
            holders = self.found[name]
            if (holder := holders.setdefault(value, key)) is key:
                continue
            if isinstance(holder, set):
                holder.add(key)
            else:
                holders[value] = {holder, key}
        if record is None:
            if before is not None:
                self.orders.removed(None, key)
                del self.records[key]
        else:
            if before is None:
                self.orders.added(None, key)
            self.records[key] = record
        return before

    def order(self, of: Entry | None) -> KeyOrder:
        """The keys of all records, or of those that an index entry names."""
        return self.orders.get(of, lambda: sorted(self.records if of is None else self.holders(of)))

    def holders(self, entry: Entry) -> Iterable[Key]:
        name, value = entry
        holder = self.found[name].get(value) if name in self.found else None
        return () if holder is None else holder if isinstance(holder, set) else (holder,)

    def _leave(self, entry: Entry, key: Key) -> None:
        name, value = entry
        holder = self.found[name][value]
        if isinstance(holder, set) and len(holder) > 1:
            holder.discard(key)
        else:
            del self.found[name][value]


class MemoryStore:
    """See `interface.Store`. A failed transaction is undone by placing back, last first, what each write replaced."""

    def __init__(self, at_close: Callable[[], None] | None = None) -> None:
        self._tables: dict[tuple[str, str], _Table] = {}
        self._sequences: dict[str, int] = {}
        self._undo: list[tuple[_Table, Key, Any]] = []
        self._transaction = Transaction(self._undo.clear, self._rollback)
        self._at_close = at_close

    def get(self, kind: Kind[R], tenant: str, key: Key) -> R | None:
        table = self._tables.get((kind.name, tenant))
        return None if table is None else table.records.get(key)

    def put(self, kind: Kind[R], tenant: str, record: R, *, lazily: bool = False) -> None:
        table = self._tables.get((kind.name, tenant))
        if table is None or table.kind is not kind:
            table = self._table(kind, tenant)
        self._place(table, key_of(kind, record), record)

    def delete(self, kind: Kind[Any], tenant: str, key: Key) -> bool:
        table = self._tables.get((kind.name, tenant))
        if table is None or key not in table.records:
            return False
        self._place(table, key, None)
        return True

    def find(self, kind: Kind[R], tenant: str, index: str, value: Key) -> list[R]:
        holder = self._holder(kind, tenant, index, value)
        if holder is None:
            return []
        records = self._tables[kind.name, tenant].records
        return [records[key] for key in sorted(holder)] if isinstance(holder, set) else [records[holder]]

    def count(self, kind: Kind[Any], tenant: str, index: str | None = None, value: Key | None = None) -> int:
        if index is None:
            return len(self._records(kind, tenant))
        if value is None:
            raise ModelError(f"counting by index {index!r} needs a value")
        holder = self._holder(kind, tenant, index, value)
        if holder is None:
            return 0
        return len(holder) if isinstance(holder, set) else 1

    def scan(self, kind: Kind[R], tenant: str) -> Iterator[R]:
        table = self._tables.get((kind.name, tenant))
        if table is not None:
            yield from map(table.records.__getitem__, list(table.order(None).keys))

    def page(
        self,
        kind: Kind[R],
        tenant: str,
        offset: int,
        limit: int,
        *,
        of: Entry | None = None,
        descending: bool = False,
    ) -> list[R]:
        table = self._table_to_read(kind, tenant, of)
        if table is None:
            return []
        return [table.records[key] for key in table.order(of).page(offset, limit, descending=descending)]

    def after(self, kind: Kind[R], tenant: str, key: Key | None, limit: int, *, of: Entry | None = None) -> list[R]:
        table = self._table_to_read(kind, tenant, of)
        return [] if table is None else [table.records[one] for one in table.order(of).after(key, limit)]

    def tenants(self, kind: Kind[Any]) -> list[str]:
        return sorted(tenant for (name, tenant), table in self._tables.items() if name == kind.name and table.records)

    def totals(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for (name, _), table in self._tables.items():
            found[name] += len(table.records)
        return {name: count for name, count in sorted(found.items()) if count}

    def next_id(self, sequence: str, at_least: int = 1) -> int:
        given = self._sequences[sequence] = max(self._sequences.get(sequence, 0) + 1, at_least)
        return given

    def transaction(self) -> AbstractContextManager[None]:
        return self._transaction

    def when_settled(self, settle: Callable[[bool], None]) -> None:
        self._transaction.when_settled(settle)

    def flush(self) -> None:
        """Nothing waits: memory is as lazy as it gets."""

    def close(self) -> None:
        at_close, self._at_close = self._at_close, None
        if at_close is not None:
            at_close()

    def _table(self, kind: Kind[Any], tenant: str) -> _Table:
        table = self._tables.get((kind.name, tenant))
        if table is None:
            codec_for(kind.record)  # refuses here what a file could not hold, so that every store takes the same
            table = self._tables[kind.name, tenant] = _Table(kind)
        elif table.kind.record is not kind.record:
            raise ModelError(f"two kinds are called {kind.name!r}: {table.kind.record} and {kind.record}")
        return table

    def _table_to_read(self, kind: Kind[Any], tenant: str, of: Entry | None) -> _Table | None:
        if of is not None:
            require_index(kind, of[0])
        return self._tables.get((kind.name, tenant))

    def _records(self, kind: Kind[R], tenant: str) -> dict[Key, R]:
        table = self._tables.get((kind.name, tenant))
        return {} if table is None else table.records

    def _holder(self, kind: Kind[Any], tenant: str, index: str, value: Key) -> Key | set[Key] | None:
        """Whom an index entry names."""
        require_index(kind, index)
        table = self._tables.get((kind.name, tenant))
        return None if table is None else table.found[index].get(value)

    def _place(self, table: _Table, key: Key, record: Any) -> None:
        before = table.place(key, record)
        if self._transaction.is_open:
            self._undo.append((table, key, before))

    def _rollback(self) -> None:
        for table, key, before in reversed(self._undo):
            table.place(key, before)
        self._undo.clear()
