"""The SQL of a SqliteStore: rows in and out of one open file, no cache and no records."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from fleetrig.reference_server.stores.indexing import Entry
from fleetrig.reference_server.stores.interface import Key
from fleetrig.reference_server.stores.sqlite_errors import SQLITE_FAILURES, damaged, explained
from fleetrig.reference_server.stores.sqlite_file import Durability, open_file
from fleetrig.reference_server.stores.sqlite_guard import FileGuard
from fleetrig.simulator.contract.errors import ModelError

Id = tuple[str, str, Key]
"""(kind, tenant, key)."""

OF_RECORD: Final = "kind = ? AND tenant = ? AND key = ?"
OF_ENTRY: Final = "kind = ? AND tenant = ? AND name = ? AND value = ?"

READ: Final = f"SELECT body FROM records WHERE {OF_RECORD}"
WRITE: Final = "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)"
ERASE: Final = f"DELETE FROM records WHERE {OF_RECORD}"
SCAN: Final = "SELECT key, body FROM records WHERE kind = ? AND tenant = ? ORDER BY key"
FIND: Final = f"SELECT key, body FROM entries JOIN records USING (kind, tenant, key) WHERE {OF_ENTRY} ORDER BY key"
KEYS: Final = "SELECT key FROM records WHERE kind = ? AND tenant = ? ORDER BY key LIMIT ?"
KEYS_FOUND: Final = f"SELECT key FROM entries WHERE {OF_ENTRY} ORDER BY key LIMIT ?"
ALL_OF_THEM: Final = -1
AFTER: Final = "SELECT key, body FROM records WHERE kind = ? AND tenant = ? AND key > ? ORDER BY key LIMIT ?"
FIND_AFTER: Final = FIND.replace(" ORDER", " AND entries.key > ? ORDER") + " LIMIT ?"
ENTER: Final = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)"
LEAVE: Final = f"DELETE FROM entries WHERE {OF_ENTRY} AND key = ?"
COUNT: Final = "SELECT count(*) FROM records WHERE kind = ? AND tenant = ?"
COUNT_ENTRIES: Final = f"SELECT count(*) FROM entries WHERE {OF_ENTRY}"
OF_INDEX: Final = "kind = ? AND tenant = ? AND name = ?"
FIRST_VALUE: Final = f"SELECT min(value) FROM entries WHERE {OF_INDEX}"
NEXT_VALUE: Final = f"SELECT min(value) FROM entries WHERE {OF_INDEX} AND value > ?"
FIRST_TENANT: Final = "SELECT min(tenant) FROM records WHERE kind = ?"
NEXT_TENANT: Final = "SELECT min(tenant) FROM records WHERE kind = ? AND tenant > ?"
ALL: Final = "SELECT kind, tenant, key, body FROM records"
OF_KIND: Final = "SELECT tenant, key, body FROM records WHERE kind = ?"

CHECKSUM_CHARS: Final = 8

SqlRow = tuple[Any, ...]


class Tables:
    """Every error of SQLite leaves here as one of ours, with the path."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self.path: Final = path
        self._connection = open_file(path, durability)
        self._execute = self._connection.execute
        self._guard = FileGuard(path)
        self._began = False
        try:
            self.check_sequences()
            self.check_records()
        except BaseException:
            self._connection.close()
            raise

    def begin(self) -> None:
        self._guard.check()
        if self._connection.in_transaction:  # a rollback has failed before
            self.run("ROLLBACK")
        self.run("BEGIN IMMEDIATE")
        self._began = True

    def commit(self) -> None:
        self.run("COMMIT")
        self._ended()

    def rollback(self) -> None:
        try:
            if self._connection.in_transaction:  # SQLite has rolled back itself when the disk is full
                self.run("ROLLBACK")
        finally:
            self._ended()

    def _ended(self) -> None:
        """What a transaction has written is ours; one that was never begun has written nothing."""
        if self._began:
            self._began = False
            self._guard.note()

    def check(self) -> None:
        """Raises StoreFailed when the file is no longer the one that was opened."""
        self._guard.check()

    def close(self) -> None:
        """Raises StoreFailed when what was written is in no file that anybody will find."""
        try:
            self._guard.check()
        finally:
            self._connection.close()

    def read(self, of: Id) -> str | None:
        kind, tenant, key = of
        row = self._first(self.run(READ, (kind, stored(tenant), stored(key))))
        return None if row is None else self._checked(of, row[0])

    def write(self, of: Id, body: str) -> None:
        kind, tenant, key = of
        self.run(WRITE, (kind, stored(tenant), stored(key), body + checksum(of, body)))

    def erase(self, of: Id) -> None:
        kind, tenant, key = of
        self.run(ERASE, (kind, stored(tenant), stored(key)))

    def enter(self, of: Id, entries: Iterable[Entry]) -> None:
        for name, value in entries:
            self.run(ENTER, (of[0], stored(of[1]), name, stored(value), stored(of[2])))

    def leave(self, of: Id, entries: Iterable[Entry]) -> None:
        for name, value in entries:
            self.run(LEAVE, (of[0], stored(of[1]), name, stored(value), stored(of[2])))

    def scan(self, kind: str, tenant: str) -> Iterator[tuple[Key, str]]:
        return self._keyed(kind, tenant, self.run(SCAN, (kind, stored(tenant))))

    def find(self, kind: str, tenant: str, index: str, value: Key) -> Iterator[tuple[Key, str]]:
        return self._keyed(kind, tenant, self.run(FIND, (kind, stored(tenant), index, stored(value))))

    def keys(self, kind: str, tenant: str, of: Entry | None, limit: int = ALL_OF_THEM) -> Iterator[Key]:
        """In order: of all records, or of those that an index entry names."""
        where = (kind, stored(tenant)) if of is None else (kind, stored(tenant), of[0], stored(of[1]))
        cursor = self.run(KEYS if of is None else KEYS_FOUND, (*where, limit))
        return (self._restored(key) for (key,) in self._rows(cursor))

    def after(self, kind: str, tenant: str, key: Key | None, limit: int, of: Entry | None) -> Iterator[tuple[Key, str]]:
        """The next rows behind a key, or the first for None."""
        where = (kind, stored(tenant)) if of is None else (kind, stored(tenant), of[0], stored(of[1]))
        if key is None:
            rows = self.scan(kind, tenant) if of is None else self.find(kind, tenant, *of)
            return islice(rows, limit)
        return self._keyed(kind, tenant, self.run(AFTER if of is None else FIND_AFTER, (*where, stored(key), limit)))

    def count(self, kind: str, tenant: str) -> int:
        return self._number(self.run(COUNT, (kind, stored(tenant))))

    def count_found(self, kind: str, tenant: str, index: str, value: Key) -> int:
        return self._number(self.run(COUNT_ENTRIES, (kind, stored(tenant), index, stored(value))))

    def tenants(self, kind: str) -> Iterator[str]:
        """In order, one step through the primary key for each, however many records they have."""
        (tenant,) = self._first(self.run(FIRST_TENANT, (kind,))) or (None,)
        while tenant is not None:
            yield str(self._restored(tenant))
            (tenant,) = self._first(self.run(NEXT_TENANT, (kind, tenant))) or (None,)

    def values(self, kind: str, tenant: str, index: str) -> Iterator[Key]:
        """In order, one step for each, however many records have it."""
        where = (kind, stored(tenant), index)
        (value,) = self._first(self.run(FIRST_VALUE, where)) or (None,)
        while value is not None:
            yield self._restored(value)
            (value,) = self._first(self.run(NEXT_VALUE, (*where, value))) or (None,)

    def kinds(self) -> list[str]:
        return [str(name) for (name,) in self._rows(self.run("SELECT name FROM kinds ORDER BY name"))]

    def last_given(self, sequence: str) -> int:
        row = self._first(self.run("SELECT last FROM sequences WHERE name = ?", (sequence,)))
        return 0 if row is None else self._last(sequence, row[0])

    def check_sequences(self) -> None:
        """An id must not be given twice, be it that only a sequence's name is damaged. Raises StoreFailed."""
        for name, last in self._rows(self.run("SELECT name, last FROM sequences")):
            self._last(name, last)

    def check_records(self) -> None:
        """A damaged key lies in the wrong place, where nobody finds it: all are looked at, about 4 s for a million.

        Raises StoreFailed."""
        for kind, tenant, key, body in self._rows(self.run(ALL)):
            self._checked((kind, str(self._restored(tenant)), self._restored(key)), body)

    def _last(self, sequence: str, last: Any) -> int:
        if isinstance(last, int):  # written before there were checksums
            return last
        number, _, _ = str(last).partition(":")
        if last != _summed(sequence, number):
            raise damaged(self.path, f"the sequence {sequence!r:.60} is not as it was written")
        return int(number)

    def give(self, sequence: str, last: int) -> None:
        self.run("INSERT OR REPLACE INTO sequences VALUES (?, ?)", (sequence, _summed(sequence, str(last))))

    def shape(self, kind: str) -> str | None:
        row = self._first(self.run("SELECT shape FROM kinds WHERE name = ?", (kind,)))
        return None if row is None else str(row[0])

    def set_shape(self, kind: str, shape: str) -> None:
        self.run("INSERT OR REPLACE INTO kinds VALUES (?, ?)", (kind, shape))

    def forget_entries(self, kind: str) -> None:
        self.run("DELETE FROM entries WHERE kind = ?", (kind,))

    def of_kind(self, kind: str) -> Iterator[tuple[str, str]]:
        """(tenant, body) of every record of a kind."""
        for tenant, key, body in self._rows(self.run(OF_KIND, (kind,))):
            name = str(self._restored(tenant))
            yield name, self._checked((kind, name, self._restored(key)), body)

    def run(self, statement: str, arguments: SqlRow = ()) -> sqlite3.Cursor:
        try:
            return self._execute(statement, arguments)
        except sqlite3.ProgrammingError as problem:
            raise ModelError(f"the store {self.path}: {problem}") from problem
        except SQLITE_FAILURES as problem:
            raise explained(problem, self.path) from problem

    def _keyed(self, kind: str, tenant: str, cursor: sqlite3.Cursor) -> Iterator[tuple[Key, str]]:
        for stored_key, body in self._rows(cursor):
            key = self._restored(stored_key)
            yield key, self._checked((kind, tenant, key), body)

    def _rows(self, cursor: sqlite3.Cursor) -> Iterator[SqlRow]:
        """SQLite reads on while one iterates, so it may fail there too."""
        try:
            yield from cursor
        except SQLITE_FAILURES as problem:
            raise explained(problem, self.path) from problem

    def _first(self, cursor: sqlite3.Cursor) -> SqlRow | None:
        return next(self._rows(cursor), None)

    def _number(self, cursor: sqlite3.Cursor) -> int:
        """The number in the first row, 0 without one."""
        row = self._first(cursor) or (0,)
        if not isinstance(row[0], int):
            raise damaged(self.path, f"{row[0]!r:.40} stands for a number")
        return row[0]

    def _restored(self, value: Any) -> Key:
        try:
            return restored(value)
        except UnicodeDecodeError:
            raise damaged(self.path, f"{value!r:.40} stands for a name") from None

    def _checked(self, of: Id, body: Any) -> str:
        """The JSON of a stored body. Raises StoreFailed when it is not what was written."""
        if not isinstance(body, str):
            raise damaged(self.path, f"a {of[0]} is no text")
        if body.endswith("}"):  # written before there were checksums
            return body
        text = body[:-CHECKSUM_CHARS]
        if checksum(of, text) != body[-CHECKSUM_CHARS:]:
            raise damaged(self.path, f"{of[0]} {of[2]!r:.60} is not as it was written")
        return text


def _summed(sequence: str, number: str) -> str:
    """As text, though its column is for numbers: SQLite keeps what is none as it is."""
    return f"{number}:{checksum(('', sequence, 0), number)}"


def checksum(of: Id, body: str) -> str:
    """Follows a body, so that a flipped bit in it, or in its key, is no answer to anybody."""
    named = f"{of[0]}\n{of[1]}\n{of[2]}\n{body}".encode("utf-8", "surrogatepass")
    return f"{zlib.crc32(named):08x}"


def stored(value: Key) -> int | bytes:
    """Strings as their UTF-8: compared by code point as in Python, and half a surrogate pair, which JSON may bring and
    a text column would refuse, is a string like any other."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def restored(value: int | bytes) -> Key:
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value
