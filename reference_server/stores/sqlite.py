"""SqliteStore: one file, one connection, one process, and caches in front that spare most reads their SQL.

1. Reading begins no transaction; the first write of one does. `_undo` and the cleared caches make a rollback whole.
2. The caches are exact, since every write of the file goes through here. `_records` also knows what does not exist.
3. A lazy put waits in `_waiting` only while it leaves the record's index entries alone: so the index tables are right
   at any time, and only a body in the file can be older than what waits.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, cast

from fleetrig.reference_server.stores.codec import codec_for
from fleetrig.reference_server.stores.indexing import (
    NO_ENTRIES,
    Entry,
    entries_moved,
    entries_of,
    is_storable,
    key_of,
    require_index,
)
from fleetrig.reference_server.stores.interface import Key, Kind, R
from fleetrig.reference_server.stores.key_order import KeyOrder, KeyOrders
from fleetrig.reference_server.stores.recent import MISSING, Recent
from fleetrig.reference_server.stores.sqlite_file import Durability
from fleetrig.reference_server.stores.sqlite_kinds import SqliteKinds
from fleetrig.reference_server.stores.sqlite_tables import Id, Tables
from fleetrig.reference_server.stores.transaction import Transaction
from fleetrig.simulator.contract.errors import ModelError

CACHED_RECORDS: Final = 65_536
MOST_CACHED_KEYS: Final = 64
"""A longer result of `find` is asked for anew each time."""

JOINED: Final[AbstractContextManager[None]] = nullcontext()


class SqliteStore:
    """See `interface.Store`. Raises UsageError for a path that is no store of ours, BrokenBench for one in use.

    What was committed outlives a `kill -9`; with `durability="power-cut"` also the machine, for an fsync each time."""

    def __init__(self, path: Path, *, durability: Durability = "kill", cached_records: int = CACHED_RECORDS) -> None:
        self._tables = Tables(path, durability)
        self._transaction = Transaction(self._commit, self._rollback)
        self._kinds = SqliteKinds(self._tables, self._begin)
        self._begun = False
        self._is_closed = False
        self._records: Recent[Id, Any] = Recent(cached_records)
        self._found: Recent[tuple[str, str, Entry], tuple[Key, ...]] = Recent(cached_records)
        self._sizes: dict[tuple[str, str], int] = {}
        self._orders: defaultdict[tuple[str, str], KeyOrders] = defaultdict(KeyOrders)
        self._grown: Counter[tuple[str, str]] = Counter()
        """By how much tables have grown in this transaction; those whose orders may have changed are in it too."""
        self._waiting: dict[Id, tuple[Kind[Any], Any]] = {}
        self._undo: dict[Id, tuple[Kind[Any], Any] | None] = {}
        self._sequences: dict[str, int] = {}
        self._given: set[str] = set()

    # Reading

    def get(self, kind: Kind[R], tenant: str, key: Key) -> R | None:
        of = (kind.name, tenant, key)
        record: Any = self._records.get(of)
        if record is MISSING:
            return self._load(kind, of)
        known: R | None = record
        return known

    def find(self, kind: Kind[R], tenant: str, index: str, value: Key) -> list[R]:
        keys = self._found.get((kind.name, tenant, (index, value)))
        if keys is not MISSING:
            records = [self.get(kind, tenant, key) for key in keys]
            return [record for record in records if record is not None]
        require_index(kind, index)
        if not is_storable(value):
            return []
        self._admit_to_read(kind)
        found = list(self._gather(kind, tenant, self._tables.find(kind.name, tenant, index, value)))
        if len(found) <= MOST_CACHED_KEYS:
            self._found.put((kind.name, tenant, (index, value)), tuple(map(kind.key, found)))
        return found

    def count(self, kind: Kind[Any], tenant: str, index: str | None = None, value: Key | None = None) -> int:
        if index is None:
            return self._size(kind.name, tenant)
        if value is None:
            raise ModelError(f"counting by index {index!r} needs a value")
        keys = self._found.get((kind.name, tenant, (index, value)))
        if keys is not MISSING:
            return len(keys)
        require_index(kind, index)
        if not is_storable(value):
            return 0
        self._admit_to_read(kind)
        keys = tuple(self._tables.keys(kind.name, tenant, (index, value), MOST_CACHED_KEYS + 1))
        if len(keys) > MOST_CACHED_KEYS:
            return self._tables.count_found(kind.name, tenant, index, value)
        self._found.put((kind.name, tenant, (index, value)), keys)
        return len(keys)

    def scan(self, kind: Kind[R], tenant: str) -> Iterator[R]:
        return self._gather(kind, tenant, self._tables.scan(kind.name, tenant))

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
        return self._each(kind, tenant, self._order(kind, tenant, of).page(offset, limit, descending=descending))

    def after(self, kind: Kind[R], tenant: str, key: Key | None, limit: int, *, of: Entry | None = None) -> list[R]:
        if of is not None:
            require_index(kind, of[0])
            if not is_storable(of[1]):
                return []
            self._admit_to_read(kind)
        return list(self._gather(kind, tenant, self._tables.after(kind.name, tenant, key, limit, of)))

    def values(self, kind: Kind[Any], tenant: str, index: str) -> list[Key]:
        require_index(kind, index)
        self._admit_to_read(kind)
        return list(self._tables.values(kind.name, tenant, index))

    def tenants(self, kind: Kind[Any]) -> list[str]:
        return list(self._tables.tenants(kind.name))

    def totals(self) -> dict[str, int]:
        sizes = {name: sum(self._size(name, t) for t in self._tables.tenants(name)) for name in self._tables.kinds()}
        return {name: size for name, size in sizes.items() if size}

    # Writing

    def put(self, kind: Kind[R], tenant: str, record: R, *, lazily: bool = False) -> None:
        key = key_of(kind, record)
        of = (kind.name, tenant, key)
        before = self.get(kind, tenant, key)
        if lazily and before is not None and not kind.indexes and self._transaction.is_open:
            self._put_off(kind, of, record)  # nearly every write is the time of a poll
            return
        leave, enter = entries_moved(kind, before, record)
        with self._joined():
            if lazily and before is not None and not (leave or enter):
                self._put_off(kind, of, record)
                return
            self._write(kind, of, record, is_new=before is None, leave=leave, enter=enter)
            self._records.put(of, record)

    def delete(self, kind: Kind[Any], tenant: str, key: Key) -> bool:
        before = self.get(kind, tenant, key)
        if before is None:
            return False
        of = (kind.name, tenant, key)
        with self._joined():
            self._begin()
            self._remember(of)
            self._tables.erase(of)
            self._move(of, leave=entries_of(kind, before), enter=NO_ENTRIES)
            self._waiting.pop(of, None)
            self._resize(of, -1)
            self._records.put(of, None)
        return True

    def next_id(self, sequence: str, at_least: int = 1) -> int:
        last = self._sequences.get(sequence)
        given = max((self._tables.last_given(sequence) if last is None else last) + 1, at_least)
        with self._joined():
            self._sequences[sequence] = given
            self._given.add(sequence)
        return given

    def transaction(self) -> AbstractContextManager[None]:
        return self._transaction

    def when_settled(self, settle: Callable[[bool], None]) -> None:
        self._transaction.when_settled(settle)

    def flush(self) -> None:
        if not self._waiting and not self._given:
            self._tables.check()
            return
        with self._joined():
            for of, (kind, record) in self._waiting.items():
                self._begin()
                self._remember(of)
                self._tables.write(of, codec_for(kind.record).encode(record))
            self._waiting.clear()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.flush()
        finally:
            self._tables.close()

    # Beneath

    def _load(self, kind: Kind[R], of: Id) -> R | None:
        record = self._stored(kind, of)
        self._records.put(of, record)
        return record

    def _stored(self, kind: Kind[R], of: Id) -> R | None:
        waiting = self._waiting.get(of)
        if waiting is not None:
            return cast("R", waiting[1])
        body = self._tables.read(of) if is_storable(of[2]) else None
        return None if body is None else self._kinds.decode(kind, body)

    def _gather(self, kind: Kind[R], tenant: str, rows: Iterable[tuple[Key, str]]) -> Iterator[R]:
        for key, body in rows:
            of = (kind.name, tenant, key)
            known = self._records.peek(of)
            if known is not MISSING:
                yield cast("R", known)
                continue
            waiting = self._waiting.get(of)
            record: R = self._kinds.decode(kind, body) if waiting is None else waiting[1]
            self._records.offer(of, record)
            yield record

    def _each(self, kind: Kind[R], tenant: str, keys: Iterable[Key]) -> list[R]:
        """Those that have been asked for lately stay in the cache, whoever goes through all."""
        records = [self._look((kind.name, tenant, key), kind) for key in keys]
        return [record for record in records if record is not None]

    def _look(self, of: Id, kind: Kind[R]) -> R | None:
        known = self._records.peek(of)
        if known is not MISSING:
            return cast("R | None", known)
        record = self._stored(kind, of)
        self._records.offer(of, record)
        return record

    def _order(self, kind: Kind[Any], tenant: str, of: Entry | None) -> KeyOrder:
        if of is not None:
            require_index(kind, of[0])
            if not is_storable(of[1]):
                return KeyOrder(())
            self._admit_to_read(kind)
        return self._orders[kind.name, tenant].get(of, lambda: self._tables.keys(kind.name, tenant, of))

    def _size(self, name: str, tenant: str) -> int:
        size = self._sizes.get((name, tenant))
        if size is None:
            size = self._sizes[name, tenant] = self._tables.count(name, tenant)
        return size

    def _admit_to_read(self, kind: Kind[Any]) -> None:
        """Before index entries are used."""
        if not self._kinds.is_current(kind):
            with self._joined():
                self._kinds.admit(kind)

    def _put_off(self, kind: Kind[R], of: Id, record: R) -> None:
        waiting = self._waiting
        if of not in self._undo:
            self._undo[of] = waiting.get(of)
        waiting[of] = (kind, record)
        self._records.put(of, record)

    def _write(
        self, kind: Kind[R], of: Id, record: R, *, is_new: bool, leave: AbstractSet[Entry], enter: AbstractSet[Entry]
    ) -> None:
        body = codec_for(kind.record).encode(record)
        self._begin()
        self._kinds.admit(kind)
        self._remember(of)
        self._tables.write(of, body)
        self._move(of, leave=leave, enter=enter)
        self._waiting.pop(of, None)
        if is_new:
            self._resize(of, +1)

    def _move(self, of: Id, *, leave: AbstractSet[Entry], enter: AbstractSet[Entry]) -> None:
        """A record's index entries, in the file and in what `find` has cached."""
        if not (leave or enter):
            return
        self._tables.leave(of, leave)
        self._tables.enter(of, enter)
        for entry in leave | enter:
            self._keep_found((of[0], of[1], entry), of[2], is_there=entry in enter)
        self._grown[of[:2]] += 0
        orders = self._orders.get(of[:2])
        if orders is not None:
            for entry in leave:
                orders.removed(entry, of[2])
            for entry in enter:
                orders.added(entry, of[2])

    def _keep_found(self, found: tuple[str, str, Entry], key: Key, *, is_there: bool) -> None:
        """What is known of an entry stays known, with one key more or less."""
        keys = self._found.peek(found)
        if keys is MISSING:
            return
        others: list[Any] = [one for one in keys if one != key]
        if is_there:
            insort(others, key)
        if len(others) <= MOST_CACHED_KEYS:
            self._found.put(found, tuple(others))
        else:
            self._found.pop(found)

    def _resize(self, of: Id, by: int) -> None:
        table = of[:2]
        self._grown[table] += by
        size = self._sizes.get(table)
        if size is not None:
            self._sizes[table] = size + by
        orders = self._orders.get(table)
        if orders is not None:
            (orders.added if by > 0 else orders.removed)(None, of[2])

    # Transactions

    def _joined(self) -> AbstractContextManager[None]:
        """The open transaction, or one for this write alone."""
        return JOINED if self._transaction.is_open else self._transaction

    def _begin(self) -> None:
        if not self._begun:
            self._tables.begin()
            self._begun = True

    def _remember(self, of: Id) -> None:
        if of not in self._undo:
            self._undo[of] = self._waiting.get(of)

    def _commit(self) -> None:
        try:
            if self._given:
                self._begin()
                for sequence in self._given:
                    self._tables.give(sequence, self._sequences[sequence])
            if self._begun:
                self._tables.commit()
        except BaseException:
            self._rollback()
            raise
        self._given.clear()
        self._end()

    def _rollback(self) -> None:
        for of, waiting in self._undo.items():
            self._records.pop(of)
            if waiting is None:
                self._waiting.pop(of, None)
            else:
                self._waiting[of] = waiting
        if self._begun:
            self._found.clear()
            self._shrink_again()
            self._kinds.forget()
        try:
            self._tables.rollback()
        finally:
            self._end()

    def _shrink_again(self) -> None:
        """What was counted and put in order meanwhile is not there. What was counted in between is right again, too:
        a size that was not known when its table began to grow was read from the file with what had been written."""
        for table, by in self._grown.items():
            if table in self._sizes:
                self._sizes[table] -= by
            self._orders.pop(table, None)

    def _end(self) -> None:
        self._undo.clear()
        self._grown.clear()
        self._begun = False
