"""The file under a SqliteStore: opened only if it is ours, free and not too new; what SQLite says, said so that one
can act on it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final, Literal

from fleetrig.simulator.contract.errors import BrokenBench, FleetrigError, ModelError, UsageError

Durability = Literal["kill", "power-cut"]
"""What a committed write outlives: the end of the process, or also that of the machine (one fsync for each commit)."""

APPLICATION_ID: Final = 0x666C7267  # "flrg", in the file's header: https://www.sqlite.org/fileformat2.html §1.3.16
SCHEMA_VERSION: Final = 1
LEAST_PAGE_BYTES: Final = 512

# Keys and values are blobs (strings) or integers, so the columns have no type that would convert them.
SCHEMA: Final = (
    """CREATE TABLE records (kind TEXT NOT NULL, tenant TEXT NOT NULL, key NOT NULL, body TEXT NOT NULL,
       PRIMARY KEY (kind, tenant, key)) WITHOUT ROWID""",
    """CREATE TABLE entries (kind TEXT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, value NOT NULL, key NOT NULL,
       PRIMARY KEY (kind, tenant, name, value, key)) WITHOUT ROWID""",
    "CREATE TABLE kinds (name TEXT PRIMARY KEY, shape TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE sequences (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


def open_file(path: Path, durability: Durability) -> sqlite3.Connection:
    """A connection that owns the file until it is closed or the process ends, however it ends.

    Raises UsageError for a path that cannot be or is something else, BrokenBench for one in use or damaged."""
    _require_place(path)
    try:
        _create_private(path)
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as problem:
        raise UsageError(f"cannot open the store {path}: {problem}") from problem
    try:
        _take(connection, path, durability)
    except sqlite3.Error as problem:
        connection.close()
        raise explained(problem, path) from problem
    except FleetrigError:
        connection.close()
        raise
    return connection


def explained(problem: sqlite3.Error, path: Path) -> FleetrigError:
    """What an error of SQLite means for the user who gave the file (https://www.sqlite.org/rescode.html)."""
    name = getattr(problem, "sqlite_errorname", "")
    match name.split("_")[1] if name else "":
        case "NOTADB":
            return UsageError(_no_store(path))
        case "BUSY" | "LOCKED":
            return BrokenBench(f"the store {path} is in use by another process: stop that one, or give another path")
        case "CORRUPT" | "FORMAT":
            return BrokenBench(f"the store {path} is damaged ({problem}): put a copy back, or give another path")
        case "READONLY" | "CANTOPEN" | "PERM" | "AUTH":
            return UsageError(f"the store {path} cannot be written ({problem}): check the rights of file and folder")
        case "FULL":
            return BrokenBench(f"no room left for the store {path}: nothing of this request was kept")
        case "IOERR":
            return BrokenBench(f"the disk failed under the store {path} ({name})")
        case _:
            return ModelError(f"the store {path} was asked for something impossible: {problem}")


def _no_store(path: Path) -> str:
    return f"{path} is not a fleetrig store, nor any SQLite file: give another path"


def _require_place(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"cannot open the store {path}: it is a folder, expected a file (such as {path / 'fleet.db'})")
    if not path.parent.is_dir():
        raise UsageError(f"cannot open the store {path}: there is no folder {path.parent}; make it first")
    if path.exists() and 0 < path.stat().st_size < LEAST_PAGE_BYTES:
        # SQLite would take it for empty and write over it; only asked for its size, since to open and close the file
        # here would drop the lock of a store that this process has open already.
        raise UsageError(_no_store(path))


def _create_private(path: Path) -> None:
    """A new file is for its owner only, since credentials lie in it. SQLite gives its side files the same rights."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _take(connection: sqlite3.Connection, path: Path, durability: Durability) -> None:
    """Nothing is written before the file is known to be ours. The exclusive lock is held from the first read on, and
    makes WAL do without shared memory (https://www.sqlite.org/wal.html §8)."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    is_new = _is_new(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power-cut' else 'NORMAL'}")
    connection.execute("PRAGMA cache_size = -32768")  # KiB
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("BEGIN EXCLUSIVE")
    if is_new:
        for statement in SCHEMA:
            connection.execute(statement)
    connection.execute("COMMIT")


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    application_id = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables == 0 and application_id == 0 and version == 0:
        return True
    if application_id != APPLICATION_ID:
        raise UsageError(f"{path} is a SQLite file of another program, not a fleetrig store: give another path")
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"the store {path} was written by a newer fleetrig (schema {version}, this one knows up to"
            f" {SCHEMA_VERSION}): use that version, or give another path"
        )
    return False
