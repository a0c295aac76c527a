"""The SQL of a SqliteStore: rows in and out of one open file, no cache and no records."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from fleetrig.reference_server.stores.indexing import Entry
from fleetrig.reference_server.stores.interface import Key
from fleetrig.reference_server.stores.sqlite_file import Durability, explained, open_file
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
ENTER: Final = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)"
LEAVE: Final = f"DELETE FROM entries WHERE {OF_ENTRY} AND key = ?"
COUNT: Final = "SELECT count(*) FROM records WHERE kind = ? AND tenant = ?"
COUNT_ENTRIES: Final = f"SELECT count(*) FROM entries WHERE {OF_ENTRY}"
FIRST_TENANT: Final = "SELECT min(tenant) FROM records WHERE kind = ?"
NEXT_TENANT: Final = "SELECT min(tenant) FROM records WHERE kind = ? AND tenant > ?"
OF_KIND: Final = "SELECT tenant, body FROM records WHERE kind = ?"

SqlRow = tuple[Any, ...]


class Tables:
    """Every error of SQLite leaves here as one of ours, with the path."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self.path: Final = path
        self._connection = open_file(path, durability)
        self._execute = self._connection.execute

    def begin(self) -> None:
        self.run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.run("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:  # SQLite has rolled back itself when the disk is full
            self.run("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    def read(self, of: Id) -> str | None:
        kind, tenant, key = of
        row = self.run(READ, (kind, stored(tenant), stored(key))).fetchone()
        return None if row is None else str(row[0])

    def write(self, of: Id, body: str) -> None:
        kind, tenant, key = of
        self.run(WRITE, (kind, stored(tenant), stored(key), body))

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
        return self._keyed(self.run(SCAN, (kind, stored(tenant))))

    def find(self, kind: str, tenant: str, index: str, value: Key) -> Iterator[tuple[Key, str]]:
        return self._keyed(self.run(FIND, (kind, stored(tenant), index, stored(value))))

    def count(self, kind: str, tenant: str) -> int:
        return int(self.run(COUNT, (kind, stored(tenant))).fetchone()[0])

    def count_found(self, kind: str, tenant: str, index: str, value: Key) -> int:
        return int(self.run(COUNT_ENTRIES, (kind, stored(tenant), index, stored(value))).fetchone()[0])

    def tenants(self, kind: str) -> Iterator[str]:
        """In order, one step through the primary key for each, however many records they have."""
        (tenant,) = self.run(FIRST_TENANT, (kind,)).fetchone()
        while tenant is not None:
            yield str(restored(tenant))
            (tenant,) = self.run(NEXT_TENANT, (kind, tenant)).fetchone()

    def kinds(self) -> list[str]:
        return [str(name) for (name,) in self._rows(self.run("SELECT name FROM kinds ORDER BY name"))]

    def last_given(self, sequence: str) -> int:
        row = self.run("SELECT last FROM sequences WHERE name = ?", (sequence,)).fetchone()
        return 0 if row is None else int(row[0])

    def give(self, sequence: str, last: int) -> None:
        self.run("INSERT OR REPLACE INTO sequences VALUES (?, ?)", (sequence, last))

    def shape(self, kind: str) -> str | None:
        row = self.run("SELECT shape FROM kinds WHERE name = ?", (kind,)).fetchone()
        return None if row is None else str(row[0])

    def set_shape(self, kind: str, shape: str) -> None:
        self.run("INSERT OR REPLACE INTO kinds VALUES (?, ?)", (kind, shape))

    def forget_entries(self, kind: str) -> None:
        self.run("DELETE FROM entries WHERE kind = ?", (kind,))

    def of_kind(self, kind: str) -> Iterator[tuple[str, str]]:
        """(tenant, body) of every record of a kind."""
        for tenant, body in self._rows(self.run(OF_KIND, (kind,))):
            yield str(restored(tenant)), body

    def run(self, statement: str, arguments: SqlRow = ()) -> sqlite3.Cursor:
        try:
            return self._execute(statement, arguments)
        except sqlite3.ProgrammingError as problem:
            raise ModelError(f"the store {self.path}: {problem}") from problem
        except sqlite3.Error as problem:
            raise explained(problem, self.path) from problem

    def _keyed(self, cursor: sqlite3.Cursor) -> Iterator[tuple[Key, str]]:
        for key, body in self._rows(cursor):
            yield restored(key), body

    def _rows(self, cursor: sqlite3.Cursor) -> Iterator[SqlRow]:
        """SQLite reads on while one iterates, so it may fail there too."""
        try:
            yield from cursor
        except sqlite3.Error as problem:
            raise explained(problem, self.path) from problem


def stored(value: Key) -> int | bytes:
    """Strings as their UTF-8: compared by code point as in Python, and half a surrogate pair, which JSON may bring and
    a text column would refuse, is a string like any other."""
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def restored(value: int | bytes) -> Key:
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value
