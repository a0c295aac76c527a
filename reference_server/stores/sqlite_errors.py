"""What an error of SQLite means for the user who gave the file (https://www.sqlite.org/rescode.html)."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from fleetrig.reference_server.stores.interface import StoreFailed
from fleetrig.reference_server.stores.sqlite_guard import KEPT_NOTHING
from fleetrig.simulator.contract.errors import FleetrigError, ModelError, UsageError, shown_path

SQLITE_FAILURES: Final = (sqlite3.Error, MemoryError, UnicodeDecodeError)
"""What Python's module raises: a length or a text out of a damaged file is told as one of the latter two."""

PUT_BACK: Final = "put a copy back, or give another path"
OF_DAMAGE: Final = (
    "no such table",
    "no such column",
    "malformed",
    "unsupported file format",
    "decode",
    "has no column",
)
"""In messages of errors without a code of their own; our statements never change."""


def explained(problem: Exception, path: Path) -> FleetrigError:
    """While a store is in use. ModelError when we have asked for something impossible."""
    shown = shown_path(path)
    match _code(problem):
        case "BUSY" | "LOCKED" | "PROTOCOL":
            return StoreFailed(f"the store {shown} is in use by another process: stop that one, or give another path")
        case "CORRUPT" | "FORMAT" | "NOTADB" | "SCHEMA" | "CONSTRAINT" | "MISMATCH":
            return damaged(path, str(problem))
        case "READONLY" | "CANTOPEN" | "PERM" | "AUTH":
            return StoreFailed(f"the store {shown} cannot be written ({problem}): check the rights of file and folder")
        case "FULL":
            return StoreFailed(f"no room left for the store {shown}: make room on that disk; {KEPT_NOTHING}")
        case "IOERR":
            name = getattr(problem, "sqlite_errorname", "IOERR")
            return StoreFailed(
                f"the disk failed under the store {shown} ({name}): check the disk, and the limits of this process"
                f" (`ulimit -f`); {KEPT_NOTHING}"
            )
        case "NOMEM":
            return StoreFailed(f"no memory left to read the store {shown}, which may be damaged: {PUT_BACK}")
        case _ if any(word in str(problem) for word in OF_DAMAGE):
            return damaged(path, str(problem))
        case _:
            return ModelError(f"the store {shown} was asked for something impossible: {problem}")


def explained_opening(problem: Exception, path: Path) -> FleetrigError:
    """When a store is opened, where a file may be no store at all, or one that nobody may write."""
    match _code(problem):
        case "NOTADB":
            return UsageError(no_store(path))
        case "READONLY" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
            return damaged(path, f"{problem}, though its rights allow that")
        case "READONLY" | "CANTOPEN" | "PERM" | "AUTH":
            return UsageError(str(explained(problem, path)))
        case _:
            error = explained(problem, path)
            return damaged(path, str(problem)) if isinstance(error, ModelError) else error


def damaged(path: Path, why: str) -> StoreFailed:
    return StoreFailed(f"the store {shown_path(path)} is damaged ({why}): {PUT_BACK}")


def no_store(path: Path) -> str:
    return f"{shown_path(path)} is not a fleetrig store, nor any SQLite file: give another path"


def _code(problem: Exception) -> str:
    """`FULL` of SQLITE_FULL, `IOERR` of SQLITE_IOERR_WRITE; empty for errors of Python's module itself."""
    if isinstance(problem, MemoryError):
        return "NOMEM"
    name = getattr(problem, "sqlite_errorname", "")
    return name.split("_")[1] if name else ""
