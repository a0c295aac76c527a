"""Artifact files: in a folder, in memory, and either of them tied to a store's transactions.

A file is spooled under a name that ends in `.part`, hashed on the way, synced, renamed, and the folder synced: a
blob that can be seen is whole. Opening a folder deletes nothing: what no record names may belong to another copy of the
database (`leftovers.py`).
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Final

from fleetrig.reference_server.stores.interface import Blob, BlobGone, Blobs, Kind, Store, StoreFailed, TooLarge
from fleetrig.simulator.contract.bodies import Hashing, body_blocks, body_bytes
from fleetrig.simulator.contract.errors import BrokenBench, shown_path, system_said
from fleetrig.simulator.contract.http import Body, BodyPart, FileSlice, body_length, body_slice

NAME_BYTES: Final = 16
PART: Final = ".part"
PUT_BACK: Final = "put it back, or delete the artifact and upload it again"

BLOB: Final = Kind[Blob]("stores.blob", Blob, key=lambda blob: blob.name)


class _Digest:
    """Size and hashes, taken in one pass."""

    def __init__(self, at_most_bytes: int) -> None:
        self.size_bytes = 0
        self._at_most_bytes = at_most_bytes
        self._hashing = Hashing()

    def add(self, part: BodyPart) -> None:
        self.size_bytes += len(part)
        if self.size_bytes > self._at_most_bytes:
            raise TooLarge(f"more than {self._at_most_bytes} bytes")
        self._hashing.add(part)

    def blob(self, name: str) -> Blob:
        return Blob(name, self.size_bytes, **self._hashing.hexdigests())


class MemoryBlobs:
    """Bodies in a dict, for virtual time and tests; images are made as they are read, so they take no memory."""

    def __init__(self) -> None:
        self._contents: dict[str, Body] = {}
        self._kept = 0

    def keep(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        digest, content = _Digest(at_most_bytes), list[BodyPart]()
        for part in parts:
            digest.add(part)
            content.append(part)
        self._kept += 1
        name = str(self._kept)
        self._contents[name] = _joined(content)
        return digest.blob(name)

    def receive(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        return self.keep(parts, at_most_bytes=at_most_bytes)

    def adopt(self, blob: Blob) -> None:
        """It is here already."""

    def reject(self, blob: Blob) -> None:
        self.delete(blob.name)

    def body(self, name: str, offset_bytes: int, length_bytes: int) -> Body:
        if name not in self._contents:
            raise BrokenBench(f"there is no artifact {name} in memory")
        return body_slice(self._contents[name], offset_bytes, length_bytes)

    def delete(self, name: str) -> None:
        self._contents.pop(name, None)

    def total_bytes(self) -> int:
        return sum(map(body_length, self._contents.values()))


def _joined(parts: list[BodyPart]) -> Body:
    """Neighbouring bytes as one."""
    joined: list[BodyPart] = []
    for is_bytes, group in groupby(parts, lambda part: isinstance(part, bytes)):
        neighbours = list(group)
        joined += [body_bytes(tuple(neighbours))] if is_bytes else neighbours
    return joined[0] if len(joined) == 1 else tuple(joined)


class DirectoryBlobs:
    """One file for each blob, under a random name. The folder is made when the first one is kept."""

    def __init__(self, folder: Path, names: Iterable[str] = (), *, is_synced: bool = True) -> None:
        """`names`: the blobs that should be there. `is_synced=False` for a folder that goes with the process."""
        self.folder: Final = folder
        self._is_synced = is_synced
        paths = (folder / name for name in names)
        self._sizes_bytes = {path.name: _size_bytes(path) for path in paths}
        """Of the files that are here; changed in single steps, since files are received in other threads too."""

    def keep(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        name = secrets.token_hex(NAME_BYTES)
        part = self.folder / (name + PART)
        digest = _Digest(at_most_bytes)
        with self._failing():
            descriptor = self._create(part)
        try:
            self._fill(descriptor, digest, parts)
            with self._failing():
                part.rename(self.folder / name)
                self._sync_folder(self.folder)
        except BaseException:
            for path in (part, self.folder / name):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise
        self._sizes_bytes[name] = digest.size_bytes
        return digest.blob(name)

    def receive(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        return self.keep(parts, at_most_bytes=at_most_bytes)

    def adopt(self, blob: Blob) -> None:
        """It is here already."""

    def reject(self, blob: Blob) -> None:
        self.delete(blob.name)

    def body(self, name: str, offset_bytes: int, length_bytes: int) -> Body:
        path = self.folder / name
        try:
            status = path.stat()
        except OSError as problem:
            is_gone = problem.errno in (errno.ENOENT, errno.ENOTDIR)
            why = "is gone" if is_gone else f"cannot be read: {system_said(problem)}"
            raise BlobGone(f"the artifact file {path} {why}: {PUT_BACK}") from problem
        if not stat.S_ISREG(status.st_mode) or status.st_size < offset_bytes + length_bytes:
            raise BlobGone(f"the artifact file {path} is not what was uploaded: {PUT_BACK}")
        return FileSlice(str(path), offset_bytes, length_bytes) if length_bytes else b""

    def delete(self, name: str) -> None:
        """What cannot be deleted is a leftover: its record is gone already."""
        path = self.folder / name
        with suppress(OSError):
            if is_name(name) and path.is_file():
                path.unlink()
                self._sizes_bytes.pop(name, None)

    def total_bytes(self) -> int:
        return sum(list(self._sizes_bytes.values()))

    def _fill(self, descriptor: int, digest: _Digest, parts: Iterable[BodyPart]) -> None:
        """Only what is written here is the folder's fault: reading the parts may fail too."""
        try:
            for one in parts:
                digest.add(one)
                for block in body_blocks(one):
                    self._write(descriptor, block)
            with self._failing():
                self._sync(descriptor)
        finally:
            os.close(descriptor)

    def _create(self, part: Path) -> int:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700)
            self._sync_folder(self.folder.parent)
        return os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)

    def _write(self, descriptor: int, block: bytes) -> None:
        view = memoryview(block)
        with self._failing():
            while view:
                view = view[os.write(descriptor, view) :]

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Errors of the system as StoreFailed."""
        try:
            yield
        except OSError as problem:
            folder = shown_path(self.folder)
            raise StoreFailed(f"cannot keep an artifact in {folder}: {system_said(problem)}") from problem

    def _sync(self, descriptor: int) -> None:
        if self._is_synced:
            os.fsync(descriptor)

    def _sync_folder(self, folder: Path) -> None:
        """So that the name lasts, too."""
        if self._is_synced:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


class TransactionalBlobs:
    """Blobs that come and go with the records that name them: each has a record of its own in the store.

    In a transaction that fails, what was kept is removed and what was deleted stays. A crash in between leaves at most
    a file without a record, a leftover."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    def keep(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        blob = self._blobs.keep(parts, at_most_bytes=at_most_bytes)
        self.adopt(blob)
        return blob

    def receive(self, parts: Iterable[BodyPart], *, at_most_bytes: int) -> Blob:
        return self._blobs.receive(parts, at_most_bytes=at_most_bytes)

    def adopt(self, blob: Blob) -> None:
        try:
            self._store.put(BLOB, "", blob)
        except BaseException:
            self._blobs.delete(blob.name)
            raise
        self._store.when_settled(lambda committed: None if committed else self._blobs.delete(blob.name))

    def reject(self, blob: Blob) -> None:
        self._blobs.reject(blob)

    def body(self, name: str, offset_bytes: int, length_bytes: int) -> Body:
        return self._blobs.body(name, offset_bytes, length_bytes)

    def delete(self, name: str) -> None:
        self._store.delete(BLOB, "", name)
        self._store.when_settled(lambda committed: self._blobs.delete(name) if committed else None)

    def total_bytes(self) -> int:
        return self._blobs.total_bytes()


def names_in(store: Store) -> set[str]:
    """The blobs that a store has records of."""
    return {blob.name for blob in store.scan(BLOB, "")}


def _size_bytes(path: Path) -> int:
    """0 for a file that is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def is_name(name: str) -> bool:
    """True for a name that `DirectoryBlobs` gives."""
    return len(name) == 2 * NAME_BYTES and set(name) <= set("0123456789abcdef")
