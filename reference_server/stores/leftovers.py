"""Artifact files that the database beside them does not name: what a crash left, or the files of another copy of it.

Nobody can tell the two apart, so they are counted when a store is opened, and removed only when that is asked for.
Links are never followed: neither one in the folder, nor the folder itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fleetrig.reference_server.stores.blobs import PART, is_name, names_in
from fleetrig.reference_server.stores.interface import Store
from fleetrig.simulator.contract.errors import UsageError, system_said


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Files that look like artifacts and that no record names."""

    folder: Path
    names: tuple[str, ...]
    size_bytes: int


def find_leftovers(store: Store, folder: Path) -> Leftovers:
    """What lies in the artifact folder of a store just opened besides its artifacts."""
    named, sizes = names_in(store), dict[str, int]()
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in named and is_name(path.name.removesuffix(PART)):
            with suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    sizes[path.name] = status.st_size
    return Leftovers(folder, tuple(sorted(sizes)), sum(sizes.values()))


def remove_leftovers(found: Leftovers) -> None:
    """Raises UsageError where the folder is a link, or its files cannot be removed."""
    if not found.names:
        return
    try:
        with _opened(found.folder) as folder:
            for name in found.names:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
    except OSError as problem:
        raise UsageError(f"cannot remove leftovers in {found.folder}: {system_said(problem)}") from problem


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    if folder.is_symlink():
        raise UsageError(f"{folder} is a link, which is not followed to remove leftovers: remove them where they lie")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
