"""A store by its URL, as `serve --store` takes it.

memory:                       nothing outlives the process; artifacts lie in a temporary folder until it is closed
sqlite:///fleet.db            a file, relative to the working folder
sqlite:////var/lib/fleet.db   a file by its absolute path; artifacts lie beside it in `fleet.db.artifacts`
sqlite:///fleet.db?durability=power-cut    what was acknowledged also outlives a power cut
"""

from __future__ import annotations

import os
import shutil
import tempfile
from difflib import get_close_matches
from pathlib import Path
from secrets import token_hex
from typing import Final, cast, get_args

from fleetrig.reference_server.stores.blobs import DirectoryBlobs, TransactionalBlobs, names_in
from fleetrig.reference_server.stores.interface import Blobs, Store
from fleetrig.reference_server.stores.memory import MemoryStore
from fleetrig.reference_server.stores.sqlite import SqliteStore
from fleetrig.reference_server.stores.sqlite_file import Durability
from fleetrig.simulator.contract.errors import UsageError, shown_path, system_said

SCHEMES: Final = ("memory", "sqlite", "postgresql")
ENDING: Final = ".artifacts"
FORMS: Final = "memory:, sqlite:///relative/path.db or sqlite:////absolute/path.db"


def open_store(url: str) -> tuple[Store, Blobs]:
    """Opens what the URL names; closing the store closes both.

    Raises UsageError for a URL or file that cannot be, BrokenBench for a file in use or damaged."""
    if url == "memory:":
        return _open_memory()
    scheme, colon, rest = url.partition(":")
    if scheme == "sqlite" and rest.startswith("///"):
        return _open_sqlite(url, rest[3:])
    if scheme in {"postgresql", "postgres"} and colon:
        raise UsageError(f"the store {_without_password(url)}: postgresql is not there yet; use {FORMS}")
    raise UsageError(f"{_without_password(url)!r} is not a store: {_nearest(url)} (a store is {FORMS})")


def artifact_folder(url: str) -> Path | None:
    """Where the artifacts of a store lie that outlives the process; there may be no such folder yet."""
    scheme, _, rest = url.partition(":///")
    return _beside(rest.partition("?")[0]) if scheme == "sqlite" else None


def _open_memory() -> tuple[Store, Blobs]:
    folder = Path(tempfile.gettempdir()) / f"fleetrig-{token_hex(8)}"
    store = MemoryStore(at_close=lambda: shutil.rmtree(folder, ignore_errors=True))
    return store, TransactionalBlobs(store, DirectoryBlobs(folder, is_synced=False))


def _open_sqlite(url: str, rest: str) -> tuple[Store, Blobs]:
    name, _, query = rest.partition("?")
    if name == ":memory:":
        raise UsageError(f"{url!r} is not a store: did you mean memory: ?")
    if not name or name.endswith("/"):
        raise UsageError(f"{url!r} names no file: did you mean sqlite:///{name}fleet.db ?")
    durability = _durability(query)
    _require_folder(_beside(name))
    store = SqliteStore(Path(name), durability=durability)
    try:
        return store, TransactionalBlobs(store, DirectoryBlobs(_beside(name), names_in(store)))
    except BaseException:
        store.close()
        raise


def _require_folder(folder: Path) -> None:
    """Raises UsageError when artifacts could not be kept there later."""
    shown = shown_path(folder)
    try:
        if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"cannot keep artifacts in {shown}: it cannot be written to; check the folder's rights")
        if not folder.is_dir() and (folder.is_symlink() or folder.exists()):
            raise UsageError(f"cannot keep artifacts in {shown}: it is no folder; move it away")
    except OSError as problem:
        store = shown_path(str(folder).removesuffix(ENDING))
        raise UsageError(
            f"cannot open the store {store}: its artifacts ({ENDING}): {system_said(problem)}"
        ) from problem


def _beside(name: str) -> Path:
    return Path(name + ENDING)


def _durability(query: str) -> Durability:
    if not query:
        return "kill"
    name, _, value = query.partition("=")
    if name != "durability" or value not in get_args(Durability):
        forms = " or ".join(f"durability={word}" for word in get_args(Durability))
        raise UsageError(f"a store has no option {query!r}: after the ? comes {forms}")
    return cast("Durability", value)


def _nearest(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    near = get_close_matches(scheme.lower(), SCHEMES, n=1)
    if not url or near == ["memory"]:
        return "did you mean memory: ?"
    if near == ["sqlite"]:
        return f"did you mean sqlite:///{_path_meant(rest) or 'fleet.db'} ?"
    if not colon or "/" in scheme:
        return f"did you mean sqlite:///{url} ?"
    return f"there is no scheme {scheme!r}"


def _path_meant(rest: str) -> str:
    """What follows the colon, by its slashes: one or four begin an absolute path, two and three a relative one."""
    path = rest.lstrip("/")
    return path if len(rest) - len(path) in {0, 2, 3} else "/" + path


def _without_password(url: str) -> str:
    """`scheme://user:secret@host` without what lies before the @."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}…@{rest.rpartition('@')[2]}" if "@" in rest else url
