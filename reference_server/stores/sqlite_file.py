"""The file under a SqliteStore: opened only if it is ours, whole, free and not too new."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Final, Literal

from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.reference_server.stores.sqlite_errors import SQLITE_FAILURES, damaged, explained_opening, no_store
from fleetrig.simulator.contract.errors import FleetrigError, UsageError, shown_path, system_said

Durability = Literal["kill", "power-cut"]
"""What a committed write outlives: the end of the process, or also that of the machine (one fsync for each commit)."""

APPLICATION_ID: Final = 0x666C7267  # "flrg", in the file's header: https://www.sqlite.org/fileformat2.html §1.3.16
SCHEMA_VERSION: Final = 2
OLDEST_VERSION: Final = 1
"""Bodies have checksums from 2 on."""
MOST_SAID_CHARS: Final = 200
OF_THE_MACHINE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE})
"""No fault of whoever gave the path."""
LEAST_PAGE_BYTES: Final = 512

# Keys and values are blobs (strings) or integers, so the columns have no type that would convert them.
TABLES: Final = (
    """CREATE TABLE records (kind TEXT NOT NULL, tenant TEXT NOT NULL, key NOT NULL, body TEXT NOT NULL,
       PRIMARY KEY (kind, tenant, key)) WITHOUT ROWID""",
    """CREATE TABLE entries (kind TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, value NOT NULL, key NOT NULL,
       PRIMARY KEY (kind, tenant, name, value, key)) WITHOUT ROWID""",
    "CREATE TABLE kinds (name TEXT PRIMARY KEY, shape TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE sequences (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID",
)
MARKS: Final = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


def open_file(path: Path, durability: Durability) -> sqlite3.Connection:
    """A connection that owns the file until it is closed or the process ends, however it ends.

    Raises UsageError for a path that cannot be or is something else, BrokenBench for one in use or damaged."""
    try:
        _require_place(path)
        _create_private(path)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except OSError as problem:
        raise _cannot_open(path, problem) from problem
    except (sqlite3.Error, ValueError) as problem:
        raise UsageError(f"cannot open the store {shown_path(path)}: {problem}") from problem
    try:
        _take(connection, path, durability)
    except SQLITE_FAILURES as problem:
        connection.close()
        raise explained_opening(problem, path) from problem
    except FleetrigError:
        connection.close()
        raise
    return connection


def _cannot_open(path: Path, problem: OSError) -> FleetrigError:
    said = f"cannot open the store {shown_path(path)}: {system_said(problem)}"
    return StoreFailed(said) if problem.errno in OF_THE_MACHINE else UsageError(said)


def _require_place(path: Path) -> None:
    """Raises UsageError, and OSError for a path that the system does not take."""
    shown = shown_path(path)
    if path.is_dir():
        example = shown_path(path / "fleet.db")
        raise UsageError(f"cannot open the store {shown}: it is a folder, expected a file (such as {example})")
    if not path.parent.is_dir():
        folder = shown_path(path.parent)
        why = f"{folder} is a file" if path.parent.exists() else f"there is no folder {folder}; make it first"
        raise UsageError(f"cannot open the store {shown}: {why}")
    if path.exists() and not path.is_file():
        raise UsageError(f"cannot open the store {shown}: it is a device or a pipe, expected a file")
    if path.exists() and 0 < path.stat().st_size < LEAST_PAGE_BYTES:
        # SQLite would take it for empty and write over it; only asked for its size, since to open and close the file
        # here would drop the lock of a store that this process has open already.
        raise UsageError(no_store(path))


def _create_private(path: Path) -> None:
    """A new file is for its owner only, since credentials lie in it. SQLite gives its side files the same rights."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _take(connection: sqlite3.Connection, path: Path, durability: Durability) -> None:
    """Nothing is written before the file is known to be ours. The exclusive lock is held from the first read on, and
    makes WAL do without shared memory (https://www.sqlite.org/wal.html §8)."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    is_new = _is_new(connection, path)
    if not is_new:
        _check_whole(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power-cut' else 'NORMAL'}")
    connection.execute("PRAGMA cache_size = -32768")  # KiB
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("BEGIN EXCLUSIVE")
    for statement in (*TABLES, *MARKS) if is_new else MARKS:
        connection.execute(statement)
    connection.execute("COMMIT")


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables == 0 and application_id == 0 and version == 0:
        return True
    if application_id != APPLICATION_ID:
        if _tables_of(connection) == set(TABLES):
            raise damaged(path, "its header does not say whose it is, though its tables are ours")
        raise UsageError(
            f"{shown_path(path)} is a SQLite file of another program, not a fleetrig store: give another path"
        )
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"the store {shown_path(path)} was written by a newer fleetrig (schema {version}, this one knows up to"
            f" {SCHEMA_VERSION}): use that version, or give another path"
        )
    return False


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """About 0.3 s for 100 MB: better than an answer out of a damaged file. Raises StoreFailed."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < OLDEST_VERSION or _tables_of(connection) != set(TABLES):
        raise damaged(path, "its tables are not those of a store")
    ((said,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
    if said != "ok":
        raise damaged(path, " ".join(str(said).split())[:MOST_SAID_CHARS])


def _tables_of(connection: sqlite3.Connection) -> set[str]:
    return {str(sql) for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")}
