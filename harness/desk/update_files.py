"""The files of an update, looked at before anything is sent, and what an update is called that nobody has named."""

from __future__ import annotations

import errno
import hashlib
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fleetrig.harness.desk.deploying import DeskUpdate, UpdateFile
from fleetrig.harness.scenario_file.unread import why_unread
from fleetrig.simulator.contract.bounds import Bound
from fleetrig.simulator.contract.errors import UsageError, shown_path

FILE_BYTES: Final = Bound(4 << 30, "bytes", "no server takes more in one upload", "4 GiB in a file")
DIGITS_OF_VERSION: Final = 12
NAME_CHARS: Final = 64
"""Of a name or a version, as every platform takes it."""


def update_files(paths: Sequence[Path]) -> tuple[UpdateFile, ...]:
    """Raises UsageError for the first file that cannot be deployed."""
    files = tuple(_looked_at(path) for path in paths)
    names = [file.name for file in files]
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None:
        raise UsageError(f"two files are called {twice}: files of an update lie beside each other on the device")
    return files


def named_update(files: Sequence[UpdateFile], name: str, version: str, kind: str, urgency: str) -> DeskUpdate:
    """Without a name it is called as its first file, without a version after what is in its files.

    Raises UsageError.
    """
    if not files and not (name and version):
        raise UsageError("which update? Give its FILEs again, or its --name and --version")
    name = name or files[0].path.stem[:NAME_CHARS]
    version = version or _version_of(files)
    for option, text in (("--name", name), ("--version", version)):
        if len(text) > NAME_CHARS or not text.isprintable() or text != text.strip():
            raise UsageError(f"{option} {text[:NAME_CHARS]!r}: expected at most {NAME_CHARS} characters that can be "
                             "seen, without blanks at the ends")  # fmt: skip
    return DeskUpdate(name, version, kind, urgency, tuple(files))


def _version_of(files: Sequence[UpdateFile]) -> str:
    """The same content has the same version, whenever it is deployed."""
    if len(files) == 1:
        return files[0].sha256[:DIGITS_OF_VERSION]
    together = "".join(f"{file.name}\0{file.sha256}\n" for file in files)
    return hashlib.sha256(together.encode()).hexdigest()[:DIGITS_OF_VERSION]


def _looked_at(path: Path) -> UpdateFile:
    shown = shown_path(path)
    if any("\ud800" <= char <= "\udfff" for char in path.name):
        raise UsageError(f"{shown} has a name that is no UTF-8, which no server takes: rename it first")
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, "")
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{shown} is no file whose size is known: write it into one first")
        if found.st_size > FILE_BYTES.most:
            raise UsageError(f"{shown} has {found.st_size:,} bytes, expected {FILE_BYTES}")
        if not found.st_size:
            raise UsageError(f"{shown} is empty: no device could do anything with it")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as wrong:
        raise UsageError(f"cannot read {shown}: {why_unread(path, wrong)}") from None
    return UpdateFile(path.absolute(), found.st_size, digest)
